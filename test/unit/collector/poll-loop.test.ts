import { expect } from 'chai';
import { isActive } from '../../../dist/domain/activity.js';
import { applyPoll, newInstanceState } from '../../../dist/domain/apply-poll.js';
import { instanceKey } from '../../../dist/domain/model.js';
import type { ApiError, ApiResult, BackupTask, Lookup, PollResult } from '../../../dist/domain/model.js';
import { ApiLimiter } from '../../../dist/collector/api-limiter.js';
import { PollLoop } from '../../../dist/collector/poll-loop.js';
import type { NextPoll } from '../../../dist/collector/poll-loop.js';
import { Scheduler } from '../../../dist/collector/scheduler.js';
import type { RateLimit } from '../../../dist/collector/token-bucket.js';
import { errorOf, instanceOf, taskOf } from '../../helpers/build.js';
import { FakeClock, settle } from '../../helpers/fake-clock.js';

const IDLE: NextPoll = { isActive: false, isUnsupported: false, pendingJobIds: [] };
const ACTIVE: NextPoll = { isActive: true, isUnsupported: false, pendingJobIds: [] };
const MIDDLE = (): number => 0.5;

interface Asked {
  readonly at: number;
  readonly instanceId: string;
  readonly backupJobId: string | undefined;
}

/** Polling against a source that answers what `answer` says after 100 ms, on a clock that starts at 0. */
class Rig {
  readonly clock = new FakeClock(0);
  readonly asked: Asked[] = [];
  readonly results: { readonly at: number; readonly instanceId: string; readonly result: PollResult }[] = [];
  readonly lookups: { readonly at: number; readonly lookup: Lookup }[] = [];
  readonly bugs: unknown[] = [];
  readonly stop = new AbortController();
  readonly scheduler: Scheduler;
  readonly gate: ApiLimiter;
  readonly polling: PollLoop;
  answer: (asked: Asked) => ApiError | readonly BackupTask[] = () => [];
  outlook: (result: PollResult) => NextPoll | undefined = () => IDLE;
  inFlight = new Map<string, number>();
  maxOverlap = 0;

  constructor({
    limit = { requestsPerSecond: 1_000, burst: 1_000 },
    isOnce = false,
    maxAttempts = 4,
    concurrency = 16,
  }: { limit?: RateLimit; isOnce?: boolean; maxAttempts?: number; concurrency?: number } = {}) {
    this.scheduler = new Scheduler(this.clock, concurrency);
    this.gate = new ApiLimiter({
      accountRegion: { account: 'production', regionId: 'cn-hangzhou' },
      action: 'DescribeBackupTasks',
      limit,
      nowMs: 0,
      instances: () => this.polling.size,
      patienceMs: () => this.polling.patienceMs(),
      random: () => 0,
      onCooldown: () => undefined,
      onThrottled: () => undefined,
    });
    this.scheduler.open(this.gate);
    this.polling = new PollLoop({
      scheduler: this.scheduler,
      limiter: this.gate,
      source: { describeBackupTasks: (request) => this.#ask(request.instanceId, request.backupJobId) },
      settings: { idleIntervalMs: 300_000, activeIntervalMs: 30_000, maxAttempts },
      settle: (_key, instance, result) => {
        this.results.push({ at: this.clock.now(), instanceId: instance.instanceId, result });
        return Promise.resolve(this.outlook(result));
      },
      settleLookup: (_key, lookup) => {
        this.lookups.push({ at: this.clock.now(), lookup });
        return Promise.resolve(IDLE);
      },
      onInternalError: (_, thrown) => this.bugs.push(thrown),
      clock: this.clock,
      random: MIDDLE,
      signal: this.stop.signal,
      isOnce,
    });
  }

  add(...instanceIds: readonly string[]): void {
    this.polling.add(instanceIds.map((instanceId) => [instanceOf(instanceId), IDLE]));
  }

  times(instanceId: string): readonly number[] {
    return this.asked.filter((asked) => asked.instanceId === instanceId).map(({ at }) => at);
  }

  async #ask(instanceId: string, backupJobId: string | undefined): Promise<ApiResult<readonly BackupTask[]>> {
    const asked = { at: this.clock.now(), instanceId, backupJobId };
    this.asked.push(asked);
    const running = (this.inFlight.get(instanceId) ?? 0) + 1;
    this.maxOverlap = Math.max(this.maxOverlap, running);
    this.inFlight.set(instanceId, running);
    await new Promise<void>((resolve) => this.clock.after(100, resolve));
    this.inFlight.set(instanceId, running - 1);
    const answer = this.answer(asked);
    return 'kind' in answer ? { ok: false, error: answer } : { ok: true, value: answer };
  }
}

