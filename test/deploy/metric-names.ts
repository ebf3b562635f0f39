/** Every metric that the exporter serves and that rules, dashboards and runbooks may name, with its type. */
export const METRICS: Readonly<Record<string, 'gauge' | 'counter' | 'histogram'>> = {
  alicloud_rds_backup_instance_info: 'gauge',
  alicloud_rds_backup_instance_first_seen_timestamp_seconds: 'gauge',
  alicloud_rds_backup_instance_poll_success: 'gauge',
  alicloud_rds_backup_instance_last_poll_success_timestamp_seconds: 'gauge',
  alicloud_rds_backup_tasks: 'gauge',
  alicloud_rds_backup_task_status: 'gauge',
  alicloud_rds_backup_task_progress_status: 'gauge',
  alicloud_rds_backup_task_progress_ratio: 'gauge',
  alicloud_rds_backup_task_first_seen_timestamp_seconds: 'gauge',
  alicloud_rds_backup_task_last_progress_timestamp_seconds: 'gauge',
  alicloud_rds_backup_task_running_since_timestamp_seconds: 'gauge',
  alicloud_rds_backup_task_stuck_after_seconds: 'gauge',
  alicloud_rds_backup_task_info: 'gauge',
  alicloud_rds_backup_completed_tasks_total: 'counter',
  alicloud_rds_backup_last_completion_timestamp_seconds: 'gauge',
  alicloud_rds_backup_last_completion_duration_seconds: 'gauge',
  alicloud_rds_backup_exporter_build_info: 'gauge',
  alicloud_rds_backup_exporter_targets: 'gauge',
  alicloud_rds_backup_exporter_targets_never_polled: 'gauge',
  alicloud_rds_backup_exporter_targets_unsupported: 'gauge',
  alicloud_rds_backup_exporter_stale_after_seconds: 'gauge',
  alicloud_rds_backup_exporter_discovery_success: 'gauge',
  alicloud_rds_backup_exporter_discovery_last_success_timestamp_seconds: 'gauge',
  alicloud_rds_backup_exporter_api_requests_total: 'counter',
  alicloud_rds_backup_exporter_api_request_failures_total: 'counter',
  alicloud_rds_backup_exporter_api_request_duration_seconds: 'histogram',
  alicloud_rds_backup_exporter_api_rate_limit_requests_per_second: 'gauge',
  alicloud_rds_backup_exporter_api_rate_limit_configured_requests_per_second: 'gauge',
  alicloud_rds_backup_exporter_api_cooldown: 'gauge',
  alicloud_rds_backup_exporter_poll_lag_seconds: 'gauge',
  alicloud_rds_backup_exporter_unexpected_values_total: 'counter',
  alicloud_rds_backup_exporter_config_last_reload_successful: 'gauge',
  alicloud_rds_backup_exporter_config_last_reload_success_timestamp_seconds: 'gauge',
  alicloud_rds_backup_exporter_state_last_save_successful: 'gauge',
  alicloud_rds_backup_exporter_shard_index: 'gauge',
  alicloud_rds_backup_exporter_shards: 'gauge',
};

/** The metrics of this exporter and the recorded series that a text names; series of a histogram by the histogram's name. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/[a-z_:]*alicloud_rds_backup_[\w:]+/g)].map(([name]) =>
    name.replace(/_(?:bucket|sum|count)$/, ''),
  );
}
