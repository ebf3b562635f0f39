import type { Action, AccountRegion } from './model.js';

/** What is to be told about one account and region at a scrape or on the status page. A snapshot. */
export interface RegionStatus extends AccountRegion {
  /** Instances being polled. */
  readonly targets: number;
  /** Of these, not yet polled. */
  readonly targetsNeverPolled: number;
  readonly targetsUnsupported: number;
  /** The limit in force for stale data: the larger of `stale_after` and three times the interval really reached. */
  readonly staleAfterMs: number;
  /** Undefined where discovery is off. */
  readonly discovery: DiscoveryStatus | undefined;
  /** One row for each action that this place uses. */
  readonly calls: readonly ApiBudgetStatus[];
  /** How far the most overdue target is behind its due time; 0 until the first sweep has ended. */
  readonly pollLagMs: number;
}

export interface DiscoveryStatus {
  /** Whether the last discovery worked; false until the first does. */
  readonly success: boolean;
  readonly lastSuccessAt: number | undefined;
  /** Why the last one failed, for people. */
  readonly problem: string | undefined;
}

/** The budget of one API action. */
export interface ApiBudgetStatus {
  readonly action: Action;
  readonly requestsPerSecond: number;
  readonly configuredRequestsPerSecond: number;
  /** Set while calls are held back after an authorisation failure or an outage. */
  readonly cooldown: { readonly until: number; readonly code: string; readonly message: string } | undefined;
}
