import type { ApiError, ApiResult } from '../../domain/model.js';
import type { Secret } from '../../secret.js';
import type { Credentials } from '../sign.js';

/** How an account's credentials are had. */
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

/** The credentials of one account, shared by its regions. */
export interface CredentialsProvider {
  /** What is at hand, so that an attempt awaits nothing; undefined when it must be fetched first. */
  current(): Credentials | undefined;
  /** Waits, at most some seconds, until there are credentials or it is clear that there are none. */
  fetch(signal: AbortSignal): Promise<ApiResult<Credentials>>;
  /**
   * Looks at the API's refusal of credentials. It is `token_expired` if other ones are at hand or on their way, so that
   * a retry makes sense, and `key_rejected` if not.
   */
  review(error: ApiError, used: Credentials): ApiError;
  state(): CredentialsState;
  /** Looks now whether what the credentials are had with or from is another: a reload asks for it. */
  lookAgain(): void;
}

/** For people; a snapshot. */
export interface CredentialsState {
  readonly type: CredentialsSpec['type'];
  /** False when requests cannot be signed. */
  readonly healthy: boolean;
  /** Why credentials could not be had or renewed, and what to do. */
  readonly problem: string | undefined;
  /** On the steady timeline; undefined when they do not expire or nobody said when. */
  readonly expiresAt: number | undefined;
}

/** No credentials could be had, so nothing was sent: whoever hands them out refused, or could not be asked. */
export function credentialsError(message: string, isRefused = false): ApiError {
  const [kind, code] = isRefused
    ? (['key_rejected', 'CredentialsRefused'] as const)
    : (['credentials', 'CredentialsError'] as const);
  return { kind, code, message, requestId: undefined, retryAfterMs: undefined };
}

const PRINTABLE = /^[\x21-\x7e]+$/;

/** Whether a header can carry it: a key with a space or a control character is a paste gone wrong. */
export function isUsableKey(text: string): boolean {
  return PRINTABLE.test(text);
}
