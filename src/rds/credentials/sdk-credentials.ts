import type { CredentialsSpec } from '../../domain/credentials.js';
import { messageOf } from '../../errors.js';
import type { ApiResult, ErrorKind } from '../../domain/model.js';
import { kindOf } from '../classify.js';
import { credentialsError, isUsableKey } from './credentials.js';
import type { CredentialsProvider } from './credentials.js';
import { isObject, textOf } from '../fields.js';
import { redact } from '../../redact.js';
import type { CredentialsSource, FetchedCredentials } from './session-credentials.js';
import type { Credentials } from '../sign.js';

/**
 * Credentials through the official library, `@alicloud/credentials` 2.4. Every fetch makes a new credential object: the
 * library's default chain sticks to its last link for ever after one failure, and its session objects keep a session
 * without saying when it ends. Caching, sharing and bounding are the caller's.
 */

export type SdkSpec = Exclude<CredentialsSpec, { type: 'access_key' | 'sts' }>;

/** What of the library's class is used. */
export interface SdkCredential {
  getCredential(): Promise<{
    accessKeyId?: string;
    accessKeySecret?: string;
    securityToken?: string;
    providerName?: string;
  }>;
}

export type SdkConfig = Readonly<Record<string, string | number | undefined>> & { readonly type: string };

/** Makes the library's credential object; without a configuration: its default chain. */
export type CreateSdkCredential = (config: SdkConfig | undefined) => Promise<SdkCredential>;

interface SourceOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly create: CreateSdkCredential | undefined;
  /** For `ram_role_arn`: whose keys ask for the role. */
  readonly parent: CredentialsProvider | undefined;
}

const SESSION_NAME = 'alicloud-rds-backup-exporter';

export function createSdkSource(spec: SdkSpec, options: SourceOptions): CredentialsSource {
  const { parent, create = createFromLibrary } = options;
  return async (signal) => {
    const caller = await callerOf(parent, signal);
    if (!caller.ok) return { ok: false, error: { ...caller.error, message: `source: ${caller.error.message}` } };
    const config = sdkConfig(spec, options, caller.value);
    try {
      const credential = await create(config);
      return { ok: true, value: readCredential(await credential.getCredential(), credential) };
    } catch (error) {
      const refusal = refusalIn(messageOf(error));
      const isRefused = refusal !== undefined && !PASSING.has(kindOf(400, refusal.code));
      return { ok: false, error: credentialsError(problemOf(spec, error, config), isRefused) };
    }
  };
}

/** A service that answers so is out of order or busy: the role was not refused. */
const PASSING: ReadonlySet<ErrorKind> = new Set(['server', 'flaky', 'throttled']);

/** The credentials that ask for the role; undefined when none are needed. */
async function callerOf(
  parent: CredentialsProvider | undefined,
  signal: AbortSignal,
): Promise<ApiResult<Credentials | undefined>> {
  const atHand = parent?.current();
  if (parent === undefined || atHand !== undefined) return { ok: true, value: atHand };
  return parent.fetch(signal);
}

function sdkConfig(spec: SdkSpec, options: SourceOptions, caller: Credentials | undefined): SdkConfig | undefined {
  switch (spec.type) {
    case 'default':
      return undefined;
    case 'ecs_ram_role':
      return { type: spec.type, roleName: spec.roleName };
    case 'credentials_uri':
      return { type: spec.type, credentialsURI: spec.uri.reveal() };
    case 'oidc_role_arn': {
      const { oidcProviderArn, oidcTokenFile: oidcTokenFilePath } = spec;
      return { ...roleConfig(spec, options), oidcProviderArn, oidcTokenFilePath };
    }
    case 'ram_role_arn':
      break;
  }
  return {
    ...roleConfig(spec, options),
    externalId: spec.externalId?.reveal(),
    accessKeyId: caller?.accessKeyId,
    accessKeySecret: caller?.key.export().toString(),
    securityToken: caller?.securityToken,
  };
}

