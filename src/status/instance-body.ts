import type { Completion, InstanceState, ModeOutcomes, TrackedTask } from '../domain/instance-state.js';
import { isStuck, phaseOf, progressRatio, statusOf } from '../domain/task-status.js';
import type { TaskPhase } from '../domain/instance-state.js';
import type { Mode, Outcome } from '../domain/model.js';
import type { FleetRow } from './fleet-row.js';
import type { PageState } from '../domain/page-state.js';
import type { StatusSnapshot } from './snapshot.js';
import { isolate } from './isolate.js';
import { estimatedEndAt } from '../domain/estimate-end.js';
import { timeText } from './time-text.js';

/** One instance of the status answer. Times are RFC 3339 in UTC, null when there is none. */
export interface InstanceBody {
  readonly account: string;
  readonly region_id: string;
  readonly instance_id: string;
  readonly name: string;
  readonly engine: string;
  readonly engine_version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: PageState;
  /** Set when the exporter failed to render the instance: of the rest, only its names and its state say anything. */
  readonly problem: string | null;
  /** Why the instance has no backup tasks; null when it can have some. */
  readonly unsupported: string | null;
  readonly stuck_after_seconds: number;
  readonly first_seen: string;
  readonly last_poll: string | null;
  readonly last_good_poll: string | null;
  /** From the last good poll to `now`. */
  readonly data_age_seconds: number | null;
  readonly next_poll: string | null;
  /** Null when the last poll worked. */
  readonly last_error: {
    readonly code: string;
    readonly message: string;
    readonly request_id: string | null;
    readonly at: string;
  } | null;
  /** Running before queued before ended, then the highest job id: the list shows the first. */
  readonly tasks: readonly TaskBody[];
  /** By mode, once a task of it was seen; with an end that `completed_tasks_total` does not count yet. */
  readonly outcomes: { readonly [M in Mode]?: OutcomesBody };
}

/** A backup task with every field that the API gave. */
export interface TaskBody {
  readonly backup_job_id: string;
  readonly backup_id: string | null;
  readonly task_action: string;
  readonly mode: Mode;
  readonly backup_status: string | null;
  readonly backup_progress_status: string | null;
  /** Process in percent as given, also outside 0..100 but within -1,000..1,000. */
  readonly process: number | null;
  /** The status that counts: `backup_status`, or `backup_progress_status` when that is absent. */
  readonly status: string;
  readonly phase: TaskPhase;
  /** `process` / 100, kept within 0..1. */
  readonly progress_ratio: number | null;
  readonly first_seen: string;
  readonly last_progress: string;
  readonly running_since: string | null;
  readonly stuck: boolean;
  /** From the speed seen so far; null where that means nothing. */
  readonly estimated_end: string | null;
  /** Set once it has left the listing without an end: answers so far that did not settle how it ended. */
  readonly unsettled_answers: number | null;
  /** Values that the API documentation does not list, as given. */
  readonly unexpected: readonly { readonly field: string; readonly value: string }[];
}

export interface OutcomesBody {
  readonly counts: { readonly [O in Outcome]: number };
  readonly last: { readonly [O in Outcome]?: CompletionBody };
}

export interface CompletionBody {
  readonly at: string;
  readonly duration_seconds: number | null;
  readonly backup_job_id: string;
  readonly backup_id: string | null;
}

export const NOT_RENDERED = 'The exporter failed to render this instance; its log has the reason.';

export function instanceBody(row: FleetRow, snapshot: StatusSnapshot, onBug: (error: unknown) => void): InstanceBody {
  return isolate(
    () => wholeAnswer(row, snapshot),
    () => namesAnswer(row, snapshot),
    onBug,
  );
}

