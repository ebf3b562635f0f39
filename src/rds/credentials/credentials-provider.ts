import { secretsOf } from '../../domain/credentials.js';
import type { CredentialsSpec } from '../../domain/credentials.js';
import type { Clock } from '../../clock.js';
import type { Logger } from '../../log.js';
import { Secret } from '../../secret.js';
import type { CredentialsProvider } from './credentials.js';
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
  /** From now on requests are signed with another key, or on another's behalf. Called amid whatever noticed it. */
  readonly onChanged?: (() => void) | undefined;
}

/** Keys that are given never load the official library; everything else does, at first use. */
export function createCredentialsProvider(spec: CredentialsSpec, options: CredentialsOptions): CredentialsProvider {
  const { env = process.env, clock, account, log, createSdkCredential: create, onChanged } = options;
  switch (spec.type) {
    case 'access_key':
      return new StaticCredentials({ keys: spec, type: spec.type, providerName: 'static_ak', clock, onChanged });
    case 'sts':
      return new StaticCredentials({ keys: spec, type: spec.type, providerName: 'static_sts', clock, onChanged });
    case 'default': {
      const keys = keysIn(env);
      if (keys !== undefined)
        return new StaticCredentials({ keys, type: spec.type, providerName: 'default/env', clock, onChanged });
      break;
    }
    case 'ram_role_arn':
    case 'oidc_role_arn':
    case 'ecs_ram_role':
    case 'credentials_uri':
  }
  // The session itself tells of what its source is: until it is renewed, the old one stays in use.
  const parent =
    spec.type === 'ram_role_arn'
      ? createCredentialsProvider(spec.source, { ...options, onChanged: undefined })
      : undefined;
  const source = createSdkSource(spec, { env, create, parent });
  const secrets = secretsOf(spec);
  return new SessionCredentials({ type: spec.type, source, parent, secrets, account, clock, log, onChanged });
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
