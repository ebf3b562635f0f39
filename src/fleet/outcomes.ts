import type { Mode } from '../model.js';
import type { Completion, InstanceState, ModeOutcomes } from './state.js';

type Outcomes = InstanceState['outcomes'];

/** Counted jobs that are kept beyond those still listed: an ended one may come back in a listing for a day. */
const REMEMBERED_JOBS = 32;
const NONE: ModeOutcomes = { counts: { Finished: 0, Failed: 0, Unknown: 0 }, last: {} };

/** All three counters of a mode begin at 0 with the first task of that mode. */
export function openOutcomes(outcomes: Outcomes, mode: Mode): Outcomes {
  return outcomes[mode] === undefined ? { ...outcomes, [mode]: NONE } : outcomes;
}

export function countCompletion(outcomes: Outcomes, mode: Mode, completion: Completion): Outcomes {
  const { counts, last } = outcomes[mode] ?? NONE;
  const { outcome } = completion;
  return {
    ...outcomes,
    [mode]: { counts: { ...counts, [outcome]: counts[outcome] + 1 }, last: { ...last, [outcome]: completion } },
  };
}

/** With the ends that wait to be counted: all that was seen, for people. The counters of the exposition follow later. */
export function seenOutcomes({ outcomes, tasks }: InstanceState): Outcomes {
  return tasks.reduce(
    (seen, { task, uncounted }) => (uncounted === undefined ? seen : countCompletion(seen, task.mode, uncounted)),
    outcomes,
  );
}

/** Those still in the listing, and the last 32 of the others, oldest first. */
export function rememberCounted(countedJobs: readonly string[], listedJobs: ReadonlySet<string>): readonly string[] {
  let surplus = countedJobs.reduce((count, job) => count + Number(!listedJobs.has(job)), 0) - REMEMBERED_JOBS;
  if (surplus <= 0) return countedJobs;
  return countedJobs.filter((job) => listedJobs.has(job) || surplus-- <= 0);
}
