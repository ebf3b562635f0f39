import type { Clock } from '../clock.js';
import type { LogFields, Logger } from '../log.js';
import type { Action } from '../domain/model.js';
import type { CollectorMetrics, FleetPort, RdsClient } from './ports.js';
import type { RegionSettings } from './region-settings.js';
import type { Scheduler } from './scheduler.js';

/** What every account and region shares with the others. */
export interface CollectorContext {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  readonly fleet: FleetPort;
  readonly scheduler: Scheduler;
  readonly metrics: CollectorMetrics;
  /** Connects to the API. `observe` is told of every attempt that was sent and not given up; `code` is undefined when it worked. */
  readonly connect: (
    settings: RegionSettings,
    observe: (action: Action, durationMs: number, code: string | undefined) => void,
  ) => RdsClient;
  /** Logs and counts an exception that should not exist. */
  readonly onInternalError: (thrown: unknown, fields?: LogFields) => void;
  /** Poll everything once and no more. */
  readonly isOnce: boolean;
}
