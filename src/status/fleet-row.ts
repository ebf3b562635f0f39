import type { Completion, InstanceState, TrackedTask } from '../domain/instance-state.js';
import { seenOutcomes } from '../domain/outcomes.js';
import { displayedTasks } from '../domain/task-status.js';
import type { Instance } from '../domain/model.js';
import { lastCompletion, pageStateOf } from '../domain/page-state.js';
import type { PageState } from '../domain/page-state.js';

/** One instance of the list with what filters and orders need, worked out once for each state of it. */
export class FleetRow {
  static #revisions = 0;
  state: InstanceState;
  rowState: PageState = 'unknown';
  /** In the order in which they are displayed: the row shows the first. */
  tasks: readonly TrackedTask[] = [];
  /** All that was seen to end, counted or not. */
  outcomes: InstanceState['outcomes'] = {};
  completion: Completion | undefined;
  /** Another one whenever the state is; none is used twice in a process, for no row. */
  revision = 0;
  /** What is searched of the instance. Orders by name, and what has no name by id; no two are the same. */
  text: string;

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
    this.tasks = displayedTasks(state);
    this.outcomes = seenOutcomes(state);
    this.completion = lastCompletion(this.outcomes);
    this.revision = ++FleetRow.#revisions;
  }

  /** To be called after `update`, and whenever the data goes stale or is fresh again. */
  age(isFresh: boolean): void {
    const before = this.rowState;
    this.rowState = pageStateOf(this.state, isFresh);
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

function textOf({ name, instanceId, account, regionId, engine, engineVersion, labels }: Instance): string {
  const place = `${account}\n${regionId}\n${instanceId}`;
  const pairs = Object.entries(labels).map((pair) => pair.join('='));
  return `${name || instanceId}\n${place}\n${engine} ${engineVersion}\n${pairs.join('\n')}`.toLowerCase();
}

function stateText({ tasks, lastPoll }: InstanceState): string {
  if (tasks.length === 0 && lastPoll?.error === undefined) return '';
  const jobIds = tasks.map(({ task }) => task.backupJobId);
  return [...jobIds, lastPoll?.error?.code, lastPoll?.error?.requestId].join('\n').toLowerCase();
}
