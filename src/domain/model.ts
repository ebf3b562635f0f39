/**
 * What the whole program speaks about: instances, backup tasks, the answers of the cloud and its errors.
 * Types, the API's own words and what identifies a thing; nothing else. Imports nothing.
 *
 * Every time in the program is milliseconds of one steady timeline (see clock.ts); every duration in a name is
 * suffixed with its unit.
 */

/** BackupStatus, as documented for DescribeBackupTasks (2014-08-15); `Other` stands for a word the page does not list. */
export const TASK_STATUSES = [
  'NoStart',
  'Checking',
  'Preparing',
  'Waiting',
  'Uploading',
  'Finished',
  'Failed',
  'Other',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** BackupProgressStatus: the same words without `Failed`. */
export const PROGRESS_STATUSES = [
  'NoStart',
  'Checking',
  'Preparing',
  'Waiting',
  'Uploading',
  'Finished',
  'Other',
] as const;
export type ProgressStatus = (typeof PROGRESS_STATUSES)[number];

/** JobMode; `Unknown` when it is absent or a word the page does not list. */
export const MODES = ['Automated', 'Manual', 'Unknown'] as const;
export type Mode = (typeof MODES)[number];

/** How a task ended. `Unknown`: it vanished and the API would not say. */
export const OUTCOMES = ['Finished', 'Failed', 'Unknown'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const ACTIONS = ['DescribeBackupTasks', 'DescribeDBInstances', 'DescribeDBInstanceByTags'] as const;
export type Action = (typeof ACTIONS)[number];

/** The fields of a task whose undocumented values are counted in `unexpected_values_total`. */
export const TASK_FIELDS = [
  'BackupJobId',
  'BackupStatus',
  'BackupProgressStatus',
  'JobMode',
  'Process',
  'TaskAction',
] as const;
export type TaskField = (typeof TASK_FIELDS)[number];

/** One account in one region: what shares a quota, an endpoint and an outage. */
export interface AccountRegion {
  readonly account: string;
  readonly regionId: string;
}

/** A DB instance to poll, as configuration and discovery describe it. Replaced when it changes, never mutated. */
export interface Instance extends AccountRegion {
  readonly instanceId: string;
  /** DBInstanceDescription; empty when unknown. */
  readonly name: string;
  readonly engine: string;
  readonly engineVersion: string;
  /** Static labels and `tag_*`, shown on `instance_info` alone. */
  readonly labels: Readonly<Record<string, string>>;
  /** A running task without progress for this long is stuck. */
  readonly stuckAfterMs: number;
}

/** One entry of DescribeBackupTasks (Items.BackupJob), read tolerantly. */
export interface BackupTask {
  /** Decimal digits; the API gives it as a string or a number. */
  readonly backupJobId: string;
  readonly mode: Mode;
  /** BackupStatus as given; undefined when absent (it is, until a task has begun). */
  readonly backupStatus: TaskStatus | undefined;
  /** BackupProgressStatus as given; undefined when absent. */
  readonly progressStatus: ProgressStatus | undefined;
  /** Process in percent as given, also outside 0..100 but within -1,000..1,000; undefined when absent or no number. */
  readonly processPercent: number | undefined;
  /** `TempBackupTask`, `NormalBackupTask`; empty when absent. */
  readonly taskAction: string;
  /** The backup set made; present once the task is finished and was asked for by id. */
  readonly backupId: string | undefined;
  /** Values the documentation does not list, as the API gave them, cut to 100 characters. Usually empty. */
  readonly unexpected: readonly UnexpectedValue[];
}

export interface UnexpectedValue {
  readonly field: TaskField;
  readonly value: string;
}

/**
 * Every way a call can fail, decided once, at the wire; behaviour follows the kind, the metric's label is the code.
 *
 * - `throttled`    the quota is used up: retried, and the limiter slows down
 * - `server`       trouble at the cloud (5xx, or one of the 400 codes that mean it): retried
 * - `flaky`        trouble that the API's own tools repeat once: retried once
 * - `timeout`, `connection`, `bad_response`: no usable answer: retried
 * - `nonce`        the nonce was seen before: signed anew and retried
 * - `token_expired` temporary credentials ran out: refreshed and retried once
 * - `clock`        this machine's clock is more than 15 minutes off
 * - `key_rejected` the account's key is unknown, inactive or wrong, or its role is refused: nothing in this account will work
 * - `credentials`  no credentials could be obtained (STS, metadata, files): nothing was sent
 * - `denied`       RAM forbids this call, perhaps for this instance alone
 * - `not_found`    the instance does not exist
 * - `unsupported`  an instance whose type or engine has no backup tasks
 * - `not_now`      the instance's state forbids it for the moment
 * - `next_token`   the paging token is no longer valid
 * - `request`      any other refusal: the request itself is wrong
 * - `held_back`    not sent: a cool-down is in force
 * - `aborted`      not finished: the program or this part of it stops
 * - `bug`          an exception that should not exist
 */
export const ERROR_KINDS = [
  'throttled',
  'server',
  'flaky',
  'timeout',
  'connection',
  'bad_response',
  'nonce',
  'token_expired',
  'clock',
  'key_rejected',
  'credentials',
  'denied',
  'not_found',
  'unsupported',
  'not_now',
  'next_token',
  'request',
  'held_back',
  'aborted',
  'bug',
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/** A failed attempt. Holds no secret. */
export interface ApiError {
  readonly kind: ErrorKind;
  /** The API's error code, or `Timeout`, `ConnectionError`, `BadResponse`, `HTTP<status>`: the label of the failures counter. */
  readonly code: string;
  /** For people: one line, at most 300 characters. */
  readonly message: string;
  readonly requestId: string | undefined;
  /** The server's own delay, capped at 120 s. */
  readonly retryAfterMs: number | undefined;
}

export type ApiResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ApiError };

/** What one poll of one instance gave: the whole listing, or why there is none. */
export type PollResult =
  | { readonly ok: true; readonly tasks: readonly BackupTask[] }
  | { readonly ok: false; readonly error: ApiError };

/** The result of looking up one job that left the listing. */
export interface Lookup {
  readonly backupJobId: string;
  /** Undefined value: the API answered, but not with this job. */
  readonly result: ApiResult<BackupTask | undefined>;
}

/**
 * Identifies an instance: two accounts may hold the same instance id. None of the three can hold a line break. Joined, for
 * a template's result would stay in memory as a tree of its parts.
 */
export function instanceKey({
  account,
  regionId,
  instanceId,
}: AccountRegion & { readonly instanceId: string }): string {
  return [account, regionId, instanceId].join('\n');
}

export function accountRegionKey({ account, regionId }: AccountRegion): string {
  return `${account}\n${regionId}`;
}