function roleConfig(spec: Extract<SdkSpec, { roleArn: string }>, { env }: SourceOptions): SdkConfig {
  return {
    type: spec.type,
    roleArn: spec.roleArn,
    roleSessionName: spec.roleSessionName ?? env['ALIBABA_CLOUD_ROLE_SESSION_NAME'] ?? SESSION_NAME,
    roleSessionExpiration: spec.durationMs === undefined ? undefined : spec.durationMs / 1000,
    stsEndpoint: spec.stsEndpoint,
  };
}

async function createFromLibrary(config: SdkConfig | undefined): Promise<SdkCredential> {
  // A CommonJS module: how deep its default export lies depends on who loads it.
  let library: unknown = await import('@alicloud/credentials');
  while (isObject(library)) library = library['default'];
  if (!isCredentialClass(library)) throw new Error('@alicloud/credentials has no default export');
  return new library(config);
}

function isCredentialClass(value: unknown): value is new (config: SdkConfig | undefined) => SdkCredential {
  return typeof value === 'function';
}

function readCredential(
  found: Awaited<ReturnType<SdkCredential['getCredential']>>,
  credential: SdkCredential,
): FetchedCredentials {
  const { accessKeyId, accessKeySecret, securityToken, providerName } = found;
  if (!accessKeyId || !accessKeySecret) throw new Error('no access key came');
  if (![accessKeyId, accessKeySecret, securityToken || 'none'].every(isUsableKey)) {
    throw new Error('the access key holds spaces or control characters');
  }
  const expiresAtWall = Date.parse(expirationIn(credential, 6) ?? '');
  return {
    accessKeyId,
    accessKeySecret,
    securityToken: securityToken === '' ? undefined : securityToken,
    providerName,
    expiresAtWall: Number.isNaN(expiresAtWall) ? undefined : expiresAtWall,
  };
}

/** How the library nests what it wraps, down to the session that knows its end. It has no method that tells. */
const LINKS = ['credential', 'provider', 'lastUsedProvider', 'innerProvider'];

function expirationIn(node: unknown, depth: number): string | undefined {
  if (!isObject(node) || depth === 0) return undefined;
  const session = node['session'];
  if (isObject(session) && typeof session['expiration'] === 'string') return session['expiration'];
  for (const link of LINKS) {
    const found = expirationIn(node[link], depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

const HINTS: { readonly [type in SdkSpec['type']]: string } = {
  default:
    'set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or give the account credentials of its own',
  ram_role_arn: "check role_arn, external_id, the role's trust policy, and that the source may call sts:AssumeRole",
  oidc_role_arn: "check role_arn, oidc_provider_arn, oidc_token_file and the role's trust policy",
  ecs_ram_role: 'attach a RAM role to this ECS instance, or check role_name',
  credentials_uri: 'check that the uri answers with AccessKeyId, AccessKeySecret, SecurityToken and Expiration',
};

/** The library puts whole answers into its messages, keys included: only what STS says in Code and Message is kept. */
function problemOf(spec: SdkSpec, thrown: unknown, config: SdkConfig | undefined): string {
  const raw = messageOf(thrown);
  const secrets = ['accessKeyId', 'accessKeySecret', 'securityToken', 'externalId', 'credentialsURI'].map((name) =>
    String(config?.[name] ?? ''),
  );
  const refusal = refusalIn(raw);
  const said =
    refusal === undefined
      ? (raw.split(/[{<"]|result:|parse failed|unmarshal fail|message =/, 1)[0] ?? '')
      : `${refusal.code}: ${refusal.message}`;
  const where = spec.type === 'default' ? 'the default chain' : spec.type;
  return `${where}: ${redact(said, secrets).slice(0, 150)}; ${HINTS[spec.type]}`;
}

function refusalIn(text: string): { readonly code: string; readonly message: string } | undefined {
  try {
    const body: unknown = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1));
    const code = isObject(body) ? textOf(body, 'Code') : undefined;
    return isObject(body) && code !== undefined ? { code, message: textOf(body, 'Message') ?? '' } : undefined;
  } catch {
    return undefined;
  }
}
