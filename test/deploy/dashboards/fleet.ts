import { TASK_STATUSES } from '../../../dist/model.js';
import { bars, dashboard, stat, stateTimeline, table, timeSeries, type Dashboard } from './panels.js';
import * as q from './queries.js';

const BY_PLACE = '{{account}} {{region_id}}';

const now = [
  stat({
    title: 'Instances',
    description: 'Instances that the exporter watches.',
    unit: 'none',
    queries: [{ expr: q.countOf(q.instances) }],
    good: 1,
  }),
  stat({
    title: 'Running',
    description: 'Backups that run, as of the last poll.',
    unit: 'none',
    queries: [{ expr: q.countOf(q.runningSince) }],
  }),
  stat({
    title: 'Queued',
    description: 'Instances and modes whose next backup waits to begin.',
    unit: 'none',
    queries: [{ expr: q.countOf(q.queued) }],
  }),
  stat({
    title: 'Stuck',
    description: 'Running backups without progress for longer than their stuck_after.',
    unit: 'none',
    queries: [{ expr: q.countOf(q.stuck) }],
    bad: 1,
  }),
  stat({
    title: 'Failed',
    description: 'Instances whose last known end of a backup within 7 days was a failure.',
    unit: 'none',
    queries: [{ expr: q.countOf(q.failed) }],
    bad: 1,
  }),
  stat({
    title: 'Polls failing',
    description: 'Instances whose last poll failed. What is shown of them is out of date or missing.',
    unit: 'none',
    queries: [{ expr: q.countOf(q.pollFailing) }],
    bad: 1,
  }),
  stat({
    title: 'Held back',
    description: 'Accounts and regions in a cool-down after an authorisation failure or an outage.',
    unit: 'none',
    queries: [{ expr: q.countOf(`max by (${q.PLACE}) (${q.ofPlace('api_cooldown')}) == 1`) }],
    bad: 1,
  }),
  stat({
    title: 'Exporters',
    description: 'Exporters that answer, shards and copies counted each.',
    unit: 'none',
    queries: [{ expr: q.countOf(q.ofProcess('alicloud_rds_backup_exporter_build_info')) }],
    good: 1,
  }),
];

const running = table({
  title: 'Running now',
  description: 'Each running backup. Progress is absent where the API gives none.',
  unit: 'none',
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
  columns: [{ name: 'Without progress for', expr: q.named(q.stuck), unit: 's' }],
});

const failed = table({
  title: 'Failed',
  description: 'Failures within 7 days that no finished backup followed.',
  unit: 'none',
  columns: [{ name: 'Failed', expr: q.named(`1000 * (${q.failed})`), unit: 'dateTimeFromNow' }],
});

const oldest = bars({
  title: 'Oldest last completion',
  description:
    'Time since the exporter last saw a backup finish, the 20 longest. A backup that begins and ends between two polls is not seen.',
  unit: 's',
  queries: [{ expr: `topk(20, time() - ${q.lastCompletion('Finished')})`, name: '{{instance_id}}' }],
});

const states = stateTimeline({
  title: 'States',
  description: 'What each backup did. A gap: none was listed, or the instance could not be seen.',
  unit: 'none',
  states: TASK_STATUSES,
  queries: [{ expr: q.status, name: '{{instance_id}} {{mode}}' }],
});

const ended = timeSeries({
  title: 'Ended backups',
  description: 'Backups that were seen to end, by outcome. Unknown: the API would not say.',
  unit: 'short',
  queries: [
    {
      expr: `sum by (outcome) (increase(${q.ofInstance('completed_tasks_total')}[$__rate_interval]))`,
      name: '{{outcome}}',
    },
  ],
});

const budget = timeSeries({
  title: 'API budget',
  description: 'Calls a second that are made, that the rate in force allows, and that are configured.',
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
  description: 'The rate in force as a share of the configured one; below 1 the API throttles.',
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
  description: 'How far the most overdue instance is behind, and the age at which data is no longer shown.',
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
  description: 'Time since the instances were last listed with success.',
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
      { height: 8, panels: [memory, cpu, uptime].map((panel) => ({ width: 8, panel })) },
    ],
  });
}
