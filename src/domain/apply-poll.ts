import type { ApiError, BackupTask, Instance, Lookup, Mode, PollResult, TaskField, UnexpectedValue } from './model.js';
import type { Completion, InstanceState, TrackedTask } from './instance-state.js';
import { countCompletion, canIncrement, openOutcomes, rememberCounted } from './outcomes.js';
import { outcomeOf, phaseOf } from './task-status.js';

/** What a poll changed, for the log and the counters. */
export type FleetEvent =
  | { readonly type: 'poll_failing'; readonly error: ApiError }
  | { readonly type: 'poll_recovered' }
  | { readonly type: 'unsupported'; readonly error: ApiError }
  | { readonly type: 'task_seen'; readonly task: BackupTask }
  | { readonly type: 'lookup_failing'; readonly task: BackupTask; readonly error: ApiError }
  | { readonly type: 'task_ended'; readonly task: BackupTask; readonly completion: Completion }
  | { readonly type: 'unexpected_value'; readonly task: BackupTask; readonly value: UnexpectedValue };

export interface ApplyContext {
  /** When the answer came, on the steady timeline. */
  readonly nowMs: number;
  readonly activeIntervalMs: number;
  /** When the states were last taken for a scrape; undefined before the first. */
  readonly lastScrapeMs: number | undefined;
  /** False while an outcome could not be stored: an end is then noted, and counted by a later poll. */
  readonly canPersist?: boolean;
}

export interface Applied {
  readonly state: InstanceState;
  readonly events: readonly FleetEvent[];
}

/** Answers without an end after which the outcome of a vanished job is `Unknown`. */
const MAX_OPEN_LOOKUPS = 3;
/** The same for lookups that fail, and for a job that the API has not vouched for in that time. */
const MAX_FAILED_LOOKUPS = 20;
const MAX_UNLISTED_MS = 86_400_000;
const MAX_LOOKUP_DELAY_MS = 600_000;

export function newInstanceState(instance: Instance, firstSeenAt: number): InstanceState {
  return {
    instance,
    firstSeenAt,
    lastPoll: undefined,
    lastGoodPollAt: undefined,
    tasks: NO_TASKS,
    outcomes: NO_OUTCOMES,
    countedJobs: NO_JOBS,
    unsupported: undefined,
  };
}

// Shared: most instances have nothing to show most of the time.
const NO_TASKS: InstanceState['tasks'] = [];
const NO_OUTCOMES: InstanceState['outcomes'] = {};
const NO_JOBS: InstanceState['countedJobs'] = [];
const NO_EVENTS: readonly FleetEvent[] = [];

/** The state after a poll. Pure: the same state, result and context give the same state and events. */
export function applyPoll(state: InstanceState, result: PollResult, context: ApplyContext): Applied {
  return result.ok ? applyListing(state, result, context) : applyFailure(state, result.error, context);
}

/** The state after the lookup of one job. Pure like `applyPoll`. */
export function applyLookup(state: InstanceState, { backupJobId, result }: Lookup, context: ApplyContext): Applied {
  const isThrottled = !result.ok && result.error.kind === 'throttled';
  if (!result.ok && saysNothing(result.error) && !isThrottled) return { state, events: [] };
  const reducer = new ListingReducer(state, context);
  for (const tracked of state.tasks) {
    const isMeant = tracked.task.backupJobId === backupJobId && tracked.outcomeLookups !== undefined;
    if (!isMeant) reducer.tasks.push(tracked);
    else if (result.ok) reducer.answered(tracked, result.value);
    else if (isThrottled) reducer.throttled(tracked);
    else reducer.failed(tracked, result.error);
  }
  const { tasks, outcomes, countedJobs, events } = reducer;
  return { state: { ...state, tasks, outcomes, countedJobs }, events };
}

/** Held back by a cool-down or by the quota: nothing was learnt about the instance. */
function saysNothing({ kind }: ApiError): boolean {
  return kind === 'held_back' || kind === 'throttled' || kind === 'aborted';
}

function applyFailure(state: InstanceState, error: ApiError, context: ApplyContext): Applied {
  if (saysNothing(error)) return { state, events: [] };
  const lastPoll = { at: context.nowMs, error };
  if (error.kind === 'unsupported' && isConfirmed(state, context)) {
    const { tasks, outcomes, countedJobs, events } = new ListingReducer(state, context).withoutTasks();
    return {
      state: { ...state, lastPoll, tasks, outcomes, countedJobs, unsupported: error.message },
      events: state.unsupported === undefined ? [{ type: 'unsupported', error }, ...events] : events,
    };
  }
  const isNews = state.lastPoll?.error?.code !== error.code;
  return { state: { ...state, lastPoll }, events: isNews ? [{ type: 'poll_failing', error }] : [] };
}

/** Whether an instance has no backup tasks, now that the API says so: one that had some, or could have, must be told so twice. */
function isConfirmed(state: InstanceState, { nowMs, activeIntervalMs }: ApplyContext): boolean {
  const { lastPoll, lastGoodPollAt, tasks, unsupported } = state;
  if (unsupported !== undefined || (lastGoodPollAt === undefined && tasks.length === 0)) return true;
  return lastPoll?.error?.kind === 'unsupported' && nowMs - lastPoll.at >= activeIntervalMs;
}

