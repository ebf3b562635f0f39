import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import type { RegionStatus } from '../../../dist/domain/region-status.js';
import type { InstanceState } from '../../../dist/domain/instance-state.js';
import { aPlace, aState, completion, expose, NOW, outcomes, selfMetrics, tracked } from './fleet.js';

/** One state each; every one is rendered whole and compared with test/fixtures/metrics/NAME.txt. */
const CASES: Record<string, InstanceState> = {
  idle: aState(),
  queued: aState({
    tasks: [
      tracked(
        { backupStatus: undefined, progressStatus: 'NoStart', processPercent: 0 },
        { lastProgressAt: NOW - 600_000, runningSince: undefined },
      ),
    ],
  }),
  running: aState({ tasks: [tracked()] }),
  finishing: aState({ tasks: [tracked({ progressStatus: 'Finished', processPercent: 100 }, { outcomeLookups: 1 })] }),
  'failed-and-listed': aState({
    tasks: [tracked({ backupStatus: 'Failed', progressStatus: 'Finished', processPercent: 40 })],
    outcomes: { Automated: outcomes({ Failed: 1 }, completion({ outcome: 'Failed', at: NOW - 10_000 })) },
  }),
  'several-of-one-mode': aState({
    tasks: [
      tracked({ backupJobId: '1009', backupStatus: 'NoStart', progressStatus: 'NoStart', processPercent: 0 }),
      tracked({ backupJobId: '999', processPercent: 70 }),
      tracked({ backupJobId: '1002', processPercent: 10 }),
      tracked({ backupJobId: '2000', backupStatus: 'Finished', progressStatus: 'Finished', processPercent: 100 }),
      tracked({ backupJobId: '1500', mode: 'Manual', taskAction: 'TempBackupTask', processPercent: 55 }),
    ],
  }),
  'unknown-mode': aState({ tasks: [tracked({ mode: 'Unknown', backupStatus: 'Other', progressStatus: undefined })] }),
  'process-absent': aState({ tasks: [tracked({ processPercent: undefined })] }),
  'process-over-100': aState({ tasks: [tracked({ processPercent: 132 })] }),
  stale: aState({
    lastPoll: {
      at: NOW - 10_000,
      error: { kind: 'server', code: 'InternalError', message: '', requestId: undefined, retryAfterMs: undefined },
    },
    lastGoodPollAt: NOW - 900_000,
    tasks: [tracked()],
    outcomes: { Automated: outcomes({ Finished: 3 }, completion()) },
  }),
  'never-polled': aState({ lastPoll: undefined, lastGoodPollAt: undefined }),
  remembered: aState({
    lastPoll: undefined,
    lastGoodPollAt: undefined,
    tasks: [tracked({}, { outcomeLookups: 0 })],
    outcomes: { Manual: outcomes({ Finished: 3 }, completion()) },
  }),
  unsupported: aState({
    lastPoll: {
      at: NOW - 10_000,
      error: { kind: 'unsupported', code: 'X', message: '', requestId: undefined, retryAfterMs: undefined },
    },
    lastGoodPollAt: undefined,
    unsupported: 'the engine has no backup tasks',
  }),
  outcomes: aState({
    outcomes: {
      Automated: outcomes(
        { Finished: 12, Failed: 2, Unknown: 1 },
        completion(),
        completion({ outcome: 'Failed', durationMs: 61_000 }),
        completion({ outcome: 'Unknown', durationMs: undefined }),
      ),
      Manual: outcomes({}),
    },
  }),
};

const golden = (file: string): URL => new URL(`../../../test/fixtures/metrics/${file}`, import.meta.url);

/** `GOLDEN=write` accepts what is rendered now; read the difference before committing it. Under CI=true it is an error. */
function expectGolden(file: string, text: string): void {
  if (process.env.GOLDEN === 'write') {
    if (process.env.CI === 'true') throw new Error('GOLDEN=write would accept any output: unset it under CI=true');
    writeFileSync(golden(file), text);
  }
  expect(text).to.equal(readFileSync(golden(file), 'utf8'));
}

describe('the exposition', () => {
  for (const [name, state] of Object.entries(CASES)) {
    it(`of an instance: ${name.replaceAll('-', ' ')}`, async () => {
      expectGolden(`${name}.txt`, await expose({ states: [state] }));
    });
  }

  describe('of two accounts, everything counted', () => {
    const states = [
      ...Object.values(CASES).map((state, index) =>
        aState(state, { instanceId: `rm-${index}`, labels: { tag_env: 'prod', team: 'billing' } }),
      ),
      aState({}, { account: '测试', regionId: 'eu-central-1', name: '订单 "A"\\B\nC' }),
    ];
    const places: RegionStatus[] = [
      aPlace({
        targets: 14,
        targetsNeverPolled: 2,
        targetsUnsupported: 1,
        discovery: { success: true, lastSuccessAt: NOW - 60_000, problem: undefined },
        calls: [
          {
            action: 'DescribeBackupTasks',
            requestsPerSecond: 2.5,
            configuredRequestsPerSecond: 5,
            cooldown: undefined,
          },
          {
            action: 'DescribeDBInstances',
            requestsPerSecond: 5,
            configuredRequestsPerSecond: 5,
            cooldown: { until: NOW + 60_000, code: 'Forbidden.RAM', message: '' },
          },
        ],
        pollLagMs: 1_250,
      }),
      aPlace({
        account: '测试',
        regionId: 'eu-central-1',
        discovery: { success: false, lastSuccessAt: undefined, problem: 'no answer' },
      }),
    ];
    const self = selfMetrics({ state: true });
    const production = { account: 'production', regionId: 'cn-hangzhou' };
    const polls = self.requests.open(production, 'DescribeBackupTasks');
    self.requests.open(production, 'DescribeDBInstances');
    self.requests.open({ account: '测试', regionId: 'eu-central-1' }, 'DescribeBackupTasks');
    polls.ended(52, undefined);
    polls.ended(1_000, 'Throttling.User');
    self.unexpectedValue('JobMode');
    self.watchWebConfig(() => false);

    it('as text', async () => {
      expectGolden('everything.txt', await expose({ states, places, self }));
    });

    it('as OpenMetrics', async () => {
      expectGolden('everything.openmetrics', await expose({ states, places, self, format: 'openmetrics' }));
    });
  });

  it("leaves out an instance's tasks when its account and region is no longer there", async () => {
    expect(await expose({ states: [aState()], places: [] })).not.to.contain('alicloud_rds_backup_tasks');
  });

  it('follows a step of the wall clock, all of one scrape alike', async () => {
    const text = await expose({ states: [aState()], wallOffsetMs: 3_600_000 });
    expect(text).to.contain(
      `first_seen_timestamp_seconds{account="production",region_id="cn-hangzhou",instance_id="rm-1"} ${NOW / 1000}\n`,
    );
  });
});
