import type { InstanceState } from '../domain/instance-state.js';
import type { AccountRegion, Action, ApiResult, BackupTask, Instance, Lookup, PollResult } from '../domain/model.js';
import type { BackupTasksRequest, InstancesPage, InstancesRequest, TagsPage, TagsRequest } from '../domain/requests.js';

/** What polling needs of the cloud, one per account and region. Each call is one attempt of one request and never throws. */
export interface TaskSource {
  /** DescribeBackupTasks. With a job id: that task in any state, if the API still knows it; without: all that have not ended. */
  describeBackupTasks(request: BackupTasksRequest, signal: AbortSignal): Promise<ApiResult<readonly BackupTask[]>>;
}

/** What discovery needs of the cloud, one per account and region. */
export interface InstanceSource {
  /** One page of DescribeDBInstances. */
  describeDBInstances(request: InstancesRequest, signal: AbortSignal): Promise<ApiResult<InstancesPage>>;
  /** One page of DescribeDBInstanceByTags: the tags of every instance of the region that has some. */
  describeDBInstanceByTags(request: TagsRequest, signal: AbortSignal): Promise<ApiResult<TagsPage>>;
}

/** The API of one account in one region. */
export interface RdsClient extends TaskSource, InstanceSource {
  /** Whether requests can be signed at once. */
  isReady(): boolean;
  /** Waits, within bounds, until they can or it is clear that they cannot. */
  ensureReady(signal: AbortSignal): Promise<void>;
  /** Lets requests in flight end; ends every later one as aborted. */
  retire(): Promise<void>;
  /** Aborts requests in flight, and every later one. */
  close(): Promise<void>;
}

/** What the exporter keeps of the instances that are polled. */
export interface FleetPort {
  get(key: string): InstanceState | undefined;
  /** Begins to watch an instance, or takes over its new name, labels and thresholds. */
  watch(instance: Instance): InstanceState;
  unwatch(key: string): void;
  /** Takes in a poll; undefined when the instance is not watched. */
  apply(key: string, result: PollResult): Promise<InstanceState | undefined>;
  /** Takes in the lookup of one job. */
  lookedUp(key: string, lookup: Lookup): Promise<InstanceState | undefined>;
}

/** The requests of one action in one account and region. */
export interface RequestCounter {
  /** Counts one attempt; `code` is the error's, undefined when it worked. */
  ended(durationMs: number, code: string | undefined): void;
}

export interface CollectorMetrics {
  readonly requests: {
    open(accountRegion: AccountRegion, action: Action): RequestCounter;
    remove(accountRegion: AccountRegion): void;
  };
  internalError(): void;
}
