import type { LookupFunction } from 'node:net';
import type { Clock } from '../clock.js';
import type { Fleet } from '../state/fleet.js';
import type { LogFields, Logger } from '../log.js';
import type { ExporterMetrics } from '../metrics/exporter-metrics.js';
import type { Scheduler } from './scheduler.js';

/** What every account and region shares with the others. */
export interface CollectorContext {
  readonly version: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  readonly fleet: Fleet;
  readonly scheduler: Scheduler;
  readonly metrics: ExporterMetrics;
  /** Logs and counts an exception that should not exist. */
  readonly onInternalError: (thrown: unknown, fields?: LogFields) => void;
  /** Poll everything once and no more. */
  readonly isOnce: boolean;
  /** In place of the system's name resolution. */
  readonly lookup: LookupFunction | undefined;
}
