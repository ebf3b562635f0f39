import type { InstanceState } from '../../../dist/domain/instance-state.js';
import type { Outcome } from '../../../dist/domain/model.js';
import type { StatusSnapshot } from '../../../dist/status/snapshot.js';
import { MINUTE, instance, snapshot, state, task, tracked } from '../http/helpers.js';

const ENGINES = [
  ['MySQL', '8.0'],
  ['PostgreSQL', '16.0'],
  ['SQLServer', '2019_std'],
  ['MariaDB', '10.3'],
] as const;
const REGIONS = ['cn-hangzhou', 'cn-shanghai', 'eu-central-1'];
const NAMES = ['billing', '订单数据库', 'search-index', 'crm', '用户中心 (prod)', 'metrics', 'ledger', 'sessions'];

/** A fleet that shows every state, most of it idle; the same for the same size and time. */
export function sampleFleet(size: number, now: number): InstanceState[] {
  return Array.from({ length: size }, (_, index) => sampleInstance(index, now));
}

function sampleInstance(index: number, now: number): InstanceState {
  const [engine, engineVersion] = ENGINES[index % ENGINES.length]!;
  const one = instance({
    account: index % 5 === 4 ? 'staging' : 'production',
    regionId: REGIONS[index % REGIONS.length]!,
    instanceId: `rm-bp1${(0x10_00_00 + index * 7_919).toString(36)}x${index}`,
    name: index % 9 === 8 ? '' : `${NAMES[index % NAMES.length]}-${index}`,
    engine,
    engineVersion,
    labels: { team: 'data', tag_env: 'prod' },
  });
  const age = 3_000 + (index % 40) * 1_000;
  const base = state({
    instance: one,
    firstSeenAt: now - 3 * 86_400_000,
    lastPoll: { at: now - age, error: undefined },
    lastGoodPollAt: now - age,
    outcomes: {
      Automated: ended(index % 17 === 3 ? 'Unknown' : 'Finished', now - (index % 30) * 50 * MINUTE - MINUTE),
    },
  });
  return { ...base, ...special(index, now) };
}

function ended(outcome: Outcome, at: number): NonNullable<InstanceState['outcomes']['Automated']> {
  const counts = { Finished: 3, Failed: 0, Unknown: 0, [outcome]: 4 };
  const last = { outcome, at, durationMs: 23 * MINUTE, backupJobId: '88110001', backupId: '1904417702' };
  return { counts, last: { [outcome]: last } };
}

function special(index: number, now: number): Partial<InstanceState> {
  const error = {
    kind: 'denied',
    code: 'Forbidden.RAM',
    message: 'User not authorized to operate on the specified resource.',
    requestId: '5B1D7C0E-3F52-5A7B-9C1D-0A9E3F6B7C11',
    retryAfterMs: undefined,
  } as const;
  const running = (processPercent: number, startedAt: number, lastProgressAt: number) =>
    tracked({
      task: task({ processPercent, backupJobId: String(88_120_000 + index) }),
      firstSeenAt: startedAt - MINUTE,
      runningSince: startedAt,
      runningFromPercent: 0,
      lastProgressAt,
    });
  switch (index % 120) {
    case 1:
      return { tasks: [running(62, now - 20 * MINUTE, now - 20_000)] };
    case 2:
      return { tasks: [running(38, now - 80 * MINUTE, now - 45 * MINUTE)] };
    case 3:
      return { outcomes: { Manual: ended('Failed', now - 12 * MINUTE) } };
    case 5:
      return { lastPoll: { at: now - 30_000, error }, lastGoodPollAt: now - 40 * MINUTE };
    case 7:
      return {
        tasks: [
          tracked({
            task: task({ backupStatus: 'NoStart', progressStatus: 'NoStart', processPercent: 0, mode: 'Manual' }),
            runningSince: undefined,
            firstSeenAt: now - 4 * MINUTE,
            lastProgressAt: now - 4 * MINUTE,
          }),
        ],
      };
    case 11:
      return { unsupported: 'Serverless instances have no backup tasks.', outcomes: {}, lastGoodPollAt: undefined };
    case 13:
      return { tasks: [running(91, now - 50 * MINUTE, now - 70_000)] };
    case 17:
      return {
        lastPoll: {
          at: now - 5_000,
          error: { ...error, kind: 'timeout', code: 'Timeout', message: 'no answer within 10 s', requestId: undefined },
        },
      };
    default:
      return {};
  }
}

export function sampleSnapshot(size: number, now: number, over: Partial<StatusSnapshot> = {}): StatusSnapshot {
  const base = snapshot({ now });
  const [place] = base.regions;
  const places = REGIONS.flatMap((regionId) =>
    ['production', 'staging'].map((account) =>
      Object.assign({}, place, { account, regionId, targets: Math.round(size / 6) }),
    ),
  );
  return {
    ...base,
    states: sampleFleet(size, now),
    regions: places,
    accounts: [
      { account: 'production', credentialType: 'ram_role_arn', problem: undefined },
      { account: 'staging', credentialType: 'access_key', problem: undefined },
    ],
    exporter: { ...base.exporter, startedAt: now - 3 * 86_400_000 },
    nextPollAt: ({ instanceId }) => now + (instanceId.length % 7) * 41_000,
    usedRequestsPerSecond: () => 1.7,
    ...over,
  };
}
