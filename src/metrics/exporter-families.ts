import type { FamilyHead } from './family.js';
import { REGION_LABELS } from './region-families.js';

/** What the program counts and says of itself; self.ts holds the values. */
export const EXPORTER_FAMILIES = {
  buildInfo: {
    name: 'alicloud_rds_backup_exporter_build_info',
    help: 'Always 1, with the version and revision of the exporter and the version of Node.js it runs on.',
    type: 'gauge',
    labels: ['version', 'revision', 'nodeversion'],
  },
  requests: {
    name: 'alicloud_rds_backup_exporter_api_requests_total',
    help: 'Requests sent to the API, every attempt.',
    type: 'counter',
    labels: [...REGION_LABELS, 'action'],
  },
  failures: {
    name: 'alicloud_rds_backup_exporter_api_request_failures_total',
    help: 'Attempts that failed, by the error code of the API, or Timeout, ConnectionError, BadResponse or the HTTP status.',
    type: 'counter',
    labels: [...REGION_LABELS, 'action', 'code'],
  },
  durations: {
    name: 'alicloud_rds_backup_exporter_api_request_duration_seconds',
    help: 'How long one attempt of a request to the API took.',
    type: 'histogram',
    labels: ['action'],
  },
  unexpectedValues: {
    name: 'alicloud_rds_backup_exporter_unexpected_values_total',
    help: 'Values that the documentation of the API does not list, once for each backup task and field.',
    type: 'counter',
    labels: ['field'],
  },
  internalErrors: {
    name: 'alicloud_rds_backup_exporter_internal_errors_total',
    help: 'Exceptions that should not exist: bugs in the exporter, which the log names.',
    type: 'counter',
    labels: [],
  },
  reloadSuccessful: {
    name: 'alicloud_rds_backup_exporter_config_last_reload_successful',
    help: 'Whether the configuration was last loaded successfully (1) or not (0).',
    type: 'gauge',
    labels: [],
  },
  reloadTimestamp: {
    name: 'alicloud_rds_backup_exporter_config_last_reload_success_timestamp_seconds',
    help: 'When the configuration was last loaded successfully, in seconds since the epoch.',
    type: 'gauge',
    labels: [],
  },
  webConfigSuccessful: {
    name: 'alicloud_rds_backup_exporter_web_config_last_reload_successful',
    help: 'Whether the web configuration and the files it names are in force as they are now (1) or broken (0).',
    type: 'gauge',
    labels: [],
  },
  saveSuccessful: {
    name: 'alicloud_rds_backup_exporter_state_last_save_successful',
    help: 'Whether the state was last saved successfully (1) or not (0).',
    type: 'gauge',
    labels: [],
  },
  shardIndex: {
    name: 'alicloud_rds_backup_exporter_shard_index',
    help: 'The index of this shard, from 0.',
    type: 'gauge',
    labels: [],
  },
  shards: {
    name: 'alicloud_rds_backup_exporter_shards',
    help: 'The number of shards that share the instances.',
    type: 'gauge',
    labels: [],
  },
} as const satisfies Record<string, FamilyHead>;
