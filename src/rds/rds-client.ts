import type { Action, ApiResult, BackupTask } from '../domain/model.js';
import { badAnswer, readAnswer } from './response.js';
import { NO_JOB_ID, readBackupTasks } from './describe-backup-tasks.js';
import { createClient } from './http-client.js';
import type { ClientOptions, HttpAnswer } from './http-client.js';
import type { CredentialsProvider } from './credentials/credentials.js';
import type { JsonObject } from './fields.js';
import { instancesParameters, readInstances, readTags, tagsParameters } from './describe-db-instances.js';
import type { BackupTasksRequest, InstancesPage, InstancesRequest, TagsPage, TagsRequest } from '../domain/requests.js';
import type { Parameters } from './describe-db-instances.js';
import { canonicalQuery, createNonces, createSigningDates, signedHeaders } from './sign.js';
import type { Credentials } from './sign.js';

export interface RdsClientOptions extends ClientOptions {
  readonly regionId: string;
  readonly credentials: CredentialsProvider;
  /** Of the exporter, for the user agent. */
  readonly version: string;
  /** Told of every attempt that was sent and not given up; `code` is undefined when it worked. */
  readonly observe?: ((action: Action, durationMs: number, code: string | undefined) => void) | undefined;
  readonly randomBytes?: ((size: number) => Buffer) | undefined;
}

/** The RDS API of one account in one region. Each call is one attempt of one request and never throws. */
export interface RdsClient {
  /** With a job id: that task in any state, if the API still knows it; without: all that have not ended. */
  describeBackupTasks(request: BackupTasksRequest, signal: AbortSignal): Promise<ApiResult<readonly BackupTask[]>>;
  describeDBInstances(request: InstancesRequest, signal: AbortSignal): Promise<ApiResult<InstancesPage>>;
  describeDBInstanceByTags(request: TagsRequest, signal: AbortSignal): Promise<ApiResult<TagsPage>>;
  /** Whether requests can be signed at once. */
  isReady(): boolean;
  /** Waits, within bounds, until they can or it is clear that they cannot. */
  ensureReady(signal: AbortSignal): Promise<void>;
  /** Lets what is in flight end; ends every later call as aborted. */
  retire(): Promise<void>;
  /** Ends what is in flight as aborted, and every later call. */
  close(): Promise<void>;
}

const API_VERSION = '2014-08-15';

interface Call<T> {
  readonly action: Action;
  readonly parameters: Parameters;
  /** Undefined when the answer does not hold what it should. */
  readonly read: (answer: JsonObject) => T | undefined;
}

export function createRdsClient(options: RdsClientOptions): RdsClient {
  const { regionId, endpoint, credentials: provider, clock, observe } = options;
  const client = createClient(options);
  const host = new URL(endpoint).host;
  const nextNonce = createNonces(options.randomBytes);
  const dateOf = createSigningDates();
  const commonHeaders = [
    'accept',
    'application/json',
    'accept-encoding',
    'identity',
    'user-agent',
    `alicloud-rds-backup-exporter/${options.version}`,
  ];

  async function call<T>(request: Call<T>, signal: AbortSignal): Promise<ApiResult<T>> {
    let credentials = provider.current();
    if (credentials === undefined) {
      const fetched = await provider.fetch(signal);
      if (!fetched.ok) return fetched;
      credentials = fetched.value;
    }
    const startedAt = clock.now();
    const query = canonicalQuery(request.parameters);
    const exchange = await client.post(`/?${query}`, headersOf(request.action, query, credentials), signal);
    const result = exchange.ok ? read(request, exchange.answer, credentials) : exchange;
    if (result.ok || result.error.kind !== 'aborted') {
      observe?.(request.action, clock.now() - startedAt, result.ok ? undefined : result.error.code);
    }
    return result;
  }

  /** Signed anew for each attempt. */
  function headersOf(action: Action, query: string, credentials: Credentials): string[] {
    const date = dateOf(clock.toWall(clock.now()));
    const headers = signedHeaders({ host, action, version: API_VERSION, query, date, nonce: nextNonce() }, credentials);
    headers.push(...commonHeaders);
    return headers;
  }

  function read<T>({ action, read: readList }: Call<T>, answer: HttpAnswer, credentials: Credentials): ApiResult<T> {
    const body = readAnswer(answer, credentials);
    if (!body.ok) return { ok: false, error: provider.review(body.error, credentials) };
    const value = readList(body.value);
    if (value !== undefined) return { ok: true, value };
    return { ok: false, error: badAnswer(answer, `no list of ${action}`, credentials) };
  }

  return {
    describeBackupTasks({ instanceId, backupJobId }, signal) {
      // There is nothing to ask about an entry that had no id.
      if (backupJobId === NO_JOB_ID) return Promise.resolve({ ok: true, value: [] });
      const parameters: Parameters =
        backupJobId === undefined
          ? { DBInstanceId: instanceId }
          : { BackupJobId: backupJobId, DBInstanceId: instanceId };
      return call({ action: 'DescribeBackupTasks', parameters, read: readBackupTasks }, signal);
    },
    describeDBInstances(request, signal) {
      const parameters = instancesParameters(regionId, request);
      return call({ action: 'DescribeDBInstances', parameters, read: readInstances }, signal);
    },
    describeDBInstanceByTags({ pageNumber }, signal) {
      const parameters = tagsParameters(regionId, pageNumber);
      return call({ action: 'DescribeDBInstanceByTags', parameters, read: readTags }, signal);
    },
    isReady: () => provider.current() !== undefined,
    async ensureReady(signal) {
      await provider.fetch(signal);
    },
    retire: () => client.retire(),
    close: () => client.close(),
  };
}
