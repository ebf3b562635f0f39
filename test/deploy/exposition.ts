/** A page of metrics that shows something in every panel: one backup runs, one is stuck, one is queued, one failed. */
const PLACE = 'account="prod",region_id="cn-hangzhou"';

interface Sample {
  readonly name: string;
  readonly labels?: string;
  readonly value: number;
}

const task = (id: string, mode: string): string => `${PLACE},instance_id="rm-${id}",mode="${mode}"`;

function instances(now: number): readonly Sample[] {
  return ['running', 'stuck', 'queued', 'failed'].flatMap((id) => {
    const labels = `${PLACE},instance_id="rm-${id}"`;
    return [
      { name: 'instance_info', labels: `${labels},name="the ${id} one",engine="MySQL",engine_version="8.0"`, value: 1 },
      { name: 'instance_first_seen_timestamp_seconds', labels, value: now - 86_400 },
      { name: 'instance_poll_success', labels, value: id === 'failed' ? 0 : 1 },
      { name: 'instance_last_poll_success_timestamp_seconds', labels, value: now - 20 },
      { name: 'tasks', labels: `${labels},mode="Automated"`, value: id === 'failed' ? 0 : 1 },
    ];
  });
}

function tasks(now: number): readonly Sample[] {
  const running = ['running', 'stuck'].flatMap((id) => {
    const labels = task(id, 'Automated');
    return [
      { name: 'task_status', labels: `${labels},status="Uploading"`, value: 1 },
      { name: 'task_status', labels: `${labels},status="NoStart"`, value: 0 },
      { name: 'task_progress_status', labels: `${labels},status="Uploading"`, value: 1 },
      { name: 'task_progress_ratio', labels, value: 0.4 },
      { name: 'task_first_seen_timestamp_seconds', labels, value: now - 4000 },
      { name: 'task_running_since_timestamp_seconds', labels, value: now - 3900 },
      { name: 'task_last_progress_timestamp_seconds', labels, value: id === 'stuck' ? now - 3900 : now - 60 },
      { name: 'task_stuck_after_seconds', labels, value: 1800 },
      { name: 'task_info', labels: `${labels},backup_job_id="4711",task_action="CREATE_BACKUP"`, value: 1 },
    ];
  });
  const queued = task('queued', 'Automated');
  return [
    ...running,
    { name: 'task_status', labels: `${queued},status="NoStart"`, value: 1 },
    { name: 'task_first_seen_timestamp_seconds', labels: queued, value: now - 60 },
    { name: 'task_last_progress_timestamp_seconds', labels: queued, value: now - 60 },
  ];
}

function outcomes(now: number, scrape: number): readonly Sample[] {
  return ['running', 'stuck', 'failed'].flatMap((id) =>
    ['Finished', 'Failed', 'Unknown'].flatMap((outcome) => {
      const labels = `${task(id, 'Automated')},outcome="${outcome}"`;
      const age = outcome === 'Finished' ? 90_000 : 7200;
      const seen = outcome === 'Finished' || (outcome === 'Failed' && id === 'failed');
      const counter = { name: 'completed_tasks_total', labels, value: seen ? scrape : 0 };
      if (!seen) return [counter];
      return [
        counter,
        { name: 'last_completion_timestamp_seconds', labels, value: now - age },
        { name: 'last_completion_duration_seconds', labels, value: 1200 },
      ];
    }),
  );
}

function exporter(now: number, scrape: number): readonly Sample[] {
  const action = 'action="DescribeBackupTasks"';
  const calls = `${PLACE},${action}`;
  const timed = (name: string, value: number, more = ''): Sample => ({
    name: `exporter_api_request_duration_seconds_${name}`,
    labels: action + more,
    value,
  });
  return [
    { name: 'exporter_build_info', labels: 'version="0.1.0",revision="abc",nodeversion="24"', value: 1 },
    { name: 'exporter_targets', labels: PLACE, value: 4 },
    { name: 'exporter_targets_never_polled', labels: PLACE, value: 1 },
    { name: 'exporter_targets_unsupported', labels: PLACE, value: 2 },
    { name: 'exporter_stale_after_seconds', labels: PLACE, value: 900 },
    { name: 'exporter_discovery_success', labels: PLACE, value: 1 },
    { name: 'exporter_discovery_last_success_timestamp_seconds', labels: PLACE, value: now - 300 },
    { name: 'exporter_api_requests_total', labels: calls, value: scrape * 10 },
    { name: 'exporter_api_request_failures_total', labels: `${calls},code="Throttling.User"`, value: scrape },
    timed('bucket', scrape * 5, ',le="0.1"'),
    timed('bucket', scrape * 10, ',le="+Inf"'),
    timed('sum', scrape),
    timed('count', scrape * 10),
    { name: 'exporter_api_rate_limit_requests_per_second', labels: calls, value: 2.5 },
    { name: 'exporter_api_rate_limit_configured_requests_per_second', labels: calls, value: 5 },
    { name: 'exporter_api_cooldown', labels: calls, value: 1 },
    { name: 'exporter_poll_lag_seconds', labels: PLACE, value: 12 },
  ];
}

/** The page at the time `now` (s) for the nth scrape; counters grow with it. */
export function exposition(now: number, scrape: number): string {
  const samples = [...instances(now), ...tasks(now), ...outcomes(now, scrape), ...exporter(now, scrape)];
  const own = samples.map(({ name, labels = '', value }) => `alicloud_rds_backup_${name}{${labels}} ${value}\n`);
  const process = {
    process_resident_memory_bytes: 5e7,
    process_cpu_seconds_total: scrape / 10,
    process_start_time_seconds: now - 100,
  };
  return [...own, ...Object.entries(process).map(([name, value]) => `${name} ${value}\n`)].join('');
}
