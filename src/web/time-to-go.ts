import type { InstanceState, TrackedTask } from '../fleet/state.js';
import { isStuck, phaseOf } from '../fleet/view.js';

/** Percent that must have gone by, and the time it took, before a speed says anything. */
const LEAST_GAIN = 10;
const LEAST_OBSERVED_MS = 10_000;

/**
 * When a task will end if it goes on as it did, on the steady timeline; undefined unless that means something: it runs,
 * is not stuck, and was seen to begin, so that its speed is known. An end that should have come already is none.
 */
export function estimatedEndAt(state: InstanceState, tracked: TrackedTask, nowMs: number): number | undefined {
  const { task, firstSeenAt, runningSince, lastProgressAt } = tracked;
  const percent = task.processPercent;
  if (runningSince === undefined || percent === undefined || phaseOf(task) !== 'running' || isStuck(state, tracked)) {
    return undefined;
  }
  // Seen queued first: it then began at 0. Of one that was already running the speed is not known.
  if (firstSeenAt >= runningSince || percent < LEAST_GAIN || percent >= 100) return undefined;
  const observedMs = lastProgressAt - runningSince;
  if (observedMs < LEAST_OBSERVED_MS) return undefined;
  const endAt = lastProgressAt + (observedMs / percent) * (100 - percent);
  return endAt > nowMs ? endAt : undefined;
}
