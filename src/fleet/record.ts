import type { Clock } from '../clock.js';
import { newInstanceState } from './apply.js';
import type { Completion, InstanceState, TrackedTask } from './state.js';

/** Of the shape below. A store of a higher version was written by a newer exporter. */
export const RECORD_VERSION = 1;

/** What is kept of an instance over a restart. JSON; times are wall clock milliseconds since the epoch. */
export interface StateRecord {
  readonly account: string;
  readonly regionId: string;
  readonly instanceId: string;
  readonly firstSeenAt: number;
  readonly tasks: readonly TrackedTask[];
  readonly outcomes: InstanceState['outcomes'];
  readonly countedJobs: readonly string[];
  /** When it ceased to be watched; null while it is. */
  readonly goneAt: number | null;
}

export function toRecord(state: InstanceState, clock: Clock, goneAt: number | null): StateRecord {
  const wall = (ms: number): number => Math.round(clock.toWall(ms));
  const { account, regionId, instanceId } = state.instance;
  return {
    account,
    regionId,
    instanceId,
    firstSeenAt: wall(state.firstSeenAt),
    tasks: state.tasks.map((tracked) => shiftTask(tracked, wall)),
    outcomes: shiftOutcomes(state.outcomes, wall),
    countedJobs: state.countedJobs,
    goneAt: goneAt === null ? null : wall(goneAt),
  };
}

/**
 * The state that a record stands for. The store checksums what it keeps, so a record is as it was written.
 * @throws if it was not written by this program all the same
 */
export function fromRecord(
  text: string,
  clock: Clock,
): { readonly state: InstanceState; readonly goneAt: number | null } {
  const record: StateRecord = JSON.parse(text);
  const { account, regionId, instanceId, countedJobs } = record;
  const offsetMs = clock.toWall(0);
  const steady = (ms: number): number => ms - offsetMs;
  // What it is called and how it is to be watched is told by discovery and configuration.
  const instance = {
    account,
    regionId,
    instanceId,
    name: '',
    engine: '',
    engineVersion: '',
    labels: {},
    stuckAfterMs: 0,
  };
  return {
    state: {
      ...newInstanceState(instance, steady(record.firstSeenAt)),
      tasks: record.tasks.map((tracked) => shiftTask(tracked, steady)),
      outcomes: shiftOutcomes(record.outcomes, steady),
      countedJobs,
    },
    goneAt: record.goneAt === null ? null : steady(record.goneAt),
  };
}

function shiftTask(tracked: TrackedTask, shift: (ms: number) => number): TrackedTask {
  return {
    ...tracked,
    firstSeenAt: shift(tracked.firstSeenAt),
    lastProgressAt: shift(tracked.lastProgressAt),
    runningSince: tracked.runningSince === undefined ? undefined : shift(tracked.runningSince),
    uncounted: tracked.uncounted && shiftCompletion(tracked.uncounted, shift),
  };
}

function shiftOutcomes(outcomes: InstanceState['outcomes'], shift: (ms: number) => number): InstanceState['outcomes'] {
  return mapValues(outcomes, ({ counts, last }) => ({
    counts,
    last: mapValues(last, (completion) => shiftCompletion(completion, shift)),
  }));
}

function shiftCompletion(completion: Completion, shift: (ms: number) => number): Completion {
  return { ...completion, at: shift(completion.at) };
}

function mapValues<K extends string, V>(object: { readonly [P in K]?: V }, change: (value: V) => V): { [P in K]?: V } {
  const changed: { [P in K]?: V } = {};
  for (const key in object) {
    const value = object[key];
    if (value !== undefined) changed[key] = change(value);
  }
  return changed;
}
