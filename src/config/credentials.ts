import type { CredentialsSpec } from '../domain/credentials.js';
import type { Secret } from '../secret.js';
import { fileProblem } from './files.js';
import { optionalSecret, requiredSecret } from './secret-setting.js';
import type { Keys } from './secret-setting.js';
import type { Range, ConfigNode, Pattern } from './config-node.js';

type Type = CredentialsSpec['type'];

interface TypeRow {
  /** Keys that are no secret. */
  readonly keys: readonly string[];
  /** Each may be given as `x` or as `x_file`. */
  readonly secrets: readonly string[];
  readonly read: (keys: Keys, depth: number) => CredentialsSpec;
}

const TYPES: Readonly<Record<Type, TypeRow>> = {
  default: { keys: [], secrets: [], read: () => ({ type: 'default' }) },
  access_key: {
    keys: [],
    secrets: ['access_key_id', 'access_key_secret'],
    read: (keys) => ({ type: 'access_key', ...accessKey(keys) }),
  },
  sts: {
    keys: [],
    secrets: ['access_key_id', 'access_key_secret', 'security_token'],
    read: (keys) => ({ type: 'sts', ...accessKey(keys), securityToken: requiredSecret(keys, 'security_token') }),
  },
  ram_role_arn: {
    keys: ['role_arn', 'role_session_name', 'duration', 'source', 'sts_endpoint'],
    secrets: ['external_id'],
    read: (keys, depth) => ({
      type: 'ram_role_arn',
      ...session(keys),
      externalId: optionalSecret(keys, 'external_id'),
      source: readCredentials(keys('source'), depth + 1),
    }),
  },
  oidc_role_arn: {
    keys: ['role_arn', 'oidc_provider_arn', 'oidc_token_file', 'role_session_name', 'duration', 'sts_endpoint'],
    secrets: [],
    read: (keys) => ({
      type: 'oidc_role_arn',
      ...session(keys),
      oidcProviderArn: shown(keys, 'oidc_provider_arn').required().text(PROVIDER_ARN) ?? '',
      oidcTokenFile: readTokenFile(shown(keys, 'oidc_token_file').required()),
    }),
  },
  ecs_ram_role: {
    keys: ['role_name'],
    secrets: [],
    read: (keys) => ({ type: 'ecs_ram_role', roleName: shown(keys, 'role_name').text(ROLE_NAME) }),
  },
  credentials_uri: { keys: [], secrets: ['uri'], read: (keys) => ({ type: 'credentials_uri', uri: readUri(keys) }) },
};

const TYPE_NAMES = Object.keys(TYPES).join(', ');
const MAX_SOURCES = 5;
const MAX_TOKEN_BYTES = 64 * 1024;

/** What STS takes as DurationSeconds. */
const SESSION: Range = { min: 900_000, max: 43_200_000 };
const SESSION_NAME: Pattern = { pattern: /^[\w.@-]{2,64}$/, rule: 'must be 2 to 64 letters, digits and . @ - _' };
const ROLE_NAME: Pattern = {
  pattern: /^[\w.-]{1,64}$/,
  rule: 'must be the name of a RAM role: letters, digits and . - _',
};
const ROLE_ARN: Pattern = {
  pattern: /^acs:ram::[^:\s]+:role\/\S+$/,
  rule: 'must have the form acs:ram::ACCOUNT:role/NAME',
};
const PROVIDER_ARN: Pattern = {
  pattern: /^acs:ram::[^:\s]+:oidc-provider\/\S+$/,
  rule: 'must have the form acs:ram::ACCOUNT:oidc-provider/NAME',
};
const HOST_RULE = 'must be a host or host:port, such as sts.cn-hangzhou.aliyuncs.com (it is always called by https)';

/** Values are shown only where they are no secret. */
export function readCredentials(given: ConfigNode, depth = 0): CredentialsSpec {
  const chain: CredentialsSpec = { type: 'default' };
  if (!given.given) return chain;
  const setting = given.hidden();
  if (depth > MAX_SOURCES) return setting.problem(`more than ${MAX_SOURCES} sources behind each other`) ?? chain;
  if (!setting.isMapping) return setting.problem(`must be a mapping with a type; the types are ${TYPE_NAMES}`) ?? chain;
  const type = readType(setting);
  if (type === undefined) return chain;
  const { keys, secrets, read } = TYPES[type];
  return read(setting.section(['type', ...secrets.flatMap((name) => [name, `${name}_file`]), ...keys]), depth);
}

function readType(setting: ConfigNode): Type | undefined {
  const type = setting.entries().get('type');
  if (type === undefined) return setting.problem(`required key type is missing; the types are ${TYPE_NAMES}`);
  const known = (text: string): Type | undefined => (isType(text) ? text : undefined);
  return type.hidden(false).parsed(`unknown credential type; the types are ${TYPE_NAMES}`, known);
}

function isType(text: string): text is Type {
  return Object.hasOwn(TYPES, text);
}

function shown(keys: Keys, name: string): ConfigNode {
  return keys(name).hidden(false);
}

function accessKey(keys: Keys): { readonly accessKeyId: Secret; readonly accessKeySecret: Secret } {
  return {
    accessKeyId: requiredSecret(keys, 'access_key_id'),
    accessKeySecret: requiredSecret(keys, 'access_key_secret'),
  };
}

/** What both ways to assume a role have. */
function session(
  keys: Keys,
): Pick<CredentialsSpec & { type: 'ram_role_arn' }, 'roleArn' | 'roleSessionName' | 'durationMs' | 'stsEndpoint'> {
  return {
    roleArn: shown(keys, 'role_arn').required().text(ROLE_ARN) ?? '',
    roleSessionName: shown(keys, 'role_session_name').text(SESSION_NAME),
    durationMs: shown(keys, 'duration').duration(undefined, SESSION),
    stsEndpoint: shown(keys, 'sts_endpoint').parsed(HOST_RULE, parseHost),
  };
}

function parseHost(text: string): string | undefined {
  return /^[a-z0-9][a-z0-9.-]*(:\d+)?$/i.test(text) && URL.canParse(`https://${text}`) ? text : undefined;
}

/** The path stays a path: the token in it rotates. */
function readTokenFile(setting: ConfigNode): string {
  const path = setting.file();
  const problem = path === undefined ? undefined : fileProblem(path, MAX_TOKEN_BYTES);
  if (problem !== undefined) setting.problem(`the file cannot be used: ${problem}`);
  return path ?? '';
}

function readUri(keys: Keys): Secret {
  const uri = requiredSecret(keys, 'uri');
  const given = keys(keys('uri').given ? 'uri' : 'uri_file');
  if (uri.reveal() !== '' && !/^https?:\/\/./.test(uri.reveal())) given.problem('must be an http or https URL');
  return uri;
}
