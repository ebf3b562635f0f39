import { PROGRESS_STATUSES, TASK_STATUSES } from '../../../dist/domain/model.js';
import { dashboard, stat, stateTimeline, table, timeSeries, type Dashboard } from './panels.js';
import * as q from './queries.js';

const about = table({
  title: 'Instance',
  description: 'Name and engine, and when the exporter began to watch it.',
  unit: 'none',
  columns: [
    {
      name: 'Watched since',
      expr: `1000 * max by (${q.INSTANCE}) (${q.ofInstance('instance_first_seen_timestamp_seconds')}) * on (${q.INSTANCE}) group_left (name, engine, engine_version) topk by (${q.INSTANCE}) (1, max by (${q.INSTANCE}, name, engine, engine_version) (${q.ofInstance('instance_info')}))`,
      unit: 'dateTimeFromNow',
    },
  ],
});

const jobs = table({
  title: 'Tasks listed',
  description: 'The tasks that the API lists, with the job id to give to support.',
  unit: 'none',
  columns: [
    {
      name: 'Listed',
      expr: `max by (${q.TASK}, backup_job_id, task_action) (${q.ofInstance('task_info')})`,
      unit: 'none',
    },
  ],
});

const pollAge = stat({
  title: 'Last good poll',
  description: 'Age of what is shown; red from 15 minutes on. Beyond the limit in force the tasks vanish.',
  unit: 's',
  queries: [{ expr: q.pollAge }],
  bad: 900,
});

const open = stat({
  title: 'Open tasks',
  description: 'Tasks that the API lists and that have not ended, by mode. Nothing is shown while that is not known.',
  unit: 'none',
  queries: [{ expr: `max by (${q.TASK}) (${q.ofInstance('tasks')})`, name: '{{mode}}' }],
});

const progress = timeSeries({
  title: 'Progress',
  description: 'Progress of the backup that is furthest along, by mode.',
  unit: 'percentunit',
  max: 1,
  queries: [{ expr: q.progress, name: '{{mode}}' }],
});

const idle = timeSeries({
  title: 'Without progress',
  description: 'How long a running backup has changed neither status nor progress, and when that counts as stuck.',
  unit: 's',
  queries: [
    { expr: q.withoutProgress, name: '{{mode}}' },
    { expr: q.stuckAfter, name: '{{mode}} stuck after' },
  ],
});

const status = stateTimeline({
  title: 'Status',
  description: 'BackupStatus by mode.',
  unit: 'none',
  states: TASK_STATUSES,
  queries: [{ expr: q.status, name: '{{mode}}' }],
});

const progressStatus = stateTimeline({
  title: 'Progress status',
  description: 'BackupProgressStatus by mode.',
  unit: 'none',
  states: PROGRESS_STATUSES,
  queries: [{ expr: q.progressStatus, name: '{{mode}}' }],
});

const durations = timeSeries({
  title: 'Duration of the last backup',
  description:
    'From first seen running to the end, by mode and outcome; it steps when a backup ends. What to compare a running one with.',
  unit: 's',
  queries: [
    {
      expr: `max by (${q.TASK}, outcome) (${q.ofInstance('last_completion_duration_seconds')})`,
      name: '{{mode}} {{outcome}}',
    },
  ],
});

const running = timeSeries({
  title: 'Running for',
  description: 'How long a backup has been running, by mode.',
  unit: 's',
  queries: [{ expr: `time() - ${q.runningSince}`, name: '{{mode}}' }],
});

const outcomes = timeSeries({
  title: 'Outcomes',
  description: 'Backups that were seen to end, by mode and outcome. A short one can slip between two polls.',
  unit: 'short',
  byOutcome: true,
  queries: [
    {
      expr: `max by (${q.TASK}, outcome) (increase(${q.ofInstance('completed_tasks_total')}[$__rate_interval]))`,
      name: '{{mode}} {{outcome}}',
    },
  ],
});

const last = table({
  title: 'Last ends',
  description: 'When the exporter last saw each outcome, the latest first, and how long that backup took.',
  unit: 'none',
  highestFirst: 'Seen',
  columns: [
    {
      name: 'Seen',
      expr: `1000 * max by (${q.TASK}, outcome) (${q.ofInstance('last_completion_timestamp_seconds')})`,
      unit: 'dateTimeFromNow',
    },
    {
      name: 'Took',
      expr: `max by (${q.TASK}, outcome) (${q.ofInstance('last_completion_duration_seconds')})`,
      unit: 's',
    },
  ],
});

const polls = timeSeries({
  title: 'Polls',
  description: '1 where the last poll worked, 0 where it failed.',
  unit: 'none',
  max: 1,
  queries: [{ expr: q.pollSuccess, name: '{{instance_id}}' }],
});

export function instance(): Dashboard {
  return dashboard({
    uid: 'rds-backup-instance',
    title: 'RDS backups: instance',
    description: 'The backups of one RDS instance over time.',
    manyInstances: false,
    rows: [
      {
        height: 5,
        panels: [
          { width: 9, panel: about },
          { width: 3, panel: pollAge },
          { width: 4, panel: open },
          { width: 8, panel: jobs },
        ],
      },
      { height: 9, panels: [progress, idle].map((panel) => ({ width: 12, panel })) },
      { height: 6, panels: [status, progressStatus].map((panel) => ({ width: 12, panel })) },
      { height: 8, panels: [running, durations, outcomes].map((panel) => ({ width: 8, panel })) },
      { height: 7, panels: [last, polls].map((panel) => ({ width: 12, panel })) },
    ],
  });
}
