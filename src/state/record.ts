import { crc32 } from 'node:zlib';
import type { Clock } from '../clock.js';
import { instanceKey } from '../domain/model.js';
import { newInstanceState } from '../domain/apply-poll.js';
import type { Completion, InstanceState, TrackedTask } from '../domain/instance-state.js';

/** What is kept of an instance over a restart. */
export interface PersistedInstance {
  readonly state: InstanceState;
  /** When it ceased to be watched; null while it is. */
  readonly goneAt: number | null;
}

/** JSON; times are wall clock milliseconds since the epoch. A change of its shape is a version with a migration. */
interface StateRecord {
  readonly account: string;
  readonly regionId: string;
  readonly instanceId: string;
  readonly firstSeenAt: number;
  readonly tasks: readonly TrackedTask[];
  readonly outcomes: InstanceState['outcomes'];
  readonly countedJobs: readonly string[];
  readonly goneAt: number | null;
}

export function writeRecord(kept: PersistedInstance, clock: Clock): string {
  return seal(JSON.stringify(toRecord(kept, clock)));
}

const CHECKSUM_DIGITS = 8;

/** Puts JSON behind a checksum of its own: LevelDB does not check the tables it reads. */
export function seal(json: string): string {
  return checksum(json) + json;
}

/** @throws if it is not as it was sealed */
export function unseal(text: string): string {
  const json = text.slice(CHECKSUM_DIGITS);
  if (text.slice(0, CHECKSUM_DIGITS) !== checksum(json)) throw new Error('its checksum is wrong');
  return json;
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(CHECKSUM_DIGITS, '0');
}

function toRecord({ state, goneAt }: PersistedInstance, clock: Clock): StateRecord {
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
 * A wall clock that was put back meanwhile leaves times that are yet to come: they count as now, and how long such a task
 * has been running is not known.
 * @throws if the record was damaged, or is not the one of `key`
 */
export function readRecord(key: string, text: string, clock: Clock): PersistedInstance {
  const record: StateRecord = JSON.parse(unseal(text));
  const { account, regionId, instanceId, countedJobs } = record;
  const offsetMs = clock.toWall(0);
  const nowMs = clock.now();
  const steady = (ms: number): number => Math.min(ms - offsetMs, nowMs);
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
  if (instanceKey(instance) !== key) throw new Error('it is of another instance');
  return {
    state: {
      ...newInstanceState(instance, steady(record.firstSeenAt)),
      tasks: record.tasks.map((tracked) => {
        const isAhead = (tracked.lastOpenAt ?? tracked.lastProgressAt) - offsetMs > nowMs;
        const shifted = shiftTask(tracked, steady);
        return isAhead ? { ...shifted, isStartLost: true, runningFromPercent: undefined } : shifted;
      }),
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
    lastOpenAt: tracked.lastOpenAt === undefined ? undefined : shift(tracked.lastOpenAt),
    runningSince: tracked.runningSince === undefined ? undefined : shift(tracked.runningSince),
    unlistedAt: tracked.unlistedAt === undefined ? undefined : shift(tracked.unlistedAt),
    // Due at once after a restart: the process that is gone may have been what failed.
    nextLookupAt: undefined,
    pendingCompletion: tracked.pendingCompletion && shiftCompletion(tracked.pendingCompletion, shift),
  };
}

function shiftOutcomes(outcomes: InstanceState['outcomes'], shift: (ms: number) => number): InstanceState['outcomes'] {
  return mapValues(outcomes, ({ openedAt, counts, last }) => ({
    ...(openedAt === undefined ? {} : { openedAt: shift(openedAt) }),
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
