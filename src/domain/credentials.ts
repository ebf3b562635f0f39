import type { Secret } from '../secret.js';

/** How the credentials of an account are obtained. */
export type CredentialsSpec =
  | { readonly type: 'default' }
  | { readonly type: 'access_key'; readonly accessKeyId: Secret; readonly accessKeySecret: Secret }
  | {
      readonly type: 'sts';
      readonly accessKeyId: Secret;
      readonly accessKeySecret: Secret;
      readonly securityToken: Secret;
    }
  | {
      readonly type: 'ram_role_arn';
      readonly roleArn: string;
      readonly roleSessionName: string | undefined;
      readonly externalId: Secret | undefined;
      readonly durationMs: number | undefined;
      readonly source: CredentialsSpec;
      readonly stsEndpoint: string | undefined;
    }
  | {
      readonly type: 'oidc_role_arn';
      readonly roleArn: string;
      readonly oidcProviderArn: string;
      readonly oidcTokenFile: string;
      readonly roleSessionName: string | undefined;
      readonly durationMs: number | undefined;
      readonly stsEndpoint: string | undefined;
    }
  | { readonly type: 'ecs_ram_role'; readonly roleName: string | undefined }
  | { readonly type: 'credentials_uri'; readonly uri: Secret };

/** Every secret that credentials are had with, those of a role's source included. */
export function secretsOf(spec: CredentialsSpec): readonly Secret[] {
  switch (spec.type) {
    case 'access_key':
      return [spec.accessKeyId, spec.accessKeySecret];
    case 'sts':
      return [spec.accessKeyId, spec.accessKeySecret, spec.securityToken];
    case 'ram_role_arn':
      return [...(spec.externalId === undefined ? [] : [spec.externalId]), ...secretsOf(spec.source)];
    case 'credentials_uri':
      return [spec.uri];
    case 'default':
    case 'oidc_role_arn':
    case 'ecs_ram_role':
  }
  return [];
}
