import { modesOf, openTasks } from '../domain/task-status.js';
import type { Mode } from '../domain/model.js';
import type { Family } from './family.js';
import { moreLabelBytes, NO_MORE } from './labels.js';
import type { ScrapedInstance } from './scraped-instance.js';

export const INSTANCE_LABELS = ['account', 'region_id', 'instance_id'] as const;

/** The mode as a label after those of the instance. */
export const MODE_BYTES: { readonly [M in Mode]: Uint8Array } = {
  Automated: moreLabelBytes({ mode: 'Automated' }),
  Manual: moreLabelBytes({ mode: 'Manual' }),
  Unknown: moreLabelBytes({ mode: 'Unknown' }),
};

export const INSTANCE_FAMILIES: readonly Family<ScrapedInstance>[] = [
  {
    name: 'alicloud_rds_backup_instance_info',
    help: 'Always 1, one for each instance the exporter watches, with its name, engine, static labels and tags.',
    type: 'gauge',
    labels: [...INSTANCE_LABELS, 'name', 'engine', 'engine_version'],
    samples: (row, sample) => sample(row.labels, row.infoLabels, 1),
  },
  {
    name: 'alicloud_rds_backup_instance_first_seen_timestamp_seconds',
    help: 'When the exporter began to watch the instance, in seconds since the epoch.',
    type: 'gauge',
    labels: INSTANCE_LABELS,
    samples({ state, labels }, sample, seconds) {
      if (state.lastPoll !== undefined) sample(labels, NO_MORE, seconds(state.firstSeenAt));
    },
  },
  {
    name: 'alicloud_rds_backup_instance_poll_success',
    help: 'Whether the last poll of the instance worked (1) or not (0).',
    type: 'gauge',
    labels: INSTANCE_LABELS,
    samples({ state, labels }, sample) {
      if (state.lastPoll !== undefined && state.unsupported === undefined) {
        sample(labels, NO_MORE, Number(state.lastPoll.error === undefined));
      }
    },
  },
  {
    name: 'alicloud_rds_backup_instance_last_poll_success_timestamp_seconds',
    help: 'When a poll of the instance last worked, in seconds since the epoch.',
    type: 'gauge',
    labels: INSTANCE_LABELS,
    samples({ state, labels }, sample, seconds) {
      if (state.lastGoodPollAt !== undefined) sample(labels, NO_MORE, seconds(state.lastGoodPollAt));
    },
  },
  {
    name: 'alicloud_rds_backup_tasks',
    help: 'Backup tasks that have not ended, as of the last poll that worked.',
    type: 'gauge',
    labels: [...INSTANCE_LABELS, 'mode'],
    samples({ state, labels, fresh }, sample) {
      if (!fresh) return;
      for (const mode of modesOf(state)) sample(labels, MODE_BYTES[mode], openTasks(state, mode));
    },
  },
];
