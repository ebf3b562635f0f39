import type { Clock } from '../clock.js';
import type { Logger } from '../log.js';
import { Secret } from '../secret.js';
import type { CredentialsProvider, CredentialsSpec } from './credentials.js';
import { createSdkSource } from './sdk-credentials.js';
import type { CreateSdkCredential } from './sdk-credentials.js';
import { SessionCredentials } from './session-credentials.js';
import { StaticCredentials } from './static-credentials.js';
import type { StaticKeys } from './static-credentials.js';

export interface CredentialsOptions {
  readonly account: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** In place of `@alicloud/credentials`. */
  readonly createSdkCredential?: CreateSdkCredential | undefined;
  /** The process's own unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Keys that are given never load the official library; everything else does, at first use. */
export function createCredentialsProvider(spec: CredentialsSpec, options: CredentialsOptions): CredentialsProvider {
  const { env = process.env, clock, account, log, createSdkCredential: create } = options;
  switch (spec.type) {
    case 'access_key':
      return new StaticCredentials({ keys: spec, type: spec.type, providerName: 'static_ak', clock });
    case 'sts':
      return new StaticCredentials({ keys: spec, type: spec.type, providerName: 'static_sts', clock });
    case 'default': {
      const keys = keysIn(env);
      if (keys !== undefined)
        return new StaticCredentials({ keys, type: spec.type, providerName: 'default/env', clock });
      break;
    }
    case 'ram_role_arn':
    case 'oidc_role_arn':
    case 'ecs_ram_role':
    case 'credentials_uri':
  }
  const parent = spec.type === 'ram_role_arn' ? createCredentialsProvider(spec.source, options) : undefined;
  const source = createSdkSource(spec, { env, create, parent });
  return new SessionCredentials({ type: spec.type, source, account, clock, log });
}

/** The first link of the default chain. */
function keysIn(env: Readonly<Record<string, string | undefined>>): StaticKeys | undefined {
  const accessKeyId = env['ALIBABA_CLOUD_ACCESS_KEY_ID'];
  const accessKeySecret = env['ALIBABA_CLOUD_ACCESS_KEY_SECRET'];
  const securityToken = env['ALIBABA_CLOUD_SECURITY_TOKEN'];
  if (!accessKeyId || !accessKeySecret) return undefined;
  return {
    accessKeyId: new Secret(accessKeyId),
    accessKeySecret: new Secret(accessKeySecret),
    securityToken: securityToken ? new Secret(securityToken) : undefined,
  };
}
