import { expect } from 'chai';
import type { Simulator } from '../../../dist/simulator/server.js';
import { startSimulator } from '../../../dist/simulator/server.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import type { Asked, Told } from './client.js';
import { ask, until } from './client.js';

const NOW = '2026-01-15T08:30:00Z';
const REGION = 'cn-hangzhou';

describe('the quota and the records of the simulator', () => {
  let clock: FakeClock;
  let simulator: Simulator;

  beforeEach(async () => {
    clock = new FakeClock(Date.parse(NOW));
    simulator = await startSimulator({
      clock,
      accounts: [
        { name: 'main', accessKeyId: 'key', accessKeySecret: 'secret' },
        { name: 'other', accessKeyId: 'key2', accessKeySecret: 'secret' },
      ],
      regions: [REGION, 'eu-central-1'],
      recordCalls: true,
    });
    for (const account of ['main', 'other']) {
      simulator.fleet.addInstance({ account, regionId: REGION, instanceId: 'rm-1' });
    }
  });
  afterEach(() => simulator.close());

  const poll = (changed: Partial<Asked> = {}): Promise<Told> =>
    ask({
      url: simulator.url,
      action: 'DescribeBackupTasks',
      parameters: { DBInstanceId: 'rm-1' },
      date: NOW,
      ...changed,
    });

  it('throttle beyond the burst and say when to come again', async () => {
    simulator.setQuota({ requestsPerSecond: 4, burst: 2 });
    expect([(await poll()).status, (await poll()).status]).to.deep.equal([200, 200]);
    await clock.advance(100);
    const told = await poll();
    expect([told.status, told.json.Code]).to.deep.equal([400, 'Throttling.User']);
    expect(told.headers.get('x-acs-retry-after')).to.equal('150');
    await clock.advance(149);
    expect((await poll()).status).to.equal(400);
    await clock.advance(1);
    expect([(await poll()).status, (await poll()).status]).to.deep.equal([200, 400]);
    await clock.advance(60_000);
    expect([(await poll()).status, (await poll()).status, (await poll()).status]).to.deep.equal([200, 200, 400]);
  });

  it('never ask to come again a moment too early', async () => {
    simulator.setQuota({ requestsPerSecond: 3, burst: 1 });
    await poll();
    expect((await poll()).headers.get('x-acs-retry-after')).to.equal('334');
    await clock.advance(334);
    expect((await poll()).status).to.equal(200);
  });

  it('keep a quota for each region, action and account', async () => {
    simulator.setQuota({ requestsPerSecond: 1, burst: 1 });
    const parameters = { RegionId: REGION };
    expect((await poll()).status).to.equal(200);
    expect((await poll({ accessKeyId: 'key2' })).status).to.equal(200);
    expect((await poll({ action: 'DescribeDBInstances', parameters })).status).to.equal(200);
    expect((await poll({ url: simulator.endpoints['eu-central-1']! })).json.Code).to.equal(
      'InvalidDBInstanceName.NotFound',
    );
    expect((await poll()).json.Code).to.equal('Throttling.User');
    simulator.setQuota(undefined);
    expect((await poll()).status).to.equal(200);
  });

  it('count calls by account, region, action and instance, refused ones included', async () => {
    await poll();
    await poll({ accessKeyId: 'key2', parameters: { DBInstanceId: 'rm-9' } });
    await poll({ action: 'DescribeDBInstances', parameters: { RegionId: REGION } });
    const { stats } = simulator;
    expect(stats.count()).to.equal(3);
    expect(stats.count({ account: 'main' })).to.equal(2);
    expect(stats.count({ regionId: 'eu-central-1' })).to.equal(0);
    expect(stats.count({ action: 'DescribeBackupTasks' })).to.equal(2);
    expect(stats.count({ account: 'main', instanceId: 'rm-1' })).to.equal(1);
    expect(Object.fromEntries(stats.answers)).to.deep.equal({ OK: 2, 'InvalidDBInstanceName.NotFound': 1 });
  });

  it('record each call with its time and parameters', async () => {
    await clock.advance(250);
    await poll({ parameters: { DBInstanceId: 'rm-1', BackupJobId: '5' } });
    expect(simulator.stats.calls).to.deep.equal([
      {
        atMs: Date.parse(NOW) + 250,
        account: 'main',
        regionId: REGION,
        action: 'DescribeBackupTasks',
        instanceId: 'rm-1',
        parameters: { DBInstanceId: 'rm-1', BackupJobId: '5' },
      },
    ]);
    simulator.stats.reset();
    expect([simulator.stats.calls, simulator.stats.count()]).to.deep.equal([[], 0]);
  });

  it('see how many calls were in flight, and two about one instance', async () => {
    simulator.settings.latencyMs = 10;
    const calls = [poll(), poll({ accessKeyId: 'key2' })];
    await until(() => clock.pendingTimers === 2);
    expect([simulator.stats.maxConcurrency, simulator.stats.overlaps]).to.deep.equal([2, 0]);
    calls.push(poll());
    await until(() => clock.pendingTimers === 3);
    expect([simulator.stats.maxConcurrency, simulator.stats.overlaps]).to.deep.equal([3, 1]);
    await clock.advance(10);
    await Promise.all(calls);
    simulator.settings.latencyMs = 0;
    await poll();
    expect([simulator.stats.maxConcurrency, simulator.stats.overlaps]).to.deep.equal([3, 1]);
  });
});
