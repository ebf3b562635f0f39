import type { InstanceState } from './state.js';
import { phaseOf } from './view.js';

/** A task that waits for longer than this is no longer worth the fast interval. */
const FRESHLY_QUEUED_MS = 600_000;

/** Whether an instance is polled at the active interval: a task runs, was queued a short while ago, or its outcome is open. */
export function isActive(state: InstanceState, nowMs: number): boolean {
  return state.tasks.some(({ task, firstSeenAt, unsettledAnswers, uncounted }) => {
    if (unsettledAnswers !== undefined || uncounted !== undefined) return true;
    const phase = phaseOf(task);
    return phase === 'running' || (phase === 'queued' && nowMs - firstSeenAt < FRESHLY_QUEUED_MS);
  });
}

/** The jobs to ask for by id at the next poll, should the listing still not hold them. */
export function openJobs(state: InstanceState): readonly string[] {
  return state.tasks
    .filter(({ unsettledAnswers }) => unsettledAnswers !== undefined)
    .map(({ task }) => task.backupJobId);
}
