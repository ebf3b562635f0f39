import type { InstanceState } from './instance-state.js';
import { phaseOf } from './task-status.js';

/** A job whose lookup has failed this often is no longer worth the fast interval. */
const MAX_URGENT_FAILURES = 3;

/**
 * Whether an instance is polled at the active interval: a task is listed that has not ended, or an outcome is open. A
 * queued task counts however long it waits: at the idle interval a short backup would run and go unseen after a long wait,
 * and its start, which durations and "stuck" are measured from, would be known to five minutes only. One that waits for
 * ever costs one call in each active interval. An ended task that lingers in the listing has nothing left to tell.
 */
export function isActive({ tasks }: InstanceState): boolean {
  return tasks.some(({ task, outcomeLookups, failedLookups = 0, pendingCompletion }) => {
    if (pendingCompletion !== undefined) return true;
    return outcomeLookups === undefined ? phaseOf(task) !== 'ended' : failedLookups < MAX_URGENT_FAILURES;
  });
}

/** The jobs that left the listing and whose lookup is due, the one that waits longest first. */
export function pendingJobIds(state: InstanceState, nowMs: number): readonly string[] {
  return state.tasks
    .filter(({ outcomeLookups, nextLookupAt = 0 }) => outcomeLookups !== undefined && nextLookupAt <= nowMs)
    .toSorted((one, other) => (one.nextLookupAt ?? 0) - (other.nextLookupAt ?? 0))
    .map(({ task }) => task.backupJobId);
}
