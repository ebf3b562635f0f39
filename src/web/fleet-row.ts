import type { Completion, InstanceState, TrackedTask } from '../fleet/state.js';
import { seenOutcomes } from '../fleet/outcomes.js';
import { isFresh, phaseOf } from '../fleet/view.js';
import type { Instance } from '../model.js';
import { lastCompletion, rowStateOf } from './row-state.js';
import type { RowState } from './row-state.js';

/** One instance of the list with what filters and orders need, worked out once for each state of it. */
export class FleetRow {
  static #revisions = 0;
  state: InstanceState;
  rowState: RowState = 'unknown';
  /** Running before queued before ended, then the one without progress for longest: the row shows the first. */
  tasks: readonly TrackedTask[] = [];
  /** All that was seen to end, counted or not. */
  outcomes: InstanceState['outcomes'] = {};
  completion: Completion | undefined;
  /** Another one whenever the state is; none is used twice in a process, for no row. */
  revision = 0;
  /** What is searched of the instance. Orders by name, and what has no name by id; no two are the same. */
  text: string;
  #freshState: RowState = 'unknown';

  constructor(state: InstanceState) {
    this.state = state;
    this.text = textOf(state.instance);
    this.update(state);
  }

  get task(): TrackedTask | undefined {
    return this.tasks[0];
  }

  /** Whether every word, in lower case, occurs in what the search looks at. */
  holds(words: readonly string[]): boolean {
    return words.every((word) => this.text.includes(word) || stateText(this.state).includes(word));
  }

  /** Takes another state of the same instance. */
  update(state: InstanceState): void {
    if (state.instance !== this.state.instance) this.text = textOf(state.instance);
    this.state = state;
    this.#freshState = rowStateOf(state, true);
    this.tasks = state.tasks.length < 2 ? state.tasks : state.tasks.toSorted(compareTasks);
    this.outcomes = seenOutcomes(state);
    this.completion = lastCompletion(this.outcomes);
    this.revision = ++FleetRow.#revisions;
  }

  /** Staleness alone depends on the clock. */
  age(nowMs: number, staleAfterMs: number): void {
    const before = this.rowState;
    const shows = this.#freshState === 'unsupported' || isFresh(this.state, nowMs, staleAfterMs);
    this.rowState = shows ? this.#freshState : 'unknown';
    if (this.rowState !== before) this.revision = ++FleetRow.#revisions;
  }

  /** Whether `state` is one of this row's instance, described as before: orders and filters rest on the description. */
  isOf(state: InstanceState): boolean {
    const one = this.state.instance;
    const other = state.instance;
    return (
      one === other ||
      (one.instanceId === other.instanceId &&
        one.regionId === other.regionId &&
        one.account === other.account &&
        one.name === other.name &&
        one.engine === other.engine)
    );
  }
}

const PHASES = ['running', 'queued', 'ended'];

function compareTasks(one: TrackedTask, other: TrackedTask): number {
  const phases = PHASES.indexOf(phaseOf(one.task)) - PHASES.indexOf(phaseOf(other.task));
  return phases || one.lastProgressAt - other.lastProgressAt;
}

function textOf({ name, instanceId, account, regionId, engine, engineVersion, labels }: Instance): string {
  const place = `${account}\n${regionId}\n${instanceId}`;
  return `${name || instanceId}\n${place}\n${engine} ${engineVersion}\n${Object.values(labels).join('\n')}`.toLowerCase();
}

function stateText({ tasks, lastPoll }: InstanceState): string {
  if (tasks.length === 0 && lastPoll?.error === undefined) return '';
  const jobIds = tasks.map(({ task }) => task.backupJobId);
  return [...jobIds, lastPoll?.error?.code, lastPoll?.error?.requestId].join('\n').toLowerCase();
}
