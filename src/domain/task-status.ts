import type { BackupTask, Mode, Outcome, TaskStatus } from './model.js';
import { MODES } from './model.js';
import type { InstanceState, TaskPhase, TrackedTask } from './instance-state.js';

/** BackupStatus; taken from BackupProgressStatus when absent, `Other` when both are. */
export function statusOf(task: BackupTask): TaskStatus {
  return task.backupStatus ?? task.progressStatus ?? 'Other';
}

/** queued = NoStart; ended = Finished, Failed; running = everything else, Other included. */
export function phaseOf(task: BackupTask): TaskPhase {
  const status = statusOf(task);
  if (status === 'NoStart') return 'queued';
  return status === 'Finished' || status === 'Failed' ? 'ended' : 'running';
}

/** How a task ended, by BackupStatus alone; undefined while it has not. */
export function outcomeOf(task: BackupTask): Outcome | undefined {
  return task.backupStatus === 'Finished' || task.backupStatus === 'Failed' ? task.backupStatus : undefined;
}

/** Process / 100, kept within 0..1; undefined when Process was absent or no number. */
export function progressRatio(task: BackupTask): number | undefined {
  return task.processPercent === undefined ? undefined : Math.min(1, Math.max(0, task.processPercent / 100));
}

/** `tasks` and the task families are served while this holds; after that they vanish until the next good poll. */
export function isFresh(state: InstanceState, nowMs: number, staleAfterMs: number): boolean {
  const { lastGoodPollAt, unsupported } = state;
  return unsupported === undefined && lastGoodPollAt !== undefined && nowMs - lastGoodPollAt < staleAfterMs;
}

/** No progress for longer than the instance allows, as of the last good poll: an exporter that cannot see raises no alarm. */
export function isStuck(state: InstanceState, tracked: TrackedTask): boolean {
  return (
    phaseOf(tracked.task) === 'running' &&
    state.lastGoodPollAt !== undefined &&
    state.lastGoodPollAt - tracked.lastProgressAt > state.instance.stuckAfterMs
  );
}

const PHASE_ORDER: readonly TaskPhase[] = ['running', 'queued', 'ended'];

/**
 * In the order in which they are displayed: running before queued before ended, then the highest job id. The first is the
 * displayed task of the instance, the first of a mode that of the mode.
 */
export function displayedTasks({ tasks }: InstanceState): readonly TrackedTask[] {
  return tasks.length < 2 ? tasks : tasks.toSorted(compareTasks);
}

function compareTasks({ task: one }: TrackedTask, { task: other }: TrackedTask): number {
  const phases = PHASE_ORDER.indexOf(phaseOf(one)) - PHASE_ORDER.indexOf(phaseOf(other));
  return phases || compareJobIds(other.backupJobId, one.backupJobId);
}

/** Job ids are decimal numbers of any length: the longer is the higher, then digit by digit. */
function compareJobIds(one: string, other: string): number {
  if (one.length !== other.length) return one.length - other.length;
  return one < other ? -1 : 1;
}

/** Tasks of a mode that have not ended. */
export function openTasks(state: InstanceState, mode: Mode): number {
  let count = 0;
  for (const { task } of state.tasks) if (task.mode === mode && phaseOf(task) !== 'ended') count++;
  return count;
}

/** The modes an instance has tasks of, `Automated` and `Manual` always among them. */
export function modesOf(state: InstanceState): readonly Mode[] {
  return MODES.filter((mode) => mode !== 'Unknown' || state.tasks.some(({ task }) => task.mode === mode));
}
