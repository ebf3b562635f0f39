import { progressRatio } from '../domain/task-status.js';
import type { FleetRow } from './fleet-row.js';
import type { FleetTable } from './fleet-table.js';
import { PAGE_STATES } from '../domain/page-state.js';
import type { PageState } from '../domain/page-state.js';
import type { StatusSnapshot } from './snapshot.js';
import type { SortKey } from './query.js';

/** By what the row with this index is ordered, the lower first; undefined where it has no such value. */
export type SortKeyOf = (index: number) => number | undefined;

/** Keys that rest on the description of the instances alone: no poll moves them. */
export const DESCRIPTIONS: readonly SortKey[] = ['name', 'instance_id', 'engine', 'account', 'region_id'];

export function sortKeyOf(sort: SortKey, table: FleetTable, snapshot: StatusSnapshot): SortKeyOf {
  const { rows } = table;
  const ofRow = ROW_KEYS[sort];
  if (ofRow !== undefined) return (index) => rows[index] && ofRow(rows[index]);
  switch (sort) {
    case 'name':
      return (index) => table.nameRanks[index];
    case 'instance_id':
      return (index) => table.idRanks[index];
    case 'engine':
      return ranksBy(table.engines, table.engineOf, (engine) => engine);
    case 'account':
      return ranksBy(table.places, table.placeOf, ({ account }) => account);
    case 'region_id':
      return ranksBy(table.places, table.placeOf, ({ regionId }) => regionId);
    default:
      return (index) => rows[index] && snapshot.nextPollAt(rows[index].state.instance);
  }
}

const ROW_KEYS: { readonly [K in SortKey]?: (row: FleetRow) => number | undefined } = {
  attention: (row) => (STATE_RANKS.get(row.rowState) ?? 0) * LATER_THAN_ANY_TIME + urgency(row),
  progress: ({ task }) => task && progressRatio(task.task),
  last_progress: ({ task }) => task?.lastProgressAt,
  last_outcome: ({ completion }) => completion?.at,
  last_good_poll: ({ state }) => state.lastGoodPollAt,
};

const STATE_RANKS: ReadonlyMap<PageState, number> = new Map(PAGE_STATES.map((state, rank) => [state, rank]));
/** Milliseconds; the steps between the states, within which times order the rows. */
const LATER_THAN_ANY_TIME = 1e13;

/** Within one state: what has waited longest, and the latest of the failures. */
function urgency(row: FleetRow): number {
  switch (row.rowState) {
    case 'stuck':
      return Math.min(...row.tasks.map(({ lastProgressAt }) => lastProgressAt));
    case 'failed':
      return -(row.completion?.at ?? 0);
    case 'unknown':
      return row.state.lastGoodPollAt ?? 0;
    case 'running':
      return row.task?.runningSince ?? 0;
    case 'queued':
      return row.task?.firstSeenAt ?? 0;
    default:
      return 0;
  }
}

/** The rank of the text that each row has by way of what it points to. */
function ranksBy<T>(targets: readonly T[], targetOf: Uint32Array, text: (target: T) => string): SortKeyOf {
  const texts = targets.map(text);
  const ranks = new Map([...new Set(texts)].toSorted().map((known, rank) => [known, rank]));
  return (index) => ranks.get(texts[targetOf[index] ?? 0] ?? '');
}
