import type { RegionStatus } from '../domain/region-status.js';
import type { InstanceState } from '../domain/instance-state.js';
import type { Action, Instance, AccountRegion } from '../domain/model.js';

/** Everything the status page and the status API tell, as of one moment. Times are on the steady timeline. */
export interface StatusSnapshot {
  /** Changes whenever a state does or an instance comes or goes. */
  readonly version: number;
  /** In an order that stays the same from one snapshot to the next; a changed instance has a new state object. */
  readonly states: readonly InstanceState[];
  readonly regions: readonly RegionStatus[];
  readonly accounts: readonly AccountView[];
  /** Instances that discovery listed and configuration or type left out. */
  readonly skipped: readonly SkippedInstanceStatus[];
  readonly exporter: ExporterView;
  readonly now: number;
  /** A steady time as wall clock milliseconds. */
  toWall(steadyMs: number): number;
  /** When the instance is due next; undefined while it is being polled or nothing is planned. */
  nextPollAt(instance: Instance): number | undefined;
  /** Requests a second that this action really sent of late, every attempt; undefined when not measured. */
  usedRequestsPerSecond(place: AccountRegion, action: Action): number | undefined;
}

/** Whether an account's credentials work. */
export interface AccountView {
  readonly account: string;
  /** The configured credential type. */
  readonly credentialType: string;
  /** Undefined while they work or were not needed yet. Holds no secret. */
  readonly problem: { readonly code: string; readonly message: string; readonly at: number | undefined } | undefined;
}

export interface SkippedInstanceStatus extends AccountRegion {
  readonly instanceId: string;
  readonly name: string;
  readonly reason: string;
}

export interface ExporterView {
  readonly version: string;
  readonly revision: string;
  readonly nodeVersion: string;
  readonly startedAt: number;
  readonly shard: { readonly index: number; readonly count: number };
  readonly configReload: {
    readonly successful: boolean;
    readonly lastSuccessAt: number;
  };
  /** Whether the last save worked; undefined when no state is kept. */
  readonly stateSaved: boolean | undefined;
}
