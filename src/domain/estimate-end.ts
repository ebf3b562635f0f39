import type { InstanceState, TrackedTask } from './instance-state.js';
import { isStuck, phaseOf } from './task-status.js';

/** Percent that must have gone by, and the time it took, before a speed says anything. */
const LEAST_GAIN = 10;
const LEAST_OBSERVED_MS = 10_000;

/**
 * When a task will end if it goes on as it did, on the steady timeline; undefined unless that means something: it runs,
 * is not stuck, and went far enough since it was first seen running to know its speed. An end that should have come
 * already is none.
 */
export function estimatedEndAt(state: InstanceState, tracked: TrackedTask, nowMs: number): number | undefined {
  const { task, runningSince, runningFromPercent, lastProgressAt } = tracked;
  const percent = task.processPercent;
  if (runningSince === undefined || runningFromPercent === undefined || percent === undefined) return undefined;
  if (phaseOf(task) !== 'running' || isStuck(state, tracked)) return undefined;
  const gained = percent - runningFromPercent;
  const observedMs = lastProgressAt - runningSince;
  if (gained < LEAST_GAIN || observedMs < LEAST_OBSERVED_MS || percent >= 100) return undefined;
  const endAt = lastProgressAt + (observedMs / gained) * (100 - percent);
  return endAt > nowMs ? endAt : undefined;
}
