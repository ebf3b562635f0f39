import type { Completion, InstanceState, TrackedTask } from '../fleet/state.js';
import { isFresh, phaseOf } from '../fleet/view.js';
import type { Instance } from '../model.js';
import { lastCompletion, rowStateOf } from './row-state.js';
import type { RowState } from './row-state.js';

/** One instance of the list with what filters and orders need, worked out once for each state of it. */
export class FleetRow {
  /** Orders by name, and what has no name by id; no two are the same. */
  readonly nameKey: string;
  state: InstanceState;
  rowState: RowState = 'unknown';
  /** Running before queued before ended, then the one without progress for longest: the row shows the first. */
  tasks: readonly TrackedTask[] = [];
  completion: Completion | undefined;
  /** Its place in the order of names. Set by the table. */
  nameRank = 0;
  #freshState: RowState = 'unknown';
  #instanceText: string | undefined;
  #stateText: string | undefined;
  #asked: string | undefined;
  #answer = false;

  constructor(state: InstanceState) {
    const { account, regionId, instanceId, name } = state.instance;
    this.nameKey = `${name || instanceId}\n${account}\n${regionId}\n${instanceId}`.toLowerCase();
    this.state = state;
    this.update(state);
  }

  get task(): TrackedTask | undefined {
    return this.tasks[0];
  }

  /** Whether every word, in lower case, occurs in what the search looks at. Asked for the same words again, it knows. */
  holds(words: readonly string[], q: string): boolean {
    if (this.#asked !== q) {
      this.#asked = q;
      this.#answer = words.every((word) => this.#holdsWord(word));
    }
    return this.#answer;
  }

  /** Takes another state of the same instance. */
  update(state: InstanceState): void {
    if (state.instance !== this.state.instance) this.#instanceText = undefined;
    this.state = state;
    this.#stateText = undefined;
    this.#asked = undefined;
    this.#freshState = rowStateOf(state, true);
    this.tasks = state.tasks.length < 2 ? state.tasks : state.tasks.toSorted(compareTasks);
    this.completion = lastCompletion(state);
  }

  /** Staleness alone depends on the clock. Tells whether the state of the row is another now. */
  age(nowMs: number, staleAfterMs: number): boolean {
    const before = this.rowState;
    const shows = this.#freshState === 'unsupported' || isFresh(this.state, nowMs, staleAfterMs);
    this.rowState = shows ? this.#freshState : 'unknown';
    return this.rowState !== before;
  }

  /** Whether `state` is one of this row's instance, described as before: orders and filters rest on the description. */
  isOf(state: InstanceState | undefined): boolean {
    const one = this.state.instance;
    const other = state?.instance;
    return (
      one === other ||
      (one.instanceId === other?.instanceId &&
        one.regionId === other.regionId &&
        one.account === other.account &&
        one.name === other.name &&
        one.engine === other.engine)
    );
  }

  #holdsWord(word: string): boolean {
    this.#instanceText ??= instanceText(this.state.instance);
    if (this.#instanceText.includes(word)) return true;
    this.#stateText ??= stateText(this.state);
    return this.#stateText.includes(word);
  }
}

const PHASES = ['running', 'queued', 'ended'];

function compareTasks(one: TrackedTask, other: TrackedTask): number {
  const phases = PHASES.indexOf(phaseOf(one.task)) - PHASES.indexOf(phaseOf(other.task));
  return phases || one.lastProgressAt - other.lastProgressAt;
}

function instanceText({ name, instanceId, account, regionId, engine, engineVersion, labels }: Instance): string {
  const texts = [name, instanceId, account, regionId, `${engine} ${engineVersion}`, ...Object.values(labels)];
  return texts.join('\n').toLowerCase();
}

function stateText({ tasks, lastPoll }: InstanceState): string {
  if (tasks.length === 0 && lastPoll?.error === undefined) return '';
  const jobIds = tasks.map(({ task }) => task.backupJobId);
  return [...jobIds, lastPoll?.error?.code, lastPoll?.error?.requestId].join('\n').toLowerCase();
}
