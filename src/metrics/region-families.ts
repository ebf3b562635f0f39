import type { ApiBudgetStatus, RegionStatus } from '../domain/region-status.js';
import type { Family, FamilyHead, Seconds } from './family.js';
import { labelBytes, moreLabelBytes, NO_MORE } from './labels.js';

export const REGION_LABELS = ['account', 'region_id'] as const;

const placeBytes = ({ account, regionId }: RegionStatus): Uint8Array => labelBytes({ account, region_id: regionId });

/** One value for each account and region; undefined leaves the sample out. */
function placeFamily(
  head: Pick<FamilyHead, 'name' | 'help'>,
  valueOf: (place: RegionStatus, seconds: Seconds) => number | undefined,
): Family<RegionStatus> {
  return {
    ...head,
    type: 'gauge',
    labels: REGION_LABELS,
    samples(place, sample, seconds) {
      const value = valueOf(place, seconds);
      if (value !== undefined) sample(placeBytes(place), NO_MORE, value);
    },
  };
}

/** One value for each action of each account and region. */
function callsFamily(
  head: Pick<FamilyHead, 'name' | 'help'>,
  valueOf: (calls: ApiBudgetStatus) => number,
): Family<RegionStatus> {
  return {
    ...head,
    type: 'gauge',
    labels: [...REGION_LABELS, 'action'],
    samples(place, sample) {
      for (const calls of place.calls) {
        sample(placeBytes(place), moreLabelBytes({ action: calls.action }), valueOf(calls));
      }
    },
  };
}

export const REGION_FAMILIES: readonly Family<RegionStatus>[] = [
  placeFamily(
    { name: 'alicloud_rds_backup_exporter_targets', help: 'Instances that are being polled.' },
    ({ targets }) => targets,
  ),
  placeFamily(
    {
      name: 'alicloud_rds_backup_exporter_targets_never_polled',
      help: 'Instances that are being polled but were not polled yet.',
    },
    ({ targetsNeverPolled }) => targetsNeverPolled,
  ),
  placeFamily(
    {
      name: 'alicloud_rds_backup_exporter_targets_unsupported',
      help: 'Instances that have no backup tasks by their type or engine.',
    },
    ({ targetsUnsupported }) => targetsUnsupported,
  ),
  placeFamily(
    {
      name: 'alicloud_rds_backup_exporter_stale_after_seconds',
      help: 'How old the last poll that worked may be before the tasks of an instance are no longer shown.',
    },
    ({ staleAfterMs }) => staleAfterMs / 1000,
  ),
  placeFamily(
    {
      name: 'alicloud_rds_backup_exporter_discovery_success',
      help: 'Whether the last discovery of instances worked (1) or not (0).',
    },
    ({ discovery }) => discovery && Number(discovery.success),
  ),
  placeFamily(
    {
      name: 'alicloud_rds_backup_exporter_discovery_last_success_timestamp_seconds',
      help: 'When a discovery of instances last worked, in seconds since the epoch.',
    },
    ({ discovery }, seconds) => (discovery?.lastSuccessAt === undefined ? undefined : seconds(discovery.lastSuccessAt)),
  ),
  callsFamily(
    {
      name: 'alicloud_rds_backup_exporter_api_rate_limit_requests_per_second',
      help: 'The rate limit in force now; it falls when the API throttles, and recovers.',
    },
    ({ requestsPerSecond }) => requestsPerSecond,
  ),
  callsFamily(
    {
      name: 'alicloud_rds_backup_exporter_api_rate_limit_configured_requests_per_second',
      help: 'The configured rate limit, divided by the number of shards.',
    },
    ({ configuredRequestsPerSecond }) => configuredRequestsPerSecond,
  ),
  callsFamily(
    {
      name: 'alicloud_rds_backup_exporter_api_cooldown',
      help: 'Whether calls are held back after an authorisation failure or an outage (1) or not (0).',
    },
    ({ cooldown }) => Number(cooldown !== undefined),
  ),
  placeFamily(
    {
      name: 'alicloud_rds_backup_exporter_poll_lag_seconds',
      help: 'How far the most overdue instance is behind the time its poll was due.',
    },
    ({ pollLagMs }) => pollLagMs / 1000,
  ),
];
