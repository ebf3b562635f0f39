import type { ApiError, BackupTask, Instance, Mode, Outcome, TaskField } from './model.js';

/**
 * What is known about one instance. Immutable: every poll makes a new state, so that a scrape which took the states
 * once sees one moment. Times are on the steady timeline of the clock.
 */
export interface InstanceState {
  readonly instance: Instance;
  /** When the exporter began to watch it. */
  readonly firstSeenAt: number;
  /** The last poll since this process began, whether it worked or not; undefined before the first. */
  readonly lastPoll: LastPoll | undefined;
  /** The last poll that worked since this process began. */
  readonly lastGoodPollAt: number | undefined;
  /** Tasks that are listed (an ended one may linger there) and tasks that left the listing with their outcome still open. */
  readonly tasks: readonly TrackedTask[];
  /** Present for a mode once a task of it was seen. */
  readonly outcomes: { readonly [M in Mode]?: ModeOutcomes };
  /** Jobs that were counted and must not be counted again: all that still linger in the listing, and the last 32. */
  readonly countedJobs: readonly string[];
  /** Why the instance has no backup tasks to ask for, when the API said so; it is then asked again hourly. One answer is enough only where no poll worked yet. */
  readonly unsupported: string | undefined;
}

export interface LastPoll {
  readonly at: number;
  /** Undefined when the poll worked. */
  readonly error: ApiError | undefined;
}

export interface TrackedTask {
  /** As last given by the API. */
  readonly task: BackupTask;
  readonly firstSeenAt: number;
  /** When status, progress status or percentage last changed; equals `firstSeenAt` until then. */
  readonly lastProgressAt: number;
  /** When a poll last listed it without an outcome; undefined if it was first seen ended. */
  readonly lastOpenAt?: number | undefined;
  /** When it was first seen running; undefined until then. Kept when the task ends. */
  readonly runningSince: number | undefined;
  /** Set when a time of it came back from the state yet to come: the wall clock was put back, and how long it ran is not known. */
  readonly isStartLost?: true | undefined;
  /** Its percentage at `runningSince`: where its speed is measured from. */
  readonly runningFromPercent?: number | undefined;
  /** Set once the task has left the listing without an end: the answers so far that did not settle its outcome. */
  readonly outcomeLookups: number | undefined;
  /** When it left the listing, or the first poll after the API last said by id that it has not ended. */
  readonly unlistedAt?: number | undefined;
  /** Its duration, should its end turn out to be what took it out of the listing. */
  readonly durationMs?: number | undefined;
  /** Lookups that failed since `unlistedAt`, the retries of one counted once. */
  readonly failedLookups?: number | undefined;
  /** No lookup before this time; undefined: at the next poll. */
  readonly nextLookupAt?: number | undefined;
  /** Fields of it whose unexpected value was told already. */
  readonly reportedFields?: readonly TaskField[];
  /** An end that was seen but is not counted yet: its counter must be scraped as 0 first, or it could not be stored. */
  readonly pendingCompletion: Completion | undefined;
}

export interface ModeOutcomes {
  /** Since when its counters are shown at 0; undefined once one of them has moved. */
  readonly openedAt?: number | undefined;
  readonly counts: { readonly [O in Outcome]: number };
  readonly last: { readonly [O in Outcome]?: Completion };
}

export interface Completion {
  readonly outcome: Outcome;
  /** When the exporter saw it. */
  readonly at: number;
  /** From first seen running to the end; undefined when it never was seen running or went unpolled too long before the end. */
  readonly durationMs: number | undefined;
  readonly backupJobId: string;
  readonly backupId: string | undefined;
}

/** A task is queued before it begins, running until it ends. */
export type TaskPhase = 'queued' | 'running' | 'ended';
