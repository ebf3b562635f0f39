/** States to render, with everything that a case does not speak of left at its usual value. */
import type { RegionStatus } from '../../../dist/domain/region-status.js';
import type { Completion, InstanceState, ModeOutcomes, TrackedTask } from '../../../dist/domain/instance-state.js';
import { ChunkPool } from '../../../dist/metrics/chunks.js';
import { renderFleet, renderOwn } from '../../../dist/metrics/exposition.js';
import type { Format } from '../../../dist/metrics/negotiate.js';
import type { ExporterMetricsOptions } from '../../../dist/metrics/exporter-metrics.js';
import { ExporterMetrics } from '../../../dist/metrics/exporter-metrics.js';
import type { BackupTask, Instance } from '../../../dist/domain/model.js';
import { FakeClock } from '../../helpers/fake-clock.js';

export const NOW = Date.parse('2026-01-15T08:30:00Z');

function anInstance(over: Partial<Instance> = {}): Instance {
  return {
    account: 'production',
    regionId: 'cn-hangzhou',
    instanceId: 'rm-1',
    name: 'orders',
    engine: 'MySQL',
    engineVersion: '8.0',
    labels: {},
    stuckAfterMs: 1_800_000,
    ...over,
  };
}

/** Idle, polled ten seconds ago. */
export function aState(over: Partial<InstanceState> = {}, instance: Partial<Instance> = {}): InstanceState {
  return {
    firstSeenAt: NOW - 3_600_000,
    lastPoll: { at: NOW - 10_000, error: undefined },
    lastGoodPollAt: NOW - 10_000,
    tasks: [],
    outcomes: {},
    countedJobs: [],
    unsupported: undefined,
    ...over,
    instance: anInstance(instance),
  };
}

/** Running, automated, a quarter done. */
export function aTask(over: Partial<BackupTask> = {}): BackupTask {
  return {
    backupJobId: '1001',
    mode: 'Automated',
    backupStatus: 'Uploading',
    progressStatus: 'Uploading',
    processPercent: 25,
    taskAction: 'NormalBackupTask',
    backupId: undefined,
    unexpected: [],
    ...over,
  };
}

export function tracked(task: Partial<BackupTask> = {}, over: Partial<TrackedTask> = {}): TrackedTask {
  return {
    task: aTask(task),
    firstSeenAt: NOW - 600_000,
    lastProgressAt: NOW - 30_000,
    runningSince: NOW - 300_000,
    outcomeLookups: undefined,
    pendingCompletion: undefined,
    ...over,
  };
}

export function completion(over: Partial<Completion> = {}): Completion {
  return {
    outcome: 'Finished',
    at: NOW - 7_200_000,
    durationMs: 754_500,
    backupJobId: '900',
    backupId: '5000',
    ...over,
  };
}

export function outcomes(counts: Partial<ModeOutcomes['counts']>, ...last: readonly Completion[]): ModeOutcomes {
  return {
    counts: { Finished: 0, Failed: 0, Unknown: 0, ...counts },
    last: Object.fromEntries(last.map((one) => [one.outcome, one])),
  };
}

export function aPlace(over: Partial<RegionStatus> = {}): RegionStatus {
  return {
    account: 'production',
    regionId: 'cn-hangzhou',
    targets: 1,
    targetsNeverPolled: 0,
    targetsUnsupported: 0,
    staleAfterMs: 900_000,
    discovery: undefined,
    calls: [],
    pollLagMs: 0,
    ...over,
  };
}

/** The fleet of the benchmarks: every tenth instance has a running task, all have outcomes of both modes. */
export function aFleet(size: number): readonly InstanceState[] {
  return Array.from({ length: size }, (_, index) => {
    const both = outcomes({ Finished: 30 + (index % 7), Failed: index % 2 }, completion({ at: NOW - index * 1000 }));
    const instance = {
      instanceId: `rm-bp1${String(index).padStart(12, '0')}`,
      name: `订单数据库-${index}`,
      labels: { tag_env: 'prod', team: 'billing' },
    };
    const state = {
      lastPoll: { at: NOW - (index % 300_000), error: undefined },
      lastGoodPollAt: NOW - (index % 300_000),
      tasks: index % 10 === 0 ? [tracked({ backupJobId: String(5_000_000 + index) })] : [],
      outcomes: { Automated: both, Manual: both },
    };
    return aState(state, instance);
  });
}

export function selfMetrics(over: Partial<ExporterMetricsOptions> = {}): ExporterMetrics {
  return new ExporterMetrics({
    version: '1.2.3',
    revision: 'abc1234',
    nodeVersion: '20.19.0',
    shard: { index: 0, count: 1 },
    state: false,
    processFamilies: false,
    clock: new FakeClock(NOW),
    ...over,
  });
}

export interface Exposed {
  readonly states: readonly InstanceState[];
  readonly places?: readonly RegionStatus[];
  readonly self?: ExporterMetrics;
  readonly format?: Format;
  readonly wallOffsetMs?: number;
}

/** A whole exposition at `NOW`; of the exporter itself only what is asked for. */
export async function expose({ states, places, self, format = 'text', wallOffsetMs = 0 }: Exposed): Promise<string> {
  const view = {
    states,
    regions: places ?? [aPlace()],
    now: NOW,
    toWall: (steadyMs: number) => steadyMs + wallOffsetMs,
  };
  const chunks: Buffer[] = [];
  for await (const chunk of renderFleet(view, { format, pool: new ChunkPool() })) chunks.push(chunk);
  const own = places === undefined && self === undefined ? { ...view, regions: [] } : view;
  return Buffer.concat([...chunks, renderOwn(own, (await self?.families()) ?? [], format)]).toString();
}