type Listing = Extract<PollResult, { ok: true }>;

/** Folds one listing into the state, job by job. Lives for one poll. */
class ListingReducer {
  readonly events: FleetEvent[] = [];
  readonly tasks: TrackedTask[] = [];
  outcomes: InstanceState['outcomes'];
  countedJobs: readonly string[];
  readonly state: InstanceState;
  readonly context: ApplyContext;

  constructor(state: InstanceState, context: ApplyContext) {
    this.state = state;
    this.context = context;
    this.outcomes = state.outcomes;
    this.countedJobs = state.countedJobs;
  }

  listed(task: BackupTask, before: TrackedTask | undefined): void {
    this.outcomes = openOutcomes(this.outcomes, task.mode, this.context.nowMs);
    if (before === undefined) this.events.push({ type: 'task_seen', task });
    const tracked = this.#reportUnexpected(this.#progressed(task, before));
    const outcome = outcomeOf(task);
    if (outcome === undefined || this.countedJobs.includes(task.backupJobId)) {
      this.tasks.push(tracked);
      return;
    }
    const completion = before?.pendingCompletion ?? this.#completion(tracked, this.#durationOf(before));
    if (this.#finish(tracked, completion)) this.tasks.push(tracked);
  }

  unlisted(before: TrackedTask): void {
    const { nowMs } = this.context;
    if (before.pendingCompletion !== undefined) {
      this.#finish(before, before.pendingCompletion);
    } else if (!this.countedJobs.includes(before.task.backupJobId)) {
      const gone = before.unlistedAt === undefined ? this.#gone(before) : before;
      if (nowMs - (gone.unlistedAt ?? nowMs) < MAX_UNLISTED_MS) this.tasks.push(gone);
      else this.#finishUnknown(gone);
    }
  }

  /** Of an instance that has no tasks (any more): only ends that were seen are left to count. */
  withoutTasks(): this {
    for (const tracked of this.state.tasks)
      if (tracked.pendingCompletion !== undefined) this.#finish(tracked, tracked.pendingCompletion);
    return this;
  }

  #gone(before: TrackedTask): TrackedTask {
    const { nowMs } = this.context;
    return {
      ...before,
      outcomeLookups: before.outcomeLookups ?? 0,
      unlistedAt: nowMs,
      durationMs: before.durationMs ?? this.#durationOf(before),
      // What has just left may be back at the next poll.
      nextLookupAt: before.outcomeLookups === undefined ? nowMs + this.#lookupDelay(0) : undefined,
    };
  }