describe('polling', () => {
  it('begins at once and goes on at a fixed rate from the start of the last poll', async () => {
    const rig = new Rig();
    rig.add('rm-1');
    await rig.clock.advance(900_000);
    expect(rig.times('rm-1')).to.deep.equal([0, 300_000, 600_000, 900_000]);
  });

  it('is fast while an instance is active, and slow again after', async () => {
    const rig = new Rig();
    rig.outlook = () => (rig.clock.now() < 60_000 ? ACTIVE : IDLE);
    rig.add('rm-1');
    await rig.clock.advance(500_000);
    expect(rig.times('rm-1')).to.deep.equal([0, 30_000, 60_000, 360_000]);
  });

  it('polls an instance with something to remember before the others', async () => {
    const rig = new Rig({ limit: { requestsPerSecond: 1, burst: 1 } });
    rig.polling.add([
      ...Array.from({ length: 50 }, (_, n) => [instanceOf(`rm-${n}`), IDLE] as const),
      [instanceOf('rm-remembered'), ACTIVE],
    ]);
    await settle();
    expect(rig.asked.map(({ instanceId }) => instanceId)).to.deep.equal(['rm-remembered']);
  });

  it('never polls an instance twice at once, however long a poll takes', async () => {
    const rig = new Rig();
    rig.outlook = () => ACTIVE;
    rig.answer = () => errorOf('server');
    rig.add('rm-1', 'rm-2');
    await rig.clock.advance(3_600_000);
    expect(rig.maxOverlap).to.equal(1);
    expect(rig.times('rm-1').length).to.be.greaterThan(100);
  });

  it('repeats what may pass with a backoff that doubles, and holds no slot while it waits', async () => {
    const rig = new Rig({ concurrency: 1 });
    rig.answer = ({ instanceId }) => (instanceId === 'rm-bad' ? errorOf('server') : []);
    rig.add('rm-bad', 'rm-good');
    await rig.clock.advance(10_000);
    expect(rig.times('rm-bad')).to.deep.equal([0, 475, 1_325, 2_925]);
    expect(rig.times('rm-good')).to.deep.equal([100]);
    expect(rig.results.map(({ at, instanceId }) => [at, instanceId])).to.deep.equal([
      [200, 'rm-good'],
      [3_025, 'rm-bad'],
    ]);
  });

  it('waits as long as the server asks', async () => {
    const rig = new Rig();
    rig.answer = ({ at }) => (at === 0 ? errorOf('throttled', { retryAfterMs: 7_000 }) : []);
    rig.add('rm-1');
    await rig.clock.advance(20_000);
    expect(rig.times('rm-1')).to.deep.equal([0, 7_100]);
  });

  for (const [kind, attempts] of [
    ['denied', 1],
    ['request', 1],
    ['not_now', 1],
    ['bug', 1],
    ['flaky', 2],
    ['token_expired', 2],
    ['connection', 4],
    ['nonce', 4],
  ] as const) {
    it(`makes ${attempts} of at most 4 attempts when the answer is ${kind}`, async () => {
      const rig = new Rig();
      rig.answer = () => errorOf(kind);
      rig.add('rm-1');
      await rig.clock.advance(20_000);
      expect(rig.asked).to.have.length(attempts);
      expect(rig.results.map(({ result }) => !result.ok && result.error.kind)).to.deep.equal([kind]);
    });
  }

  for (const [kinds, attempts] of [
    [['server', 'token_expired', 'server'], 4],
    [['server', 'flaky', 'token_expired'], 4],
    [['connection', 'flaky', 'flaky'], 3],
    [['token_expired', 'server', 'token_expired'], 3],
    [['server', 'denied'], 2],
  ] as const) {
    it(`counts attempts by kind: ${attempts} when the answers are ${kinds.join(', ')}`, async () => {
      const rig = new Rig();
      const left = [...kinds];
      rig.answer = () => {
        const kind = left.shift();
        return kind === undefined ? [] : errorOf(kind);
      };
      rig.add('rm-1');
      await rig.clock.advance(20_000);
      expect(rig.asked).to.have.length(attempts);
      expect(rig.results.map(({ result }) => result.ok)).to.deep.equal([attempts > kinds.length]);
    });
  }

  it('comes back after a failure in 1 min, doubling up to the interval', async () => {
    const rig = new Rig({ maxAttempts: 1 });
    rig.answer = () => errorOf('server');
    rig.add('rm-1');
    await rig.clock.advance(1_000_000);
    expect(rig.times('rm-1')).to.deep.equal([0, 60_000, 180_000, 420_000, 720_000]);
  });

  it('comes back to a denied instance in 30 s, doubling up to 1 h, at no cost to 999 others', async () => {
    const rig = new Rig();
    rig.answer = ({ instanceId }) => (instanceId === 'rm-0' ? errorOf('denied') : []);
    rig.add(...Array.from({ length: 1_000 }, (_, n) => `rm-${n}`));
    await rig.clock.advance(3 * 3_600_000);
    expect(rig.times('rm-0').map((at) => at / 1_000)).to.deep.equal([0, 30, 90, 210, 450, 930, 1_890, 3_810, 7_410]);
    expect(rig.times('rm-999')).to.have.length(36);
    expect(rig.gate.circuit.cooling).to.equal(undefined);
  });

  it('sees a mended policy although the others use up the limit', async () => {
    const rig = new Rig({ limit: { requestsPerSecond: 1, burst: 1 } });
    const isDenied = (instanceId: string): boolean => Number(instanceId.slice(3)) < 30;
    rig.answer = ({ at, instanceId }) => (at < 3_600_000 && isDenied(instanceId) ? errorOf('denied') : []);
    rig.add(...Array.from({ length: 600 }, (_, n) => `rm-${n}`));
    await rig.clock.advance(2 * 3_600_000);
    const good = rig.results.filter(({ result, instanceId }) => result.ok && isDenied(instanceId));
    expect(new Set(good.map(({ instanceId }) => instanceId)).size).to.equal(30);
  });

  it('asks an instance without backup tasks again after an interval until that is believed, then hourly', async () => {
    const rig = new Rig();
    rig.answer = () => errorOf('unsupported');
    rig.outlook = () => ({ ...IDLE, isUnsupported: rig.clock.now() > 600_000 });
    rig.add('rm-1');
    await rig.clock.advance(8_000_000);
    expect(rig.times('rm-1')).to.deep.equal([0, 315_000, 630_000, 4_230_000, 7_830_000]);
  });

  it('rests only once it is believed that there are no backup tasks, however slow the first answer was', async () => {
    const rig = new Rig();
    let state = newInstanceState(instanceOf('rm-1'), 0);
    rig.outlook = (result) => {
      const context = { nowMs: rig.clock.now(), activeIntervalMs: 30_000, lastScrapeMs: 0 };
      ({ state } = applyPoll(state, result, context));
      return { isActive: isActive(state), isUnsupported: state.unsupported !== undefined, pendingJobIds: [] };
    };
    rig.answer = ({ at }) => {
      if (at < 30_000) return [taskOf('1')];
      return errorOf(at < 32_900 ? 'server' : 'unsupported');
    };
    rig.add('rm-1');
    await rig.clock.advance(3_800_000);
    // The second answer came 28.675 s after the first: less than an interval.
    expect(rig.results.map(({ at, result }) => [at, result.ok || result.error.kind])).to.deep.equal([
      [100, true],
      [33_025, 'unsupported'],
      [61_600, 'unsupported'],
      [93_100, 'unsupported'],
      [3_693_100, 'unsupported'],
    ]);
  });

  it('goes on as before when an instance says once that it has no backup tasks', async () => {
    const rig = new Rig();
    rig.answer = ({ at }) => ([0, 1_215_000].includes(at) ? errorOf('unsupported') : []);
    rig.add('rm-1');
    await rig.clock.advance(2_000_000);
    expect(rig.times('rm-1').map((at) => at / 1_000)).to.deep.equal([0, 315, 615, 915, 1_215, 1_530, 1_830]);
  });

  it('survives a source that throws and a consequence that throws', async () => {
    const rig = new Rig();
    rig.answer = ({ at }) => {
      if (at === 0) throw new TypeError('boom');
      return [];
    };
    rig.outlook = () => {
      if (rig.clock.now() < 100_000) throw new RangeError('bang');
      return IDLE;
    };
    rig.add('rm-1');
    await rig.clock.advance(400_000);
    expect(rig.times('rm-1')).to.deep.equal([0, 60_000, 360_000]);
    expect(rig.results[0]?.result).to.deep.include({ ok: false });
    expect(rig.bugs.map(String)).to.deep.equal(['RangeError: bang', 'RangeError: bang']);
  });

  it('drops an instance at once: no poll more, and nothing is made of the one under way', async () => {
    const rig = new Rig();
    rig.add('rm-1', 'rm-2');
    await settle();
    rig.polling.remove(instanceKey(instanceOf('rm-1')));
    await rig.clock.advance(600_000);
    expect(rig.times('rm-1')).to.deep.equal([0]);
    expect(rig.times('rm-2')).to.deep.equal([0, 300_000, 600_000]);
    expect([rig.polling.size, rig.polling.untried]).to.deep.equal([1, 0]);
  });

  it('holds a region back once the last instance that worked is gone', async () => {
    const rig = new Rig();
    rig.answer = ({ instanceId }) => (instanceId === 'rm-0' ? [] : errorOf('denied'));
    rig.add(...Array.from({ length: 7 }, (_, n) => `rm-${n}`));
    await rig.clock.advance(29_000);
    expect(rig.gate.circuit.cooling).to.equal(undefined);
    rig.polling.remove(instanceKey(instanceOf('rm-0')));
    await rig.clock.advance(2_000);
    expect(rig.gate.circuit.cooling?.reason).to.equal('authorisation');
  });

  it('asks whatever failed again at once with other credentials, and keeps to the pace of the rest', async () => {
    const rig = new Rig();
    rig.answer = ({ at, instanceId }) => (at < 50_050 && instanceId !== 'rm-good' ? errorOf('denied') : []);
    rig.add('rm-good', 'rm-denied');
    await rig.clock.advance(50_000);
    rig.add('rm-late');
    await rig.clock.advance(50);
    rig.gate.reset(rig.clock.now());
    rig.polling.restart();
    await rig.clock.advance(260_000);
    expect(rig.times('rm-denied')).to.deep.equal([0, 30_000, 50_050]);
    expect(rig.times('rm-late'), 'denied when it was asked before').to.deep.equal([50_000, 50_100]);
    expect(rig.times('rm-good')).to.deep.equal([0, 300_000]);
    expect([rig.gate.circuit.good, rig.gate.circuit.poor]).to.deep.equal([3, 0]);
  });

  it('looks up what the listing leaves open, at most four jobs in a poll, and tells each answer by itself', async () => {
    const rig = new Rig();
    rig.outlook = () => ({ isActive: true, isUnsupported: false, pendingJobIds: ['1', '2', '3', '4', '5'] });
    const finished = taskOf('2', { backupStatus: 'Finished' });
    rig.answer = ({ backupJobId }) => {
      if (backupJobId === '3') return errorOf('request');
      return backupJobId === undefined ? [] : [taskOf('1'), finished];
    };
    rig.add('rm-1');
    await rig.clock.advance(1_000);
    expect(rig.asked.map(({ backupJobId }) => backupJobId)).to.deep.equal([undefined, '1', '2', '3', '4']);
    expect(rig.results).to.deep.equal([{ at: 100, instanceId: 'rm-1', result: { ok: true, tasks: [] } }]);
    expect(rig.lookups).to.deep.equal([
      { at: 200, lookup: { backupJobId: '1', result: { ok: true, value: taskOf('1') } } },
      { at: 300, lookup: { backupJobId: '2', result: { ok: true, value: finished } } },
      { at: 400, lookup: { backupJobId: '3', result: { ok: true, value: undefined } } },
      { at: 500, lookup: { backupJobId: '4', result: { ok: true, value: undefined } } },
    ]);
  });

  it('ends its lookups with the first that fails, after the retries of that one', async () => {
    const rig = new Rig();
    rig.outlook = () => ({ isActive: false, isUnsupported: false, pendingJobIds: ['1', '2'] });
    const error = errorOf('server');
    rig.answer = ({ backupJobId }) => (backupJobId === undefined ? [] : error);
    rig.add('rm-1');
    await rig.clock.advance(20_000);
    expect(rig.asked.map(({ backupJobId }) => backupJobId)).to.deep.equal([undefined, '1', '1', '1', '1']);
    expect(rig.results.map(({ at }) => at)).to.deep.equal([100]);
    expect(rig.lookups).to.deep.equal([{ at: 3_125, lookup: { backupJobId: '1', result: { ok: false, error } } }]);
  });

  it('holds no lookup that gets no answer against an instance whose listings work', async () => {
    const rig = new Rig();
    rig.outlook = () => ({ isActive: true, isUnsupported: false, pendingJobIds: ['1'] });
    rig.answer = ({ backupJobId }) => (backupJobId === undefined ? [] : errorOf('timeout'));
    rig.add('rm-1');
    await rig.clock.advance(10_000);
    expect([rig.asked.length, rig.gate.circuit.good, rig.gate.circuit.poor]).to.deep.equal([5, 1, 0]);
    rig.answer = () => errorOf('timeout');
    await rig.clock.advance(294_000);
    expect([rig.asked.length, rig.gate.circuit.good, rig.gate.circuit.poor]).to.deep.equal([9, 0, 1]);
  });

  it('looks up nothing more of an instance that is dropped meanwhile, nor after a listing that failed', async () => {
    const rig = new Rig();
    rig.outlook = () => ({ isActive: false, isUnsupported: false, pendingJobIds: ['1', '2'] });
    rig.answer = ({ instanceId }) => (instanceId === 'rm-1' ? [] : errorOf('request'));
    rig.add('rm-1', 'rm-2');
    await rig.clock.advance(150);
    rig.polling.remove(instanceKey(instanceOf('rm-1')));
    await rig.clock.advance(20_000);
    expect(rig.asked.map(({ instanceId, backupJobId }) => [instanceId, backupJobId])).to.deep.equal([
      ['rm-1', undefined],
      ['rm-2', undefined],
      ['rm-1', '1'],
    ]);
  });

  it('stops within the current attempt', async () => {
    const rig = new Rig();
    rig.answer = () => errorOf('connection');
    rig.add('rm-1');
    await rig.clock.advance(100);
    rig.stop.abort();
    await rig.clock.advance(600_000);
    expect([rig.asked.length, rig.clock.pendingTimers]).to.deep.equal([1, 0]);
  });

  it('asks each instance once for one sweep, and fails at once what a cool-down holds back', async () => {
    const rig = new Rig({ isOnce: true, concurrency: 1 });
    rig.answer = () => errorOf('key_rejected', { code: 'InvalidAccessKeyId.NotFound' });
    rig.add('rm-1', 'rm-2', 'rm-3');
    await rig.clock.advance(200);
    expect(rig.asked).to.have.length(1);
    expect(rig.results.map(({ result }) => !result.ok && [result.error.kind, result.error.code])).to.deep.equal([
      ['held_back', 'InvalidAccessKeyId.NotFound'],
      ['held_back', 'InvalidAccessKeyId.NotFound'],
      ['key_rejected', 'InvalidAccessKeyId.NotFound'],
    ]);
    await rig.clock.advance(3_600_000);
    expect(rig.asked).to.have.length(1);
  });
});

