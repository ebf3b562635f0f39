import type { TrackedTask } from '../domain/instance-state.js';
import { phaseOf, progressRatio, statusOf } from '../domain/task-status.js';
import type { Mode } from '../domain/model.js';
import { PROGRESS_STATUSES, TASK_STATUSES } from '../domain/model.js';
import type { Family, FamilyHead, Seconds } from './family.js';
import { INSTANCE_LABELS, MODE_BYTES } from './instance-families.js';
import { moreLabelBytes } from './labels.js';
import type { ScrapedInstance } from './scraped-instance.js';

const TASK_LABELS = [...INSTANCE_LABELS, 'mode'] as const;

/** Of each mode of an instance, the value of the task that is shown; undefined leaves the sample out. */
function valueFamily(
  head: Pick<FamilyHead, 'name' | 'help'>,
  valueOf: (tracked: TrackedTask, row: ScrapedInstance, seconds: Seconds) => number | undefined,
): Family<ScrapedInstance> {
  return {
    ...head,
    type: 'gauge',
    labels: TASK_LABELS,
    samples(row, sample, seconds) {
      for (const tracked of row.shown) {
        const value = valueOf(tracked, row, seconds);
        if (value !== undefined) sample(row.labels, MODE_BYTES[tracked.task.mode], value);
      }
    },
  };
}

/** Of each mode of an instance, 1 for the state that the shown task is in and 0 for every other. */
function stateFamily<State extends string>(
  head: Pick<FamilyHead, 'name' | 'help'> & { readonly states: readonly State[] },
  stateOf: (tracked: TrackedTask) => State | undefined,
): Family<ScrapedInstance> {
  const statesOf = (mode: Mode): readonly { readonly state: State; readonly bytes: Uint8Array }[] =>
    head.states.map((state) => ({ state, bytes: moreLabelBytes({ mode, status: state }) }));
  const states = { Automated: statesOf('Automated'), Manual: statesOf('Manual'), Unknown: statesOf('Unknown') };
  return {
    name: head.name,
    help: head.help,
    type: 'gauge',
    labels: [...TASK_LABELS, 'status'],
    samples({ shown, labels }, sample) {
      for (const tracked of shown) {
        const current = stateOf(tracked);
        if (current === undefined) continue;
        for (const { state, bytes } of states[tracked.task.mode]) sample(labels, bytes, Number(state === current));
      }
    },
  };
}

const isRunning = ({ task }: TrackedTask): boolean => phaseOf(task) === 'running';

export const TASK_FAMILIES: readonly Family<ScrapedInstance>[] = [
  stateFamily(
    {
      name: 'alicloud_rds_backup_task_status',
      help: 'The status of the backup task as of the last poll (BackupStatus, or BackupProgressStatus where the API gives none): 1 for the current one, 0 for every other.',
      states: TASK_STATUSES,
    },
    ({ task }) => statusOf(task),
  ),
  stateFamily(
    {
      name: 'alicloud_rds_backup_task_progress_status',
      help: 'The progress status of the backup task as of the last poll (BackupProgressStatus): 1 for the current one, 0 for every other.',
      states: PROGRESS_STATUSES,
    },
    ({ task }) => task.progressStatus,
  ),
  valueFamily(
    {
      name: 'alicloud_rds_backup_task_progress_ratio',
      help: 'How much of the backup task is done as of the last poll, from 0 to 1.',
    },
    ({ task }) => progressRatio(task),
  ),
  valueFamily(
    {
      name: 'alicloud_rds_backup_task_first_seen_timestamp_seconds',
      help: 'When a poll first saw the backup task, in seconds since the epoch; the API gives no start time.',
    },
    ({ firstSeenAt }, _row, seconds) => seconds(firstSeenAt),
  ),
  valueFamily(
    {
      name: 'alicloud_rds_backup_task_last_progress_timestamp_seconds',
      help: 'When a poll last saw the status or the progress of the backup task change, in seconds since the epoch.',
    },
    ({ lastProgressAt }, _row, seconds) => seconds(lastProgressAt),
  ),
  valueFamily(
    {
      name: 'alicloud_rds_backup_task_running_since_timestamp_seconds',
      help: 'When a poll first saw the backup task running, in seconds since the epoch; only while it runs.',
    },
    (tracked, _instance, seconds) =>
      isRunning(tracked) && tracked.runningSince !== undefined ? seconds(tracked.runningSince) : undefined,
  ),
  valueFamily(
    {
      name: 'alicloud_rds_backup_task_stuck_after_seconds',
      help: 'How long the running backup task may go without progress before it counts as stuck; only while it runs.',
    },
    (tracked, { state }) => (isRunning(tracked) ? state.instance.stuckAfterMs / 1000 : undefined),
  ),
  {
    name: 'alicloud_rds_backup_task_info',
    help: 'Always 1, one for each backup task that the API lists as of the last poll.',
    type: 'gauge',
    labels: [...TASK_LABELS, 'backup_job_id', 'task_action'],
    samples({ state, labels, fresh }, sample) {
      if (!fresh) return;
      for (const { task } of state.tasks) {
        const { mode, backupJobId, taskAction } = task;
        sample(labels, moreLabelBytes({ mode, backup_job_id: backupJobId, task_action: taskAction }), 1);
      }
    },
  },
];
