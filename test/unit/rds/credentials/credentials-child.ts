import type { CredentialsSpec } from '../../../../dist/domain/credentials.js';
/**
 * Run by a test as a process of its own, because NODE_EXTRA_CA_CERTS is read once at the start: the real credentials of
 * the program, driven by messages, on a clock that the test moves.
 */
import { createRequire } from 'node:module';
import { createCredentialsProvider } from '../../../../dist/rds/credentials/credentials-provider.js';
import type { CredentialsProvider, CredentialsState } from '../../../../dist/rds/credentials/credentials.js';
import { createRdsClient } from '../../../../dist/rds/rds-client.js';
import { systemClock } from '../../../../dist/clock.js';
import type { ApiError, ApiResult, BackupTask } from '../../../../dist/domain/model.js';
import { Secret } from '../../../../dist/secret.js';
import { FakeClock } from '../../../helpers/fake-clock.js';

export type ChildRequest =
  | { readonly op: 'configure'; readonly spec: PlainSpec }
  /** Asks for credentials that many times at once, as attempts do. */
  | { readonly op: 'use'; readonly times: number }
  | { readonly op: 'advance'; readonly ms: number }
  | { readonly op: 'state' }
  | { readonly op: 'logs' }
  /** Whether the official library is in memory. */
  | { readonly op: 'loaded' }
  /** One DescribeBackupTasks. */
  | { readonly op: 'call'; readonly endpoint: string };

/** What the child answers to each request. */
export interface ChildResults {
  configure: number;
  use: readonly Used[];
  advance: number;
  state: Omit<CredentialsState, 'expiresAt'> & { readonly expiresInMs: number | null };
  logs: readonly Logged[];
  loaded: boolean;
  call: ApiResult<readonly BackupTask[]>;
}

export interface Used {
  /** Undefined when there were credentials. */
  readonly error?: ApiError;
  /** True when nothing had to be awaited. */
  readonly atHand: boolean;
  readonly accessKeyId?: string;
  readonly secret?: string;
  readonly securityToken?: string | undefined;
  readonly providerName?: string | undefined;
}

export interface Logged {
  readonly level: string;
  readonly msg: string;
  readonly account?: string;
}

/** A CredentialsSpec whose secrets are plain texts. */
export type PlainSpec = { readonly type: string; readonly source?: PlainSpec } & Readonly<Record<string, unknown>>;

const clock = new FakeClock(Date.now());
const logs: Logged[] = [];
const note =
  (level: string) =>
  (msg: string, fields?: object): void => {
    logs.push({ level, msg, ...fields });
  };
const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
const never = new AbortController().signal;
let provider: CredentialsProvider;

const SECRETS = new Set(['accessKeyId', 'accessKeySecret', 'securityToken', 'externalId', 'uri']);

function withSecrets(plain: PlainSpec): CredentialsSpec {
  const entries = Object.entries(plain).map(([key, value]) => {
    if (key === 'source') return [key, withSecrets(plain.source!)];
    return [key, SECRETS.has(key) && typeof value === 'string' ? new Secret(value) : value];
  });
  const spec: CredentialsSpec = Object.fromEntries(entries);
  return spec;
}

async function use(): Promise<Used> {
  const atHand = provider.current();
  if (atHand !== undefined) return { accessKeyId: atHand.accessKeyId, atHand: true };
  const fetched = await provider.fetch(never);
  if (!fetched.ok) return { atHand: false, error: fetched.error };
  const { accessKeyId, key, securityToken, providerName } = fetched.value;
  return { atHand: false, accessKeyId, secret: key.export().toString(), securityToken, providerName };
}

async function call(endpoint: string): Promise<ChildResults['call']> {
  const region = { regionId: 'cn-hangzhou', endpoint, timeoutMs: 5_000, version: '0', clock: systemClock() };
  const api = createRdsClient({ ...region, credentials: provider });
  const result = await api.describeBackupTasks({ instanceId: 'rm-1' }, never);
  await api.close();
  return result;
}

async function answer(request: ChildRequest): Promise<ChildResults[keyof ChildResults]> {
  switch (request.op) {
    case 'configure':
      logs.length = 0;
      provider = createCredentialsProvider(withSecrets(request.spec), { account: 'production', clock, log });
      return clock.now();
    case 'use':
      return Promise.all(Array.from({ length: request.times }, use));
    case 'advance':
      await clock.advance(request.ms);
      return clock.now();
    case 'state': {
      const { expiresAt, ...state } = provider.state();
      return { ...state, expiresInMs: expiresAt === undefined ? null : Math.round(expiresAt - clock.now()) };
    }
    case 'logs':
      return logs;
    case 'loaded':
      return Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('@alicloud'));
    case 'call':
      break;
  }
  return call(request.endpoint);
}

process.on('message', (request: ChildRequest) => {
  void answer(request).then((result) => process.send?.({ result }));
});
process.send?.({ result: 'ready' });
