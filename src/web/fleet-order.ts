import type { FleetRow } from './fleet-rows.js';
import { ROW_STATES } from './row-state.js';
import type { SortKey, StatusQuery } from './status-query.js';

/** Negative when the first comes first. */
export type CompareRows = (one: FleetRow, other: FleetRow) => number;

/** The order of a sort key. Rows without the value come last, whichever way round. Ties go by name and id. */
export function rowOrder({ sort, descending }: Pick<StatusQuery, 'sort' | 'descending'>): CompareRows {
  const turn = descending ? -1 : 1;
  if (sort === 'attention') return (one, other) => turn * compareAttention(one, other) || compareTies(one, other);
  const text = TEXT_KEYS[sort];
  if (text !== undefined) return (one, other) => turn * compareTexts(text(one), text(other)) || compareTies(one, other);
  const number = NUMBER_KEYS[sort] ?? (() => undefined);
  return (one, other) => compareNumbers(number(one), number(other), turn) || compareTies(one, other);
}

const TEXT_KEYS: { readonly [K in SortKey]?: (row: FleetRow) => string } = {
  name: (row) => row.tieKey,
  instance_id: (row) => row.state.instance.instanceId,
  engine: (row) => row.state.instance.engine,
  account: (row) => row.state.instance.account,
  region_id: (row) => row.state.instance.regionId,
};

const NUMBER_KEYS: { readonly [K in SortKey]?: (row: FleetRow) => number | undefined } = {
  progress: (row) => row.progress,
  last_progress: (row) => row.task?.lastProgressAt,
  last_outcome: (row) => row.completion?.at,
  last_good_poll: (row) => row.state.lastGoodPollAt,
  next_poll: (row) => row.nextPollAt,
};

const RANKS = new Map(ROW_STATES.map((state, rank) => [state, rank]));

function compareAttention(one: FleetRow, other: FleetRow): number {
  const ranks = (RANKS.get(one.rowState) ?? 0) - (RANKS.get(other.rowState) ?? 0);
  return ranks || urgency(one) - urgency(other);
}

/** Within one state, the lower comes first: what has waited longest, and the latest of the failures. */
function urgency(row: FleetRow): number {
  switch (row.rowState) {
    case 'stuck':
      return row.task?.lastProgressAt ?? 0;
    case 'failed':
      return -(row.completion?.at ?? 0);
    case 'unknown':
      return row.state.lastGoodPollAt ?? 0;
    case 'running':
      return row.task?.runningSince ?? 0;
    case 'queued':
      return row.task?.firstSeenAt ?? 0;
    case 'idle':
    case 'unsupported':
      break;
  }
  return 0;
}

function compareNumbers(one: number | undefined, other: number | undefined, turn: number): number {
  if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
  return turn * (one - other);
}

function compareTexts(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

function compareTies(one: FleetRow, other: FleetRow): number {
  return compareTexts(one.tieKey, other.tieKey);
}