  /** The poll next to this one, then the second, the fourth and so on, at most 10 min later. */
  #lookupDelay(failures: number): number {
    return Math.min(MAX_LOOKUP_DELAY_MS, (2 ** Math.max(0, failures - 1) - 0.5) * this.context.activeIntervalMs);
  }

  failed(gone: TrackedTask, error: ApiError): void {
    const failedLookups = (gone.failedLookups ?? 0) + 1;
    if (failedLookups === 1) this.events.push({ type: 'lookup_failing', task: gone.task, error });
    if (failedLookups >= MAX_FAILED_LOOKUPS) this.#finishUnknown(gone);
    else {
      const nextLookupAt = this.context.nowMs + this.#lookupDelay(failedLookups);
      this.tasks.push({ ...gone, failedLookups, nextLookupAt });
    }
  }

  /** No failure of the job, yet asked for as rarely as if it were one: the longer it is gone. */
  throttled(gone: TrackedTask): void {
    const { nowMs, activeIntervalMs } = this.context;
    const goneForMs = nowMs - (gone.unlistedAt ?? nowMs);
    const delayMs = Math.max(activeIntervalMs, goneForMs) - activeIntervalMs / 2;
    this.tasks.push({ ...gone, nextLookupAt: nowMs + Math.min(MAX_LOOKUP_DELAY_MS, delayMs) });
  }

  answered(gone: TrackedTask, task: BackupTask | undefined): void {
    if (task !== undefined && outcomeOf(task) !== undefined) {
      const ended = this.#reportUnexpected({ ...gone, task: { ...task, mode: gone.task.mode } });
      this.#finish(ended, this.#completion(ended, gone.durationMs));
    } else if (task !== undefined && phaseOf(task) !== 'ended') {
      const running = this.#reportUnexpected(this.#progressed({ ...task, mode: gone.task.mode }, gone));
      this.tasks.push({ ...running, outcomeLookups: gone.outcomeLookups });
    } else {
      const outcomeLookups = (gone.outcomeLookups ?? 0) + 1;
      if (outcomeLookups < MAX_OPEN_LOOKUPS) this.tasks.push({ ...gone, outcomeLookups });
      else this.#finishUnknown(gone);
    }
  }

  #finishUnknown(gone: TrackedTask): void {
    this.#finish(gone, this.#completion(gone, gone.durationMs));
  }

  #progressed(task: BackupTask, before: TrackedTask | undefined): TrackedTask {
    const { nowMs } = this.context;
    const isRunning = phaseOf(task) === 'running';
    const isNews = before === undefined || hasProgressed(before.task, task);
    return {
      task,
      firstSeenAt: before?.firstSeenAt ?? nowMs,
      lastProgressAt: isNews ? nowMs : before.lastProgressAt,
      isStartLost: before?.isStartLost,
      lastOpenAt: outcomeOf(task) === undefined ? nowMs : before?.lastOpenAt,
      runningSince: before?.runningSince ?? (isRunning ? nowMs : undefined),
      runningFromPercent:
        before?.runningSince === undefined && isRunning ? task.processPercent : before?.runningFromPercent,
      outcomeLookups: undefined,
      pendingCompletion: undefined,
      reportedFields: before?.reportedFields ?? [],
    };
  }

  /** The time from first seen running to now; unknown when too long passed unseen before now. */
  #durationOf(before: TrackedTask | undefined): number | undefined {
    const { nowMs, activeIntervalMs } = this.context;
    if (before?.runningSince === undefined || before.lastOpenAt === undefined || before.isStartLost) return undefined;
    return nowMs - before.lastOpenAt > 2 * activeIntervalMs ? undefined : nowMs - before.runningSince;
  }

  #completion({ task }: TrackedTask, durationMs: number | undefined): Completion {
    const outcome = outcomeOf(task) ?? 'Unknown';
    const { backupJobId, backupId } = task;
    return { outcome, at: this.context.nowMs, durationMs, backupJobId, backupId };
  }

  /** Counts the end of a task, or keeps the task with the end noted while it must not be counted. True if counted. */
  #finish(tracked: TrackedTask, completion: Completion): boolean {
    const { task } = tracked;
    if (this.context.canPersist === false || !canIncrement(this.outcomes[task.mode], this.context)) {
      this.tasks.push({ ...tracked, outcomeLookups: undefined, pendingCompletion: completion });
      return false;
    }
    this.outcomes = countCompletion(this.outcomes, task.mode, completion);
    this.countedJobs = [...this.countedJobs, task.backupJobId];
    this.events.push({ type: 'task_ended', task, completion });
    return true;
  }

  /** Tells each unexpected value once per job and field. */
  #reportUnexpected(tracked: TrackedTask): TrackedTask {
    const { task } = tracked;
    if (task.unexpected.length === 0) return tracked;
    const reported: TaskField[] = [...(tracked.reportedFields ?? [])];
    for (const value of task.unexpected) {
      if (reported.includes(value.field)) continue;
      reported.push(value.field);
      this.events.push({ type: 'unexpected_value', task, value });
    }
    return { ...tracked, reportedFields: reported };
  }
}

function applyListing(state: InstanceState, listing: Listing, context: ApplyContext): Applied {
  if (listing.tasks.length === 0 && state.tasks.length === 0)
    return { state: seenAt(state, context.nowMs), events: recovery(state) };
  const reducer = new ListingReducer(state, context);
  const listedJobs = new Set<string>();
  const before = new Map(state.tasks.map((tracked) => [tracked.task.backupJobId, tracked]));
  for (const task of listing.tasks) {
    listedJobs.add(task.backupJobId);
    reducer.listed(keepMode(task, before.get(task.backupJobId)), before.get(task.backupJobId));
  }
  for (const [backupJobId, tracked] of before) {
    if (!listedJobs.has(backupJobId)) reducer.unlisted(tracked);
  }
  return {
    state: {
      ...seenAt(state, context.nowMs),
      tasks: reducer.tasks,
      outcomes: reducer.outcomes,
      countedJobs: rememberCounted(reducer.countedJobs, listedJobs),
    },
    events: [...recovery(state), ...reducer.events],
  };
}

/** The state after a poll that worked, its tasks apart. */
function seenAt(state: InstanceState, nowMs: number): InstanceState {
  const { instance, firstSeenAt, tasks, outcomes, countedJobs } = state;
  // Field by field: a spread costs several times as much, and most polls do no more than this.
  return {
    instance,
    firstSeenAt,
    lastPoll: { at: nowMs, error: undefined },
    lastGoodPollAt: nowMs,
    tasks,
    outcomes,
    countedJobs,
    unsupported: undefined,
  };
}

function recovery({ lastPoll }: InstanceState): readonly FleetEvent[] {
  return lastPoll?.error === undefined ? NO_EVENTS : [{ type: 'poll_recovered' }];
}

/** A job has one mode: an answer that leaves JobMode out must not move its counters. */
function keepMode(task: BackupTask, before: TrackedTask | undefined): BackupTask {
  const mode: Mode = task.mode === 'Unknown' ? (before?.task.mode ?? 'Unknown') : task.mode;
  return mode === task.mode ? task : { ...task, mode };
}

function hasProgressed(before: BackupTask, after: BackupTask): boolean {
  return (
    before.backupStatus !== after.backupStatus ||
    before.progressStatus !== after.progressStatus ||
    before.processPercent !== after.processPercent
  );
}
