import type { PlaceView } from '../fleet/place-view.js';
import type { Completion, InstanceState, TrackedTask } from '../fleet/state.js';
import { isFresh, phaseOf, progressRatio } from '../fleet/view.js';
import { placeKey } from '../model.js';
import { lastCompletion, rowStateOf } from './row-state.js';
import type { RowState } from './row-state.js';

/** One instance of the list with what filters and orders need, computed once for each state of it. */
export class FleetRow {
  readonly placeKey: string;
  /** Breaks ties, so that every order is total and rows keep their places. */
  readonly tieKey: string;
  state: InstanceState;
  rowState: RowState = 'unknown';
  /** Running before queued before ended, then the one without progress for longest: the row shows the first. */
  tasks: readonly TrackedTask[] = [];
  completion: Completion | undefined;
  /** Kept up to date only where the order needs it. */
  nextPollAt: number | undefined;
  #freshState: RowState = 'unknown';
  #text: string | undefined;

  constructor(state: InstanceState) {
    const { account, regionId, instanceId, name } = state.instance;
    this.placeKey = placeKey(state.instance);
    this.tieKey = [name || instanceId, account, regionId, instanceId].join('\u0000').toLowerCase();
    this.state = state;
    this.#read(state);
  }

  /** Takes the newer state of the same instance. */
  update(state: InstanceState): void {
    if (state !== this.state) this.#read(state);
  }

  /** Staleness alone depends on the clock. */
  age(nowMs: number, staleAfterMs: number): void {
    this.rowState =
      this.#freshState === 'unsupported' || isFresh(this.state, nowMs, staleAfterMs) ? this.#freshState : 'unknown';
  }

  /** Everything that the search looks at, in lower case. */
  get text(): string {
    this.#text ??= searchText(this.state).toLowerCase();
    return this.#text;
  }

  get progress(): number | undefined {
    return this.task && progressRatio(this.task.task);
  }

  get task(): TrackedTask | undefined {
    return this.tasks[0];
  }

  #read(state: InstanceState): void {
    this.state = state;
    this.#text = undefined;
    this.#freshState = rowStateOf(state, true);
    this.tasks = state.tasks.length < 2 ? state.tasks : state.tasks.toSorted(compareTasks);
    this.completion = lastCompletion(state);
  }
}

/** Brings the rows up to date; a changed set of instances gives new rows, else the same objects stay in their order. */
export function updateRows(rows: readonly FleetRow[], states: readonly InstanceState[]): readonly FleetRow[] {
  const same = rows.length === states.length && rows.every((row, index) => isSame(row.state, states[index]));
  if (!same) return states.map((state) => new FleetRow(state));
  rows.forEach((row, index) => row.update(states[index] ?? row.state));
  return rows;
}

export function ageRows(rows: readonly FleetRow[], places: readonly PlaceView[], nowMs: number): void {
  const staleAfterMs = new Map(places.map((place) => [placeKey(place), place.staleAfterMs]));
  for (const row of rows) row.age(nowMs, staleAfterMs.get(row.placeKey) ?? 0);
}

/** The same instance under an unchanged description: names are part of the order. */
function isSame(one: InstanceState, other: InstanceState | undefined): boolean {
  if (one === other || one.instance === other?.instance) return true;
  const a = one.instance;
  const b = other?.instance;
  return a.instanceId === b?.instanceId && a.regionId === b.regionId && a.account === b.account && a.name === b.name;
}

const PHASES = ['running', 'queued', 'ended'];

function compareTasks(one: TrackedTask, other: TrackedTask): number {
  const phases = PHASES.indexOf(phaseOf(one.task)) - PHASES.indexOf(phaseOf(other.task));
  return phases || one.lastProgressAt - other.lastProgressAt;
}

function searchText({ instance, tasks, lastPoll }: InstanceState): string {
  const { name, instanceId, account, regionId, engine, engineVersion, labels } = instance;
  const texts = [name, instanceId, account, regionId, `${engine} ${engineVersion}`, ...Object.values(labels)];
  const jobIds = tasks.map(({ task }) => task.backupJobId);
  const error = lastPoll?.error ? [lastPoll.error.code, lastPoll.error.requestId ?? ''] : [];
  return [...texts, ...jobIds, ...error].join('\n');
}
