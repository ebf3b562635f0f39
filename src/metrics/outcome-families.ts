import type { Completion } from '../domain/instance-state.js';
import type { Mode, Outcome } from '../domain/model.js';
import { MODES, OUTCOMES } from '../domain/model.js';
import type { Family, FamilyHead, Seconds } from './family.js';
import { INSTANCE_LABELS } from './instance-families.js';
import { moreLabelBytes } from './labels.js';
import type { ScrapedInstance } from './scraped-instance.js';

const OUTCOME_LABELS = [...INSTANCE_LABELS, 'mode', 'outcome'] as const;

/** Every mode with every outcome, and both as labels after those of the instance. */
const PAIRS: readonly { readonly mode: Mode; readonly outcome: Outcome; readonly bytes: Uint8Array }[] = MODES.flatMap(
  (mode) => OUTCOMES.map((outcome) => ({ mode, outcome, bytes: moreLabelBytes({ mode, outcome }) })),
);

/** A value of the last completion of each mode and outcome; undefined leaves the sample out. */
function lastFamily(
  head: Pick<FamilyHead, 'name' | 'help'>,
  valueOf: (completion: Completion, seconds: Seconds) => number | undefined,
): Family<ScrapedInstance> {
  return {
    ...head,
    type: 'gauge',
    labels: OUTCOME_LABELS,
    samples({ state, labels }, sample, seconds) {
      for (const { mode, outcome, bytes } of PAIRS) {
        const last = state.outcomes[mode]?.last[outcome];
        const value = last && valueOf(last, seconds);
        if (value !== undefined) sample(labels, bytes, value);
      }
    },
  };
}

export const OUTCOME_FAMILIES: readonly Family<ScrapedInstance>[] = [
  {
    name: 'alicloud_rds_backup_completed_tasks_total',
    help: 'Backup tasks that were seen to end, by outcome; Unknown means that the task vanished and the API would not say how it ended.',
    type: 'counter',
    labels: OUTCOME_LABELS,
    samples({ state, labels }, sample) {
      for (const { mode, outcome, bytes } of PAIRS) {
        const counts = state.outcomes[mode]?.counts;
        if (counts !== undefined) sample(labels, bytes, counts[outcome]);
      }
    },
  },
  lastFamily(
    {
      name: 'alicloud_rds_backup_last_completion_timestamp_seconds',
      help: 'When a poll last saw a backup task end with this outcome, in seconds since the epoch.',
    },
    ({ at }, seconds) => seconds(at),
  ),
  lastFamily(
    {
      name: 'alicloud_rds_backup_last_completion_duration_seconds',
      help: 'How long the last backup task with this outcome took, from the poll that first saw it running to the poll that saw it ended.',
    },
    ({ durationMs }) => (durationMs === undefined ? undefined : durationMs / 1000),
  ),
];
