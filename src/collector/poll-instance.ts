import type { ApiResult, BackupTask, Lookup, PollResult } from '../domain/model.js';
import type { TaskSource } from './ports.js';

export interface PollOptions {
  readonly source: TaskSource;
  readonly instanceId: string;
  /** Makes a call with all its repeats; never throws. */
  readonly call: <T>(attempt: () => Promise<ApiResult<T>>) => Promise<ApiResult<T>>;
  readonly signal: AbortSignal;
}

/** Lists the backup tasks of one instance. */
export async function listTasks({ source, instanceId, call, signal }: PollOptions): Promise<PollResult> {
  const listing = await call(() => source.describeBackupTasks({ instanceId }, signal));
  return listing.ok ? { ok: true, tasks: listing.value } : listing;
}

/** Looks up one job by id. A refusal of the request is an answer: the API does not know the job. */
export async function lookUpTask(options: PollOptions, backupJobId: string): Promise<Lookup> {
  const { source, instanceId, call, signal } = options;
  const answer = await call(() => source.describeBackupTasks({ instanceId, backupJobId }, signal));
  return { backupJobId, result: taskOf(answer, backupJobId) };
}

function taskOf(answer: ApiResult<readonly BackupTask[]>, backupJobId: string): Lookup['result'] {
  if (answer.ok) return { ok: true, value: answer.value.find((task) => task.backupJobId === backupJobId) };
  return answer.error.kind === 'request' ? { ok: true, value: undefined } : answer;
}
