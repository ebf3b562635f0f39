import type { ApiResult, FollowUp, PollResult } from '../model.js';
import type { TaskSource } from './source.js';

export interface PollOptions {
  readonly source: TaskSource;
  readonly instanceId: string;
  /** Jobs that left the listing without an end: asked for by id, unless the listing holds them again. */
  readonly openJobs: readonly string[];
  /** Makes a call with all its repeats; never throws. */
  readonly call: <T>(attempt: () => Promise<ApiResult<T>>) => Promise<ApiResult<T>>;
  readonly signal: AbortSignal;
}

/**
 * One poll of one instance: its listing, then the open jobs one by one. A question about a job that fails is left for the
 * next poll; the listing stands. Only an answer is reported: a refusal of the request is one, since the API then does not
 * know the job.
 */
export async function poll({ source, instanceId, openJobs, call, signal }: PollOptions): Promise<PollResult> {
  const listing = await call(() => source.describeBackupTasks({ instanceId }, signal));
  if (!listing.ok) return listing;
  const tasks = listing.value;
  const followUps: FollowUp[] = [];
  for (const backupJobId of openJobs) {
    if (tasks.some((task) => task.backupJobId === backupJobId)) continue;
    const answer = await call(() => source.describeBackupTasks({ instanceId, backupJobId }, signal));
    if (answer.ok) {
      followUps.push({ backupJobId, task: answer.value.find((task) => task.backupJobId === backupJobId) });
    } else if (answer.error.kind === 'request') {
      followUps.push({ backupJobId, task: undefined });
    }
  }
  return { ok: true, tasks, followUps };
}
