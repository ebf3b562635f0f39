import type { InstanceState } from './state.js';
import { phaseOf } from './view.js';

/**
 * Whether an instance is polled at the active interval: a task is listed that has not ended, or an outcome is open. A
 * queued task counts however long it waits: at the idle interval a short backup would run and go unseen after a long wait,
 * and its start, which durations and "stuck" are measured from, would be known to five minutes only. One that waits for
 * ever costs one call in each active interval. An ended task that lingers in the listing has nothing left to tell.
 */
export function isActive({ tasks }: InstanceState): boolean {
  return tasks.some(
    ({ task, unsettledAnswers, uncounted }) =>
      unsettledAnswers !== undefined || uncounted !== undefined || phaseOf(task) !== 'ended',
  );
}

/** The jobs to ask for by id at the next poll, should the listing still not hold them. */
export function openJobs(state: InstanceState): readonly string[] {
  return state.tasks
    .filter(({ unsettledAnswers }) => unsettledAnswers !== undefined)
    .map(({ task }) => task.backupJobId);
}
