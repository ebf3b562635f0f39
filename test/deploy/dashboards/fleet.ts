import { TASK_STATUSES } from '../../../dist/domain/model.js';
import { bars, dashboard, stat, stateTimeline, table, timeSeries, type Dashboard } from './panels.js';
import * as q from './queries.js';

const BY_PLACE = '{{account}} {{region_id}}';

/** What is wrong first, then whether the exporter can see at all, then what is going on. */
const now = [
  stat({
    title: 'Stuck',
    description: 'Running backups without progress for longer than their stuck_after, as of the last good poll.',
    unit: 'none',
    queries: [{ expr: q.countAmong(q.instances, q.stuck) }],
    bad: 1,
  }),
  stat({
    title: 'Failed',
    description: 'Instances whose latest failure is younger than 7 days and was not followed by a finished backup.',
    unit: 'none',
    queries: [{ expr: q.countAmong(q.instances, q.failed) }],
    bad: 1,
  }),
  stat({
    title: 'Polls failing',
    description: 'Instances whose last poll failed. What is shown of them is out of date or missing.',
    unit: 'none',
    queries: [{ expr: q.countAmong(q.pollSuccess, `${q.pollSuccess} == 0`) }],
    bad: 1,
  }),
  stat({
    title: 'Held back',
    description: 'Accounts and regions in a cool-down after an authorisation failure or an outage: they are dark.',
    unit: 'none',
    queries: [{ expr: q.countAmong(q.heldBack, `${q.heldBack} == 1`) }],
    bad: 1,
  }),
  stat({
    title: 'Exporters',
    description: 'Exporters that answer, shards and copies counted each. At 0 nothing on this page is known.',
    unit: 'none',
    queries: [{ expr: q.countOrZero(q.ofProcess('alicloud_rds_backup_exporter_build_info')) }],
    good: 1,
  }),
  stat({
    title: 'Instances',
    description: 'Instances that the exporter watches.',
    unit: 'none',
    queries: [{ expr: q.countOrZero(q.instances) }],
    good: 1,
  }),
  stat({
    title: 'Running',
    description: 'Backups that run, as of the last poll.',
    unit: 'none',
    queries: [{ expr: q.countAmong(q.instances, q.runningSince) }],
  }),
  stat({
    title: 'Queued',
    description: 'Instances and modes whose next backup waits to begin.',
    unit: 'none',
    queries: [{ expr: q.countAmong(q.instances, q.queued) }],
  }),
];

const running = table({
  title: 'Running now',
  description: 'Each running backup, the longest without progress first. Progress is empty where the API gives none.',
  unit: 'none',
  highestFirst: 'Without progress for',
  columns: [
    { name: 'Progress', expr: q.named(q.runningProgress), unit: 'percentunit', bar: true },
    { name: 'Running for', expr: q.named(`time() - ${q.runningSince}`), unit: 's' },
    { name: 'Without progress for', expr: q.named(q.withoutProgress), unit: 's' },
    { name: 'Stuck after', expr: q.named(q.stuckAfter), unit: 's' },
  ],
});

const stuck = table({
  title: 'Stuck',
  description: 'Running backups that made no progress for longer than allowed, as of the last good poll.',
  unit: 's',
  highestFirst: 'Without progress for',
  columns: [{ name: 'Without progress for', expr: q.named(q.stuck), unit: 's' }],
});

const failed = table({
  title: 'Failed',
  description: 'Failures within 7 days that no finished backup followed, the latest first.',
  unit: 'none',
  highestFirst: 'Failed',
  columns: [{ name: 'Failed', expr: q.named(`1000 * (${q.failed})`), unit: 'dateTimeFromNow' }],
});

const oldest = bars({
  title: 'Longest since a finished backup',
  description:
    'Time since the exporter last saw a backup of the instance finish, the 20 longest. Without those of which it never saw one; a backup that begins and ends between two polls is not seen.',
  unit: 's',
  queries: [{ expr: `topk(20, time() - ${q.lastCompletion('Finished')})`, name: '{{instance_id}}' }],
});

const states = stateTimeline({
  title: 'States',
  description:
    'What each backup did. A gap: none was listed, or the instance could not be seen. Choose an account, a region or instances where there are many.',
  unit: 'none',
  states: TASK_STATUSES,
  queries: [{ expr: q.status, name: '{{instance_id}} {{mode}}' }],
});

const ended = timeSeries({
  title: 'Ended backups',
  description: 'Backups that were seen to end, by outcome. Unknown: the API would not say.',
  unit: 'short',
  byOutcome: true,
  queries: [
    {
      expr: `sum by (outcome) (increase(${q.ofInstance('completed_tasks_total')}[$__rate_interval]))`,
      name: '{{outcome}}',
    },
  ],
});

const budget = timeSeries({
  title: 'API budget',
  description:
    'Calls a second that are made, that the rate in force allows, and that are configured. Where made meets in force, polls come late.',
  unit: 'reqps',
  queries: [
    {
      expr: `sum by (${q.PLACE}, action) (rate(${q.ofPlace('api_requests_total')}[$__rate_interval]))`,
      name: `${BY_PLACE} {{action}} made`,
    },
    {
      expr: `sum by (${q.PLACE}, action) (${q.ofPlace('api_rate_limit_requests_per_second')})`,
      name: `${BY_PLACE} {{action}} in force`,
    },
    {
      expr: `sum by (${q.PLACE}, action) (${q.ofPlace('api_rate_limit_configured_requests_per_second')})`,
      name: `${BY_PLACE} {{action}} configured`,
    },
  ],
});

