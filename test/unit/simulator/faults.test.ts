import { expect } from 'chai';
import { BAD_GATEWAY, MALFORMED_JSON } from '../../../dist/simulator/faults.js';
import type { FaultEffect } from '../../../dist/simulator/faults.js';
import { refusal } from '../../../dist/simulator/refusal.js';
import type { Simulator } from '../../../dist/simulator/server.js';
import { startSimulator } from '../../../dist/simulator/server.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import type { Asked, Told } from './client.js';
import { ask, until } from './client.js';

const NOW = '2026-01-15T08:30:00Z';
const REGION = 'cn-hangzhou';
const busy: FaultEffect = { kind: 'refuse', refusal: refusal('ServiceUnavailable') };

describe('the faults of the simulator', () => {
  let clock: FakeClock;
  let simulator: Simulator;

  beforeEach(async () => {
    clock = new FakeClock(Date.parse(NOW));
    simulator = await startSimulator({
      clock,
      seed: 'faults',
      accounts: [
        { name: 'main', accessKeyId: 'key', accessKeySecret: 'secret' },
        { name: 'other', accessKeyId: 'key2', accessKeySecret: 'secret' },
      ],
      regions: [REGION, 'eu-central-1'],
      recordCalls: true,
    });
    for (const instanceId of ['rm-1', 'rm-2']) {
      simulator.fleet.addInstance({ account: 'main', regionId: REGION, instanceId });
    }
  });
  afterEach(() => simulator.close());

  const poll = (instanceId = 'rm-1', changed: Partial<Asked> = {}): Promise<Told> =>
    ask({
      url: simulator.url,
      action: 'DescribeBackupTasks',
      parameters: { DBInstanceId: instanceId },
      date: NOW,
      ...changed,
    });
  const list = (parameters: Record<string, string>): Promise<Told> =>
    ask({
      url: simulator.url,
      action: 'DescribeDBInstances',
      parameters: { RegionId: REGION, ...parameters },
      date: NOW,
    });
  const statuses = async (times: number): Promise<number[]> => {
    const seen: number[] = [];
    for (let nth = 0; nth < times; nth++) seen.push((await poll()).status);
    return seen;
  };

  it('strike the next calls that match, as many as told, then are over', async () => {
    simulator.faults.inject({ times: 2, instanceId: 'rm-1', effect: busy });
    expect((await poll('rm-2')).status).to.equal(200);
    expect(await statuses(3)).to.deep.equal([503, 503, 200]);
  });

  it('strike by account, region, action and page', async () => {
    simulator.faults.inject({ account: 'other', effect: busy });
    simulator.faults.inject({ regionId: 'eu-central-1', effect: busy });
    simulator.faults.inject({ action: 'DescribeDBInstanceByTags', effect: busy });
    simulator.faults.inject({ page: 2, effect: { kind: 'refuse', refusal: refusal('Invalid.NextToken') } });
    expect((await poll()).status).to.equal(200);
    expect((await poll('rm-1', { accessKeyId: 'key2' })).status).to.equal(503);
    expect((await poll('rm-1', { url: simulator.endpoints['eu-central-1']! })).status).to.equal(503);
    expect((await poll('rm-1', { action: 'DescribeDBInstanceByTags' })).status).to.equal(503);
    const first = await list({ MaxResults: '1' });
    expect(first.status).to.equal(200);
    expect((await list({ MaxResults: '1', NextToken: first.json.NextToken! })).json.Code).to.equal('Invalid.NextToken');
    expect((await list({ PageNumber: '2' })).json.Code).to.equal('Invalid.NextToken');
  });

  it('strike the same calls for the same seed', async () => {
    simulator.faults.inject({ probability: 0.5, effect: busy });
    const seen = await statuses(12);
    expect(seen).to.deep.equal([503, 200, 503, 503, 200, 200, 200, 503, 503, 200, 503, 200]);
  });

  it('are lifted one by one or all at once', async () => {
    const lift = simulator.faults.inject({ instanceId: 'rm-1', effect: busy });
    simulator.faults.inject({ instanceId: 'rm-2', effect: busy });
    lift();
    expect([(await poll('rm-1')).status, (await poll('rm-2')).status]).to.deep.equal([200, 503]);
    simulator.faults.clear();
    expect((await poll('rm-2')).status).to.equal(200);
  });

  it('answer with an error of any shape, headers included', async () => {
    const throttled = refusal('Throttling', { status: 429, message: 'slow', headers: { 'x-acs-retry-after': '700' } });
    simulator.faults.inject({ times: 1, effect: { kind: 'refuse', refusal: throttled } });
    const told = await poll();
    expect([told.status, told.headers.get('x-acs-retry-after')]).to.deep.equal([429, '700']);
    expect(told.json).to.include({ Code: 'Throttling', Message: 'slow' });
  });

  it('answer with what is no answer of the API', async () => {
    simulator.faults.inject({ times: 1, effect: BAD_GATEWAY });
    simulator.faults.inject({ times: 1, effect: MALFORMED_JSON });
    const page = await poll();
    expect([page.status, page.headers.get('content-type')]).to.deep.equal([502, 'text/html']);
    expect(page.text).to.include('<h1>502 Bad Gateway</h1>');
    const broken = await poll();
    expect([broken.status, broken.text]).to.deep.equal([200, MALFORMED_JSON.kind === 'raw' && MALFORMED_JSON.body]);
    expect(Object.fromEntries(simulator.stats.answers)).to.deep.equal({ Fault: 2 });
  });

  it('reset the connection, before the answer or in the middle of it', async () => {
    simulator.faults.inject({ times: 1, effect: { kind: 'reset' } });
    expect(await failureOf(poll())).to.be.a('string');
    simulator.faults.inject({ times: 1, effect: { kind: 'truncate' } });
    const cut = failureOf(poll());
    await until(() => clock.pendingTimers === 1);
    await clock.advance(100);
    expect(await cut).to.be.a('string');
    expect((await poll()).status).to.equal(200);
  });

  it('send the headers and then nothing, or the body a byte at a time', async () => {
    simulator.faults.inject({ times: 1, effect: { kind: 'stall' } });
    const controller = new AbortController();
    const stalled = failureOf(poll('rm-1', { signal: controller.signal }));
    await until(() => simulator.stats.concurrency === 1);
    controller.abort();
    expect(await stalled).to.equal('AbortError');

    simulator.faults.inject({ times: 1, effect: { kind: 'drip', everyMs: 1000 } });
    const dripping = poll();
    await until(() => clock.pendingTimers === 1);
    const begunMs = clock.now();
    while (clock.pendingTimers > 0) await clock.advance(1000);
    const { text } = await dripping;
    expect(text).to.match(/^\{"RequestId":.*\}$/);
    expect(clock.now() - begunMs).to.equal(text.length * 1000);
  });

  it('say a length that is not that of the body', async () => {
    simulator.faults.inject({ times: 1, effect: { kind: 'raw', body: 'short', headers: { 'content-length': '99' } } });
    const controller = new AbortController();
    const waiting = failureOf(poll('rm-1', { signal: controller.signal }));
    await until(() => simulator.stats.answers.get('Fault') === 1);
    controller.abort();
    expect(await waiting).to.equal('AbortError');
  });

  it('hang until the client gives up', async () => {
    simulator.faults.inject({ times: 1, effect: { kind: 'hang' } });
    const controller = new AbortController();
    const failed = failureOf(poll('rm-1', { signal: controller.signal }));
    await until(() => simulator.stats.concurrency === 1);
    controller.abort();
    expect(await failed).to.equal('AbortError');
    await until(() => simulator.stats.concurrency === 0);
  });

  it('delay an answer on top of the latency, by the clock', async () => {
    simulator.settings.latencyMs = 50;
    simulator.faults.inject({ times: 1, effect: { kind: 'delay', delayMs: 8000 } });
    let answered = 0;
    const both = [poll('rm-1'), poll('rm-2')].map((told) => told.then(() => ++answered));
    await until(() => clock.pendingTimers === 2);
    await clock.advance(49);
    expect(answered).to.equal(0);
    await clock.advance(1);
    await until(() => answered === 1);
    await clock.advance(7999);
    expect(clock.pendingTimers).to.equal(1);
    await clock.advance(1);
    await Promise.all(both);
  });

  it('refuse connections of a region in the dark, and take them again at the same address', async () => {
    await simulator.disconnect(REGION);
    expect(await failureOf(poll())).to.equal('TypeError');
    expect((await poll('rm-1', { url: simulator.endpoints['eu-central-1']! })).status).to.equal(404);
    await simulator.reconnect(REGION);
    expect((await poll()).status).to.equal(200);
  });
});

async function failureOf(told: Promise<Told>): Promise<string | undefined> {
  return told.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );
}