function namesAnswer({ state: { instance }, rowState }: FleetRow, snapshot: StatusSnapshot): InstanceBody {
  return {
    account: instance.account,
    region_id: instance.regionId,
    instance_id: instance.instanceId,
    name: instance.name,
    engine: instance.engine,
    engine_version: instance.engineVersion,
    labels: {},
    state: rowState,
    problem: NOT_RENDERED,
    unsupported: null,
    stuck_after_seconds: instance.stuckAfterMs / 1_000,
    first_seen: timeText(snapshot, snapshot.now),
    last_poll: null,
    last_good_poll: null,
    data_age_seconds: null,
    next_poll: null,
    last_error: null,
    tasks: [],
    outcomes: {},
  };
}

function wholeAnswer({ state, rowState, tasks, outcomes }: FleetRow, snapshot: StatusSnapshot): InstanceBody {
  const { instance, lastGoodPollAt } = state;
  return {
    account: instance.account,
    region_id: instance.regionId,
    instance_id: instance.instanceId,
    name: instance.name,
    engine: instance.engine,
    engine_version: instance.engineVersion,
    labels: instance.labels,
    state: rowState,
    problem: null,
    unsupported: state.unsupported ?? null,
    stuck_after_seconds: instance.stuckAfterMs / 1_000,
    first_seen: timeText(snapshot, state.firstSeenAt),
    last_poll: timeText(snapshot, state.lastPoll?.at),
    last_good_poll: timeText(snapshot, lastGoodPollAt),
    data_age_seconds:
      lastGoodPollAt === undefined ? null : Math.max(0, Math.round((snapshot.now - lastGoodPollAt) / 1_000)),
    next_poll: timeText(snapshot, snapshot.nextPollAt(instance)),
    last_error: errorAnswer(state, snapshot),
    tasks: tasks.map((tracked) => taskAnswer(state, tracked, snapshot)),
    outcomes: Object.fromEntries(
      Object.entries(outcomes).map(([mode, seen]) => [mode, outcomesAnswer(seen, snapshot)]),
    ),
  };
}

function errorAnswer({ lastPoll }: InstanceState, snapshot: StatusSnapshot): InstanceBody['last_error'] {
  if (lastPoll?.error === undefined) return null;
  const { code, message, requestId } = lastPoll.error;
  return { code, message, request_id: requestId ?? null, at: timeText(snapshot, lastPoll.at) };
}

function taskAnswer(state: InstanceState, tracked: TrackedTask, snapshot: StatusSnapshot): TaskBody {
  const { task } = tracked;
  return {
    backup_job_id: task.backupJobId,
    backup_id: task.backupId ?? null,
    task_action: task.taskAction,
    mode: task.mode,
    backup_status: task.backupStatus ?? null,
    backup_progress_status: task.progressStatus ?? null,
    process: task.processPercent ?? null,
    status: statusOf(task),
    phase: phaseOf(task),
    progress_ratio: progressRatio(task) ?? null,
    first_seen: timeText(snapshot, tracked.firstSeenAt),
    last_progress: timeText(snapshot, tracked.lastProgressAt),
    running_since: timeText(snapshot, tracked.runningSince),
    stuck: isStuck(state, tracked),
    estimated_end: timeText(snapshot, estimatedEndAt(state, tracked, snapshot.now)),
    unsettled_answers: tracked.outcomeLookups ?? null,
    unexpected: task.unexpected.map(({ field, value }) => ({ field, value })),
  };
}

function outcomesAnswer({ counts, last }: ModeOutcomes, snapshot: StatusSnapshot): OutcomesBody {
  return {
    counts,
    last: Object.fromEntries(
      Object.entries(last).map(([outcome, completion]) => [outcome, completionAnswer(completion, snapshot)]),
    ),
  };
}

function completionAnswer(completion: Completion, snapshot: StatusSnapshot): CompletionBody {
  return {
    at: timeText(snapshot, completion.at),
    duration_seconds: completion.durationMs === undefined ? null : completion.durationMs / 1_000,
    backup_job_id: completion.backupJobId,
    backup_id: completion.backupId ?? null,
  };
}