describe('the lag and the pace of polling', () => {
  it('are 0 and the wished interval when the limit carries it', async () => {
    const rig = new Rig();
    rig.add('rm-1');
    await rig.clock.advance(700_000);
    expect([rig.polling.lagMs(700_000), rig.polling.reachedIntervalMs(700_000)]).to.deep.equal([0, 300_000]);
  });

  it('tell how far behind the most overdue instance is, and the interval that is really reached', async () => {
    const rig = new Rig({ limit: { requestsPerSecond: 1, burst: 1 } });
    rig.add(...Array.from({ length: 600 }, (_, n) => `rm-${n}`));
    await rig.clock.advance(599_000);
    expect(rig.polling.lagMs(rig.clock.now())).to.equal(0);
    await rig.clock.advance(1_201_000);
    expect(rig.polling.lagMs(rig.clock.now())).to.be.within(299_000, 301_000);
    expect(rig.polling.reachedIntervalMs(rig.clock.now())).to.be.within(600_000, 601_000);
  });

  it('leave out instances that are denied, which are retried with what the others leave', async () => {
    const rig = new Rig({ limit: { requestsPerSecond: 1, burst: 1 } });
    rig.answer = ({ instanceId }) => (Number(instanceId.slice(3)) < 330 ? errorOf('denied') : []);
    rig.add(...Array.from({ length: 600 }, (_, n) => `rm-${n}`));
    await rig.clock.advance(4 * 3_600_000);
    expect(rig.polling.lagMs(rig.clock.now())).to.be.below(10_000);
    expect(rig.polling.reachedIntervalMs(rig.clock.now())).to.be.within(300_000, 330_000);
    const denied = rig.asked.filter(({ at, instanceId }) => at > 3 * 3_600_000 && Number(instanceId.slice(3)) < 330);
    expect(denied.length).to.be.greaterThan(330);
  });

  it('do not take an instance that is asked hourly for a slow sweep', async () => {
    const rig = new Rig();
    rig.answer = ({ instanceId }) => (instanceId === 'rm-1' ? errorOf('unsupported') : []);
    rig.outlook = ({ ok }) => ({ ...IDLE, isUnsupported: !ok });
    rig.add('rm-1', 'rm-2');
    await rig.clock.advance(2 * 3_600_000);
    expect(rig.polling.reachedIntervalMs(rig.clock.now())).to.equal(300_000);
  });

  it('do not take an outage for a slow sweep', async () => {
    const rig = new Rig();
    rig.add('rm-1', 'rm-2', 'rm-3');
    await rig.clock.advance(310_000);
    rig.answer = () => errorOf('connection');
    await rig.clock.advance(7_200_000);
    rig.answer = () => [];
    await rig.clock.advance(1_200_000);
    expect(rig.polling.reachedIntervalMs(rig.clock.now())).to.equal(300_000);
  });
});
