import type { Clock } from '../clock.js';
import { instanceKey } from '../domain/model.js';
import type { Instance, Lookup, PollResult } from '../domain/model.js';
import { applyLookup, applyPoll, newInstanceState } from '../domain/apply-poll.js';
import type { Applied, ApplyContext, FleetEvent } from '../domain/apply-poll.js';
import { reopenOutcomes } from '../domain/outcomes.js';
import type { InstanceState } from '../domain/instance-state.js';

/** Where states are kept over a restart. */
export interface FleetPersistence {
  /** A moment later. */
  save(state: InstanceState): void;
  /** Resolves to whether it is on disk; never rejects. */
  saveNow(state: InstanceState): Promise<boolean>;
  /** Whether everything that was to be saved of it is on disk. */
  isSaved(key: string): boolean;
  /** It is watched from now on. */
  watched(key: string): void;
  /** It is no longer watched, and may come back. */
  gone(state: InstanceState): void;
}

export interface FleetOptions {
  readonly clock: Clock;
  readonly activeIntervalMs: () => number;
  readonly onEvent: (instance: Instance, event: FleetEvent) => void;
  readonly keeper?: FleetPersistence | undefined;
}

/** Every instance that is watched, each with one immutable state that a poll replaces. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #states = new Map<string, InstanceState>();
  /** What is known of instances that are not watched now: from before a restart, or until discovery lists them again. */
  readonly #remembered: Map<string, InstanceState>;
  #lastScrapeMs: number | undefined;
  #version = 0;
  #removals = 0;

  constructor(options: FleetOptions, remembered: ReadonlyMap<string, InstanceState> = new Map()) {
    this.#options = options;
    this.#remembered = new Map(remembered);
  }

  /** Changes whenever any state does. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#states.size;
  }

  get(key: string): InstanceState | undefined {
    return this.#states.get(key);
  }

  /** All states at this moment. */
  states(): readonly InstanceState[] {
    return [...this.#states.values()];
  }

  /** As `states`, for a scrape: from the second one on, a counter that the first showed as 0 may move. */
  scrape(): readonly InstanceState[] {
    this.#lastScrapeMs = this.#options.clock.now();
    return this.states();
  }

  /** Begins to watch an instance, or takes over its new name, labels and thresholds. */
  watch(instance: Instance): InstanceState {
    const key = instanceKey(instance);
    const known = this.#states.get(key) ?? this.#recall(key);
    const state = known === undefined ? newInstanceState(instance, this.#options.clock.now()) : { ...known, instance };
    this.#set(key, state);
    this.#options.keeper?.watched(key);
    if (known === undefined) this.#options.keeper?.save(state);
    return state;
  }

  #recall(key: string): InstanceState | undefined {
    const state = this.#remembered.get(key);
    this.#remembered.delete(key);
    // Counters that had not moved yet may have gone unscraped: they are shown at 0 from now on.
    return state && { ...state, outcomes: reopenOutcomes(state.outcomes, -Infinity, this.#options.clock.now()) };
  }

  /** Drops an instance: its series vanish with the next scrape. With a keeper, its history waits for its return. */
  unwatch(key: string): void {
    const state = this.#states.get(key);
    if (state === undefined) return;
    this.#states.delete(key);
    this.#version++;
    this.#removals++;
    const { keeper } = this.#options;
    if (keeper === undefined) return;
    this.#remembered.set(key, { ...state, lastPoll: undefined, lastGoodPollAt: undefined });
    keeper.gone(state);
  }

  /** Forgets what is remembered of an instance that is not watched. */
  forget(key: string): void {
    this.#remembered.delete(key);
  }

  /** Takes in the result of a poll. */
  apply(key: string, result: PollResult): Promise<InstanceState | undefined> {
    return this.#apply(key, (state, context) => applyPoll(state, result, context));
  }

  /** Takes in the result of a lookup. */
  lookedUp(key: string, lookup: Lookup): Promise<InstanceState | undefined> {
    return this.#apply(key, (state, context) => applyLookup(state, lookup, context));
  }

  /**
   * What a restart could not learn again is on disk before it is shown. While the disk fails, an outcome is noted and
   * not counted, since a counter must never run backwards; a task is shown all the same, since nobody may miss a running
   * backup for the sake of a disk. Everything else is saved behind.
   */
  async #apply(
    key: string,
    change: (state: InstanceState, context: ApplyContext) => Applied,
  ): Promise<InstanceState | undefined> {
    const before = this.#states.get(key);
    if (before === undefined) return undefined;
    const { clock, activeIntervalMs, keeper, onEvent } = this.#options;
    const context = { nowMs: clock.now(), activeIntervalMs: activeIntervalMs(), lastScrapeMs: this.#lastScrapeMs };
    let { state, events } = change(before, context);
    const removals = this.#removals;
    const isUrgent =
      keeper !== undefined && (isNews(before, state) || (isFirst(before, state) && !keeper.isSaved(key)));
    const isSaved = isUrgent && (await keeper.saveNow(state));
    if (isUrgent && !isSaved) ({ state, events } = change(before, { ...context, canPersist: false }));
    const now = this.#states.get(key);
    if (now === undefined) return undefined;
    // It went and came back while it was being saved, and with it what the keeper has of it: the next poll counts.
    if (now !== before && this.#removals !== removals) return undefined;
    // A scrape that came while it was being saved has not shown the counters that it opens.
    if (this.#lastScrapeMs !== context.lastScrapeMs) {
      state = { ...state, outcomes: reopenOutcomes(state.outcomes, context.nowMs, clock.now()) };
    }
    if (keeper !== undefined && !isSaved && isWorthSaving(before, state)) keeper.save(state);
    // The instance may have been renamed while its state was being saved.
    this.#set(key, now.instance === state.instance ? state : { ...state, instance: now.instance });
    for (const event of events) onEvent(state.instance, event);
    return this.#states.get(key);
  }

  #set(key: string, state: InstanceState): void {
    this.#states.set(key, state);
    this.#version++;
  }
}

/** An outcome, a task or since when it runs: what was seen once and is not told by a later poll. */
function isNews(before: InstanceState, after: InstanceState): boolean {
  if (before.outcomes !== after.outcomes) return true;
  if (before.tasks === after.tasks) return false;
  const runningSince = new Map(before.tasks.map((tracked) => [tracked.task.backupJobId, tracked.runningSince]));
  return after.tasks.some(
    ({ task: { backupJobId }, runningSince: since }) =>
      !runningSince.has(backupJobId) || runningSince.get(backupJobId) !== since,
  );
}

/** The first poll shows when the instance was first seen. */
function isFirst(before: InstanceState, after: InstanceState): boolean {
  return before.lastPoll === undefined && after.lastPoll !== undefined;
}

function isWorthSaving(before: InstanceState, after: InstanceState): boolean {
  return (
    before.outcomes !== after.outcomes ||
    before.countedJobs !== after.countedJobs ||
    before.tasks.length !== after.tasks.length ||
    after.tasks.some((tracked, index) => {
      const old = before.tasks[index];
      return (
        old === undefined ||
        old.lastProgressAt !== tracked.lastProgressAt ||
        old.lastOpenAt !== tracked.lastOpenAt ||
        old.task.backupJobId !== tracked.task.backupJobId ||
        old.outcomeLookups !== tracked.outcomeLookups ||
        old.unlistedAt !== tracked.unlistedAt ||
        old.failedLookups !== tracked.failedLookups ||
        old.pendingCompletion !== tracked.pendingCompletion
      );
    })
  );
}
