import type { Completion, InstanceState } from './instance-state.js';
import { seenOutcomes } from './outcomes.js';
import { isStuck, phaseOf } from './task-status.js';
import { MODES, OUTCOMES } from './model.js';
import type { Outcome } from './model.js';

/** The one word that sums up an instance, in the order in which they need a person. */
export const PAGE_STATES = ['stuck', 'failed', 'unknown', 'running', 'queued', 'idle', 'unsupported'] as const;
export type PageState = (typeof PAGE_STATES)[number];

/**
 * - `unsupported`  the API says that the instance has no backup tasks
 * - `unknown`      never polled with success since the start, or its data is stale: its tasks are not served either
 * - `stuck`        one of its tasks is stuck, as the alert understands it
 * - `running`, `queued`  a task has begun, or waits to begin
 * - `failed`       nothing is under way, and the last backup that ended with a known outcome failed
 * - `idle`         none of these
 */
export function pageStateOf(state: InstanceState, fresh: boolean): PageState {
  if (state.unsupported !== undefined) return 'unsupported';
  if (!fresh) return 'unknown';
  if (state.tasks.some((tracked) => isStuck(state, tracked))) return 'stuck';
  if (state.tasks.some(({ task }) => phaseOf(task) === 'running')) return 'running';
  if (state.tasks.some(({ task }) => phaseOf(task) === 'queued')) return 'queued';
  return latest(seenOutcomes(state), KNOWN_OUTCOMES)?.outcome === 'Failed' ? 'failed' : 'idle';
}

/** The completion seen last, of any mode and outcome. */
export function lastCompletion(outcomes: InstanceState['outcomes']): Completion | undefined {
  return latest(outcomes, OUTCOMES);
}

const KNOWN_OUTCOMES = OUTCOMES.filter((outcome) => outcome !== 'Unknown');

function latest(outcomes: InstanceState['outcomes'], wanted: readonly Outcome[]): Completion | undefined {
  let last: Completion | undefined;
  for (const mode of MODES) {
    for (const outcome of wanted) {
      const completion = outcomes[mode]?.last[outcome];
      if (completion !== undefined && (last === undefined || completion.at > last.at)) last = completion;
    }
  }
  return last;
}
