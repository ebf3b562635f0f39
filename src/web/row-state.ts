import type { Completion, InstanceState } from '../fleet/state.js';
import { isStuck, phaseOf } from '../fleet/view.js';

/** The one word that sums up an instance, in the order in which they need a person. */
export const ROW_STATES = ['stuck', 'failed', 'unknown', 'running', 'queued', 'idle', 'unsupported'] as const;
export type RowState = (typeof ROW_STATES)[number];

/**
 * - `unsupported`  the API says that the instance has no backup tasks
 * - `unknown`      never polled with success since the start, or its data is stale: its tasks are not served either
 * - `stuck`        one of its tasks is stuck, as the alert understands it
 * - `running`, `queued`  a task has begun, or waits to begin
 * - `failed`       nothing is under way, and the last backup that ended with a known outcome failed
 * - `idle`         none of these
 */
export function rowStateOf(state: InstanceState, fresh: boolean): RowState {
  if (state.unsupported !== undefined) return 'unsupported';
  if (!fresh) return 'unknown';
  if (state.tasks.some((tracked) => isStuck(state, tracked))) return 'stuck';
  const phases = new Set(state.tasks.map(({ task }) => phaseOf(task)));
  if (phases.has('running')) return 'running';
  if (phases.has('queued')) return 'queued';
  return lastKnownCompletion(state)?.outcome === 'Failed' ? 'failed' : 'idle';
}

/** The completion seen last, of any mode and outcome. */
export function lastCompletion(state: InstanceState): Completion | undefined {
  return latest(completionsOf(state));
}

function lastKnownCompletion(state: InstanceState): Completion | undefined {
  return latest(completionsOf(state).filter(({ outcome }) => outcome !== 'Unknown'));
}

/** Counted or not: an end that waits to be counted has happened all the same. */
function completionsOf(state: InstanceState): Completion[] {
  const counted = Object.values(state.outcomes).flatMap(({ last }) => Object.values(last));
  const uncounted = state.tasks.flatMap((tracked) => tracked.uncounted ?? []);
  return [...counted, ...uncounted];
}

function latest(completions: readonly Completion[]): Completion | undefined {
  let last: Completion | undefined;
  for (const completion of completions) if (last === undefined || completion.at > last.at) last = completion;
  return last;
}
