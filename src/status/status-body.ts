import type { Facets, Found } from './fleet-index.js';
import { instanceBody } from './instance-body.js';
import type { InstanceBody } from './instance-body.js';
import { timeText } from './time-text.js';
import type { PageState } from '../domain/page-state.js';
import type { StatusSnapshot } from './snapshot.js';
import type { StatusQuery } from './query.js';

/** The answer of /api/v1/status; also what the status page shows. Times are RFC 3339 in UTC. */
export interface StatusBody {
  readonly version: string;
  readonly now: string;
  readonly exporter: ExporterBody;
  readonly accounts: readonly AccountBody[];
  readonly regions: readonly RegionBody[];
  readonly skipped: { readonly total: number; readonly instances: readonly SkippedInstanceBody[] };
  /** What the filters can be set to. */
  readonly facets: {
    readonly account: readonly string[];
    readonly region_id: readonly string[];
    readonly engine: readonly string[];
  };
  /** By state, of all that match everything but `state`. */
  readonly counts: Readonly<Record<PageState, number>>;
  /** How many instances match. */
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
  readonly instances: readonly InstanceBody[];
}

export interface ExporterBody {
  readonly revision: string;
  readonly node_version: string;
  readonly started: string;
  readonly ready: boolean;
  /** Why it is not ready; empty when it is. */
  readonly reason: string;
  readonly shard: { readonly index: number; readonly count: number };
  readonly config_reload: { readonly successful: boolean; readonly last_success: string };
  /** Null when no state is kept. */
  readonly state_saved: boolean | null;
}

export interface AccountBody {
  readonly account: string;
  readonly credential_type: string;
  readonly problem: { readonly code: string; readonly message: string; readonly at: string | null } | null;
}

export interface RegionBody {
  readonly account: string;
  readonly region_id: string;
  readonly targets: number;
  readonly targets_never_polled: number;
  readonly targets_unsupported: number;
  readonly stale_after_seconds: number;
  readonly poll_lag_seconds: number;
  /** Null where discovery is off. */
  readonly discovery: {
    readonly success: boolean;
    readonly last_success: string | null;
    readonly problem: string | null;
  } | null;
  /** The budget of each action in use. */
  readonly api: readonly {
    readonly action: string;
    readonly used_requests_per_second: number | null;
    readonly requests_per_second: number;
    readonly configured_requests_per_second: number;
    readonly cooldown: { readonly until: string; readonly code: string; readonly message: string } | null;
  }[];
}

export interface SkippedInstanceBody {
  readonly account: string;
  readonly region_id: string;
  readonly instance_id: string;
  readonly name: string;
  readonly reason: string;
}

const MAX_LEFT_OUT = 100;

export interface StatusParts {
  readonly snapshot: StatusSnapshot;
  readonly readiness: { readonly ready: boolean; readonly reason: string };
  readonly query: StatusQuery;
  readonly found: Found;
  readonly facets: Facets;
}

export function statusBody(parts: StatusParts, onBug: (error: unknown) => void): StatusBody {
  const { snapshot, found } = parts;
  return {
    ...statusHead(parts),
    now: timeText(snapshot, snapshot.now),
    instances: found.rows.map((row) => instanceBody(row, snapshot, onBug)),
  };
}

/** All but the instances and the clock. */
export function statusHead(parts: StatusParts): Omit<StatusBody, 'now' | 'instances'> {
  const { snapshot, readiness, query, found, facets } = parts;
  return {
    version: snapshot.exporter.version,
    exporter: exporterAnswer(snapshot, readiness),
    accounts: snapshot.accounts.map(({ account, credentialType, problem }) => ({
      account,
      credential_type: credentialType,
      problem: problem ? { code: problem.code, message: problem.message, at: timeText(snapshot, problem.at) } : null,
    })),
    regions: regionBodies(snapshot),
    skipped: skippedBody(snapshot),
    facets: { account: facets.accounts, region_id: facets.regionIds, engine: facets.engines },
    counts: found.counts,
    total: found.total,
    limit: query.limit,
    offset: query.offset,
  };
}

function exporterAnswer(snapshot: StatusSnapshot, { ready, reason }: StatusParts['readiness']): ExporterBody {
  const { exporter } = snapshot;
  return {
    revision: exporter.revision,
    node_version: exporter.nodeVersion,
    started: timeText(snapshot, exporter.startedAt),
    ready,
    reason: ready ? '' : reason,
    shard: { index: exporter.shard.index, count: exporter.shard.count },
    config_reload: {
      successful: exporter.configReload.successful,
      last_success: timeText(snapshot, exporter.configReload.lastSuccessAt),
    },
    state_saved: exporter.stateSaved ?? null,
  };
}

function regionBodies(snapshot: StatusSnapshot): RegionBody[] {
  return snapshot.regions.map((place) => ({
    account: place.account,
    region_id: place.regionId,
    targets: place.targets,
    targets_never_polled: place.targetsNeverPolled,
    targets_unsupported: place.targetsUnsupported,
    stale_after_seconds: place.staleAfterMs / 1_000,
    poll_lag_seconds: place.pollLagMs / 1_000,
    discovery: place.discovery
      ? {
          success: place.discovery.success,
          last_success: timeText(snapshot, place.discovery.lastSuccessAt),
          problem: place.discovery.problem ?? null,
        }
      : null,
    api: place.calls.map(({ action, requestsPerSecond, configuredRequestsPerSecond, cooldown }) => ({
      action,
      used_requests_per_second: snapshot.usedRequestsPerSecond(place, action) ?? null,
      requests_per_second: requestsPerSecond,
      configured_requests_per_second: configuredRequestsPerSecond,
      cooldown: cooldown
        ? { until: timeText(snapshot, cooldown.until), code: cooldown.code, message: cooldown.message }
        : null,
    })),
  }));
}

function skippedBody({ skipped }: StatusSnapshot): StatusBody['skipped'] {
  const instances = skipped.slice(0, MAX_LEFT_OUT).map(({ account, regionId, instanceId, name, reason }) => ({
    account,
    region_id: regionId,
    instance_id: instanceId,
    name,
    reason,
  }));
  return { total: skipped.length, instances };
}