const throttling = timeSeries({
  title: 'Throttling',
  description:
    'The rate in force as a share of the configured one. Below 100 % the API throttles; ApiThrottled fires after 15 minutes.',
  unit: 'percentunit',
  max: 1,
  queries: [
    {
      expr: `min by (${q.PLACE}, action) (${q.ofPlace('api_rate_limit_requests_per_second')} / ${q.ofPlace('api_rate_limit_configured_requests_per_second')})`,
      name: `${BY_PLACE} {{action}}`,
    },
  ],
});

const failures = timeSeries({
  title: 'Failed calls',
  description: 'Failed attempts a second by action and code.',
  unit: 'reqps',
  queries: [
    {
      expr: `sum by (${q.PLACE}, action, code) (rate(${q.ofPlace('api_request_failures_total')}[$__rate_interval]))`,
      name: `${BY_PLACE} {{action}} {{code}}`,
    },
  ],
});

const latency = timeSeries({
  title: 'Call duration',
  description: 'Duration of one attempt: half and 95 % of the calls are quicker.',
  unit: 's',
  queries: [0.5, 0.95].map((share) => ({
    expr: `histogram_quantile(${share}, sum by (action, le) (rate(alicloud_rds_backup_exporter_api_request_duration_seconds_bucket{job=~"$job"}[$__rate_interval])))`,
    name: `{{action}} ${share * 100} %`,
  })),
});

const lag = timeSeries({
  title: 'Poll lag',
  description:
    'How far the most overdue instance is behind, and the age at which data is no longer shown. PollLagging fires above 5 minutes.',
  unit: 's',
  queries: [
    { expr: `max by (${q.PLACE}) (${q.ofPlace('poll_lag_seconds')})`, name: `${BY_PLACE} lag` },
    { expr: `max by (${q.PLACE}) (${q.ofPlace('stale_after_seconds')})`, name: `${BY_PLACE} stale after` },
  ],
});

const targets = timeSeries({
  title: 'Targets',
  description:
    'Instances that are polled, not polled yet, and without backup tasks by type or engine. A second copy counts.',
  unit: 'short',
  queries: [
    { expr: `sum by (${q.PLACE}) (${q.ofPlace('targets')})`, name: `${BY_PLACE} polled` },
    { expr: `sum by (${q.PLACE}) (${q.ofPlace('targets_never_polled')})`, name: `${BY_PLACE} never polled` },
    { expr: `sum by (${q.PLACE}) (${q.ofPlace('targets_unsupported')})`, name: `${BY_PLACE} unsupported` },
  ],
});

const discovery = timeSeries({
  title: 'Age of discovery',
  description: 'Time since the instances were last listed with success; normally below refresh_interval (10 minutes).',
  unit: 's',
  queries: [
    {
      expr: `time() - max by (${q.PLACE}) (${q.ofPlace('discovery_last_success_timestamp_seconds')})`,
      name: BY_PLACE,
    },
  ],
});

const memory = timeSeries({
  title: 'Memory',
  description: 'Resident memory of each exporter.',
  unit: 'bytes',
  queries: [{ expr: q.ofProcess('process_resident_memory_bytes'), name: '{{instance}}' }],
});

const cpu = timeSeries({
  title: 'CPU',
  description: 'CPU seconds a second of each exporter; one process uses little more than 1.',
  unit: 'short',
  queries: [{ expr: `rate(${q.ofProcess('process_cpu_seconds_total')}[$__rate_interval])`, name: '{{instance}}' }],
});

const uptime = timeSeries({
  title: 'Up for',
  description: 'Time since each exporter started. Every fall to 0 is a restart.',
  unit: 's',
  queries: [{ expr: `time() - ${q.ofProcess('process_start_time_seconds')}`, name: '{{instance}}' }],
});

const bugs = timeSeries({
  title: 'Internal errors',
  description: 'Exceptions that should not exist. Any of them is a bug of the exporter; its log has the stack.',
  unit: 'short',
  queries: [
    {
      expr: `increase(${q.ofProcess('alicloud_rds_backup_exporter_internal_errors_total')}[$__rate_interval])`,
      name: '{{instance}}',
    },
  ],
});

export function fleet(): Dashboard {
  return dashboard({
    uid: 'rds-backup-fleet',
    title: 'RDS backups: fleet',
    description: 'Backups of all RDS instances: what runs, what is stuck or failed, and whether the exporter can see.',
    manyInstances: true,
    rows: [
      { height: 4, panels: now.map((panel) => ({ width: 3, panel })) },
      { height: 9, panels: [{ width: 24, panel: running }] },
      {
        height: 8,
        panels: [stuck, failed, oldest].map((panel) => ({ width: 8, panel })),
      },
      { height: 10, panels: [{ width: 24, panel: states }] },
      { height: 8, panels: [ended, budget].map((panel) => ({ width: 12, panel })) },
      { height: 8, panels: [throttling, failures, latency].map((panel) => ({ width: 8, panel })) },
      { height: 8, panels: [lag, targets, discovery].map((panel) => ({ width: 8, panel })) },
      { height: 8, panels: [uptime, memory, cpu, bugs].map((panel) => ({ width: 6, panel })) },
    ],
  });
}
