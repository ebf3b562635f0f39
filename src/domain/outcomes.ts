import type { Mode } from './model.js';
import type { Completion, InstanceState, ModeOutcomes } from './instance-state.js';

type Outcomes = InstanceState['outcomes'];

/** Counted jobs that are kept beyond those still listed: an ended one may come back in a listing for a day. */
const REMEMBERED_JOBS = 32;
const NONE: ModeOutcomes = { counts: { Finished: 0, Failed: 0, Unknown: 0 }, last: {} };
/** Counters that nobody scrapes are not held at 0 for longer than this. */
const MAX_UNSCRAPED_MS = 300_000;

/** All three counters of a mode begin at 0 with the first task of that mode. */
export function openOutcomes(outcomes: Outcomes, mode: Mode, openedAt: number): Outcomes {
  return outcomes[mode] === undefined ? { ...outcomes, [mode]: { ...NONE, openedAt } } : outcomes;
}

/** Those opened at `sinceMs` or later are not shown before `openedAt`. */
export function reopenOutcomes(outcomes: Outcomes, sinceMs: number, openedAt: number): Outcomes {
  const reopen = (opened: ModeOutcomes): ModeOutcomes =>
    opened.openedAt !== undefined && opened.openedAt >= sinceMs ? { ...opened, openedAt } : opened;
  return Object.fromEntries(Object.entries(outcomes).map(([mode, opened]) => [mode, reopen(opened)]));
}

/** Whether a counter of the mode may move: a first increase from a 0 that no scrape showed is lost to `increase()`. */
export function canIncrement(
  opened: ModeOutcomes | undefined,
  { nowMs, lastScrapeMs }: { readonly nowMs: number; readonly lastScrapeMs: number | undefined },
): boolean {
  const openedAt = opened?.openedAt;
  if (openedAt === undefined) return true;
  return (lastScrapeMs !== undefined && lastScrapeMs > openedAt) || nowMs - openedAt > MAX_UNSCRAPED_MS;
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
    (seen, { task, pendingCompletion }) =>
      pendingCompletion === undefined ? seen : countCompletion(seen, task.mode, pendingCompletion),
    outcomes,
  );
}

/** Those still in the listing, and the last 32 of the others, oldest first. */
export function rememberCounted(countedJobs: readonly string[], listedJobs: ReadonlySet<string>): readonly string[] {
  let surplus = countedJobs.reduce((count, job) => count + Number(!listedJobs.has(job)), 0) - REMEMBERED_JOBS;
  if (surplus <= 0) return countedJobs;
  return countedJobs.filter((job) => listedJobs.has(job) || surplus-- <= 0);
}
