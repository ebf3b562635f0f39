import { expect } from 'chai';
import { newSubject } from '../../../dist/collector/circuit-breaker.js';
import type { Standing, Subject } from '../../../dist/collector/circuit-breaker.js';
import type { ApiError } from '../../../dist/domain/model.js';
import { ApiLimiter } from '../../../dist/collector/api-limiter.js';
import type { Waiter, Permit, Precondition } from '../../../dist/collector/api-limiter.js';
import { Scheduler } from '../../../dist/collector/scheduler.js';
import type { Priority } from '../../../dist/collector/priority-alternator.js';
import { errorOf } from '../../helpers/build.js';
import { FakeClock, settle } from '../../helpers/fake-clock.js';

const START = 0;
const UNLIMITED = { requestsPerSecond: 1e6, burst: 1e6 };

/** A scheduler with gates whose calls take a fixed time. */
class Rig {
  readonly clock = new FakeClock(START);
  readonly scheduler: Scheduler;
  readonly started: { readonly name: string; readonly at: number }[] = [];
  maxHeld = 0;
  random = (): number => 0;
  maxPending = 0;

  constructor(concurrency: number) {
    this.scheduler = new Scheduler(this.clock, concurrency);
  }

  gate(regionId: string, limit = UNLIMITED, requisites?: Precondition, patienceMs?: () => number): ApiLimiter {
    const gate = new ApiLimiter({
      patienceMs,
      precondition: requisites,
      accountRegion: { account: 'a', regionId },
      action: 'DescribeBackupTasks',
      limit,
      nowMs: this.clock.now(),
      instances: () => 0,
      random: () => this.random(),
      onCooldown: () => undefined,
      onThrottled: () => undefined,
    });
    this.scheduler.open(gate);
    return gate;
  }

  add(
    gate: ApiLimiter,
    name: string,
    over: { dueAt?: number; urgency?: Priority; takesMs?: number; rejected?: () => void; subject?: Subject } = {},
  ): void {
    const { dueAt = this.clock.now(), urgency = 'idle', takesMs = 50, rejected, subject = newSubject() } = over;
    const acquired = (permit: Permit): void => {
      this.started.push({ name, at: this.clock.now() });
      this.maxHeld = Math.max(this.maxHeld, this.scheduler.held);
      this.maxPending = Math.max(this.maxPending, this.scheduler.limit.pendingCount);
      this.clock.after(takesMs, () => permit.release(undefined));
    };
    const caller: Waiter = { subject, dueAt, order: 0, position: -1, acquired, rejected };
    this.scheduler.add(gate, caller, urgency);
  }

  names(count = Infinity): string[] {
    return this.started.slice(0, count).map(({ name }) => name);
  }
}

/** Of an instance that was asked before. */
function known(standing: Standing): Subject {
  return { ...newSubject(), standing };
}

/** An answer out of the blue. */
function fail(gate: ApiLimiter, error: ApiError): void {
  const caller = { subject: newSubject(), dueAt: 0, order: 0, position: -1, acquired: () => undefined };
  gate.answered({ waiter: caller, isProbe: false, epoch: 0 }, { error, sentAt: 0, nowMs: 0 });
}

describe('the scheduler', () => {
  it('lets nobody in before the due time, and at it exactly', async () => {
    const rig = new Rig(4);
    const gate = rig.gate('cn-hangzhou');
    rig.add(gate, 'later', { dueAt: 1_000 });
    rig.add(gate, 'sooner', { dueAt: 400 });
    await rig.clock.advance(5_000);
    expect(rig.started).to.deep.equal([
      { name: 'sooner', at: 400 },
      { name: 'later', at: 1_000 },
    ]);
  });

  it('keeps within its slots and its own queue empty with 10,000 due at once', async () => {
    const rig = new Rig(16);
    const gate = rig.gate('cn-hangzhou');
    for (let n = 0; n < 10_000; n++) rig.add(gate, `${n}`);
    expect(rig.scheduler.limit.pendingCount).to.equal(0);
    await rig.clock.advance(50 * (10_000 / 16));
    expect(rig.started).to.have.length(10_000);
    expect([rig.maxHeld, rig.maxPending]).to.deep.equal([16, 0]);
    expect(rig.started.at(-1)?.at).to.equal(50 * (10_000 / 16 - 1));
  });

  it('lets an urgent caller in with the next slot, before 10,000 idle ones that came first', async () => {
    const rig = new Rig(1);
    const gate = rig.gate('cn-hangzhou');
    for (let n = 0; n < 10_000; n++) rig.add(gate, 'idle');
    await rig.clock.advance(60);
    rig.add(gate, 'urgent', { urgency: 'active' });
    await rig.clock.advance(100);
    expect(rig.names(4)).to.deep.equal(['idle', 'idle', 'urgent', 'idle']);
  });

  it('leaves a tenth of the budget to the idle, first come first served within a class', async () => {
    const rig = new Rig(8);
    const gate = rig.gate('cn-hangzhou', { requestsPerSecond: 10, burst: 1 });
    for (let n = 0; n < 100; n++) rig.add(gate, `active ${n}`, { urgency: 'active' });
    for (let n = 0; n < 10; n++) rig.add(gate, `idle ${n}`);
    await rig.clock.advance(5_000);
    const idle = rig.started.slice(0, 51).filter(({ name }) => name.startsWith('idle'));
    expect(idle.map(({ name }) => name)).to.deep.equal(['idle 0', 'idle 1', 'idle 2', 'idle 3', 'idle 4']);
    expect(rig.names(9)).to.deep.equal(Array.from({ length: 9 }, (_, n) => `active ${n}`));
  });

  it('takes the token with the slot: a limited region uses no slot while it waits', async () => {
    const rig = new Rig(2);
    const slow = rig.gate('slow', { requestsPerSecond: 1, burst: 1 });
    const fast = rig.gate('fast');
    for (let n = 0; n < 5; n++) rig.add(slow, 'slow');
    for (let n = 0; n < 20; n++) rig.add(fast, 'fast');
    await rig.clock.advance(999);
    expect(rig.names().filter((name) => name === 'slow')).to.have.length(1);
    expect(rig.names().filter((name) => name === 'fast')).to.have.length(20);
    await rig.clock.advance(1);
    expect(rig.started.at(-1)?.name).to.equal('slow');
    expect(rig.started.at(-1)?.at).to.be.closeTo(1_000, 1e-6);
  });

  it('never lets a region that takes 8 s a call slow five fast ones', async () => {
    const rig = new Rig(16);
    const slow = rig.gate('slow');
    const fast = [1, 2, 3, 4, 5].map((n) => rig.gate(`fast-${n}`));
    for (let second = 0; second < 60; second++) {
      for (const gate of fast) {
        for (let n = 0; n < 5; n++)
          rig.add(gate, `${gate.accountRegion.regionId} at ${second}`, { dueAt: second * 1_000 + n * 200 });
      }
    }
    for (let n = 0; n < 500; n++) rig.add(slow, 'slow', { takesMs: 8_000 });
    await rig.clock.advance(60_000);
    const late = rig.started.filter(({ name, at }) => name.startsWith('fast') && at % 200 !== 0);
    expect(late).to.deep.equal([]);
    expect(rig.started.filter(({ name }) => name.startsWith('fast'))).to.have.length(5 * 5 * 60);
  });

  it('gives no region more than its share of the slots while another waits', async () => {
    const rig = new Rig(6);
    const [one, other, third] = [rig.gate('one'), rig.gate('other'), rig.gate('third')];
    for (const [gate, name] of [
      [one, 'one'],
      [other, 'other'],
      [third, 'third'],
    ] as const) {
      for (let n = 0; n < 40; n++) rig.add(gate, name, { takesMs: name === 'one' ? 10_000 : 100 });
    }
    await rig.clock.advance(1_000);
    const count = (wanted: string): number => rig.names().filter((name) => name === wanted).length;
    // The first region found all six slots free; as they come back, the others take their share.
    await rig.clock.advance(30_000);
    expect([count('other'), count('third')]).to.deep.equal([40, 40]);
  });

  it('keeps every region within its share of the slots for as long as all of them wait', async () => {
    const rig = new Rig(16);
    const held = new Map<string, number>();
    let most = 0;
    const names = ['one', 'other', 'third'];
    const gates = names.map((name) => rig.gate(name));
    for (const [index, gate] of gates.entries()) {
      for (let n = 0; n < 400; n++) {
        const name = names[index]!;
        const acquired = (permit: Permit): void => {
          held.set(name, (held.get(name) ?? 0) + 1);
          most = Math.max(most, held.get(name)!);
          rig.clock.after(40 + ((n * 7 + index * 13) % 50), () => {
            held.set(name, held.get(name)! - 1);
            permit.release(undefined);
          });
        };
        // Due together, so that none finds all slots free.
        gate.add(
          { subject: newSubject(), dueAt: 1_000, order: 0, position: -1, acquired },
          n % 3 === 0 ? 'active' : 'idle',
          0,
        );
      }
    }
    rig.add(gates[0]!, 'wakes the scheduler', { dueAt: 1_000 });
    await rig.clock.advance(3_000);
    expect(most).to.equal(5);
  });

  it('lets one region use all slots when no other has anything to call for', async () => {
    const rig = new Rig(16);
    const gate = rig.gate('only');
    rig.gate('empty');
    for (let n = 0; n < 100; n++) rig.add(gate, 'only');
    await settle();
    expect(rig.scheduler.held).to.equal(16);
  });

  it('sends one probe at a time while a cool-down lasts, and everything again after the first success', async () => {
    const rig = new Rig(8);
    const gate = rig.gate('cn-hangzhou');
    const cause = errorOf('key_rejected');
    fail(gate, cause);
    for (let n = 0; n < 20; n++) rig.add(gate, 'held', { takesMs: 500 });
    await rig.clock.advance(29_999);
    expect(rig.started).to.deep.equal([]);
    await rig.clock.advance(500);
    expect(rig.started).to.deep.equal([{ name: 'held', at: 30_000 }]);
    await rig.clock.advance(1);
    expect(rig.started.slice(1)).to.deep.equal(Array.from({ length: 8 }, () => ({ name: 'held', at: 30_500 })));
  });

  it('lets the probe be a caller that cannot wait, once it may go out', async () => {
    const rig = new Rig(1);
    const gate = rig.gate('cn-hangzhou');
    fail(gate, errorOf('key_rejected'));
    const told: string[] = [];
    await rig.clock.advance(29_999);
    rig.add(gate, 'too early', { rejected: () => told.push('too early') });
    await rig.clock.advance(1);
    rig.add(gate, 'probe', { rejected: () => told.push('probe') });
    await rig.clock.advance(1_000);
    expect([told, rig.names(), gate.circuit.cooling]).to.deep.equal([['too early'], ['probe'], undefined]);
  });

  it('lets nobody in to wait for credentials: they come first, then the calls within the limit', async () => {
    const rig = new Rig(16);
    let isThere = false;
    let prepared = 0;
    const gate = rig.gate(
      'cn-hangzhou',
      { requestsPerSecond: 5, burst: 5 },
      {
        isReady: () => isThere,
        ensure: async () => {
          prepared++;
          await new Promise<void>((resolve) => rig.clock.after(3_000, resolve));
          isThere = prepared > 1;
        },
      },
    );
    for (let n = 0; n < 40; n++) rig.add(gate, `${n}`);
    await rig.clock.advance(2_999);
    expect(rig.started).to.deep.equal([]);
    // Prepared in vain: one call is let in to find out why.
    await rig.clock.advance(1);
    expect(rig.started).to.deep.equal([{ name: '0', at: 3_000 }]);
    await rig.clock.advance(3_000);
    expect(rig.started.slice(1).map(({ at }) => at)).to.deep.equal([6_000, 6_000, 6_000, 6_000, 6_000]);
    expect(prepared).to.equal(2);
  });

  it('tells those at once who cannot wait out a cool-down', async () => {
    const rig = new Rig(1);
    const gate = rig.gate('cn-hangzhou');
    const told: string[] = [];
    rig.add(gate, 'in flight', { takesMs: 1_000 });
    rig.add(gate, 'waits', {});
    rig.add(gate, 'cannot wait', { rejected: () => told.push('before') });
    fail(gate, errorOf('key_rejected'));
    rig.add(gate, 'cannot wait either', { rejected: () => told.push('after') });
    expect(told).to.deep.equal(['before', 'after']);
  });

  it('lets those that are known to fail in when no healthy one waits, in any region', async () => {
    const rig = new Rig(2);
    const [one, other] = [rig.gate('one'), rig.gate('other')];
    for (const standing of ['denied', 'unreachable'] as const) {
      for (let n = 0; n < 3; n++) rig.add(one, standing, { dueAt: 100, urgency: 'active', subject: known(standing) });
    }
    for (let n = 0; n < 10; n++) rig.add(other, 'healthy', { dueAt: 100, subject: known('good') });
    await rig.clock.advance(10_000);
    const expected = ['healthy', 'unreachable', 'denied'].flatMap((name) =>
      Array.from({ length: name === 'healthy' ? 10 : 3 }, () => name),
    );
    expect(rig.names()).to.deep.equal(expected);
  });

  it('leaves a fiftieth of the requests to those that are known to fail, whoever waited longest first', async () => {
    const rig = new Rig(2);
    const gate = rig.gate('cn-hangzhou', { requestsPerSecond: 10, burst: 1 });
    gate.circuit.answered({ subject: newSubject(), error: undefined, isProbe: false, sentAt: 0, nowMs: 0 });
    rig.add(gate, 'unreachable', { dueAt: 2, subject: known('unreachable') });
    rig.add(gate, 'denied', { dueAt: 1, subject: known('denied') });
    for (let n = 0; n < 200; n++) rig.add(gate, 'healthy', { dueAt: 3, subject: known('good') });
    await rig.clock.advance(15_000);
    const places = rig.names().flatMap((name, place) => (name === 'healthy' ? [] : [`${place} ${name}`]));
    // The first finds nobody else waiting.
    expect(places).to.deep.equal(['0 denied', '50 unreachable']);
  });

  it('gives those that are known to fail a quarter of the slots, so that they hang at nobody’s cost', async () => {
    const rig = new Rig(16);
    const gate = rig.gate('cn-hangzhou');
    for (let n = 0; n < 100; n++) rig.add(gate, 'hangs', { takesMs: 10_000, subject: known('unreachable') });
    await rig.clock.advance(5_000);
    expect(rig.scheduler.held).to.equal(4);
    for (let n = 0; n < 50; n++) rig.add(gate, 'healthy', { dueAt: 6_000 + n, subject: known('good'), takesMs: 1 });
    await rig.clock.advance(2_000);
    const healthy = rig.started.filter(({ name }) => name === 'healthy');
    expect(healthy.map(({ at }) => at)).to.deep.equal(Array.from({ length: 50 }, (_, n) => 6_000 + n));
  });

  it('asks those never asked first, until the others would be late', async () => {
    const rig = new Rig(1);
    const patience = 1_000;
    const gate = rig.gate('cn-hangzhou', { requestsPerSecond: 10, burst: 1 }, undefined, () => patience);
    gate.circuit.answered({ subject: newSubject(), error: undefined, isProbe: false, sentAt: 0, nowMs: 0 });
    for (let n = 0; n < 20; n++) rig.add(gate, 'fresh', { dueAt: 0 });
    for (let n = 0; n < 5; n++) rig.add(gate, 'works', { dueAt: 0, subject: known('good') });
    await rig.clock.advance(3_000);
    const fresh = (count: number): readonly string[] => Array.from({ length: count }, () => 'fresh');
    expect(rig.names()).to.deep.equal([...fresh(10), ...Array.from({ length: 5 }, () => 'works'), ...fresh(10)]);
  });

  it('asks one that was never asked at every 25th turn although those that work are late', async () => {
    const rig = new Rig(1);
    const gate = rig.gate('cn-hangzhou', { requestsPerSecond: 10, burst: 1 });
    gate.circuit.answered({ subject: newSubject(), error: undefined, isProbe: false, sentAt: 0, nowMs: 0 });
    for (let n = 0; n < 100; n++) rig.add(gate, 'works', { dueAt: 1, subject: known('good') });
    for (let n = 0; n < 5; n++) rig.add(gate, 'fresh', { dueAt: 1 });
    await rig.clock.advance(8_000);
    const places = rig.names().flatMap((name, place) => (name === 'fresh' ? [place] : []));
    expect(places).to.deep.equal([24, 49, 74]);
  });

  it('probes those never asked at random while nothing works', async () => {
    const rig = new Rig(4);
    const gate = rig.gate('cn-hangzhou', UNLIMITED, undefined, () => 1e6);
    rig.random = () => 0.5;
    fail(gate, errorOf('key_rejected'));
    for (const name of ['a', 'b', 'c', 'd']) rig.add(gate, name);
    rig.add(gate, 'denied', { subject: known('denied') });
    await rig.clock.advance(30_000);
    expect(rig.names()).to.deep.equal(['c']);
  });

  it('heeds no answer to a request that was sent before a reset', async () => {
    const rig = new Rig(4);
    const gate = rig.gate('cn-hangzhou');
    gate.reset(0);
    fail(gate, errorOf('key_rejected'));
    expect(gate.circuit.cooling).to.equal(undefined);
  });

  it('probes at random among the active, too, while nothing works', async () => {
    const rig = new Rig(4);
    const gate = rig.gate('cn-hangzhou');
    rig.random = () => 0.99;
    fail(gate, errorOf('key_rejected'));
    for (const name of ['a', 'b']) rig.add(gate, name, { urgency: 'active' });
    for (const name of ['c', 'd']) rig.add(gate, name);
    await rig.clock.advance(30_000);
    expect(rig.names()).to.deep.equal(['d']);
  });

  it('probes one that works before those never asked and those known to fail', async () => {
    const rig = new Rig(4);
    const gate = rig.gate('cn-hangzhou', UNLIMITED, undefined, () => 1e6);
    gate.circuit.answered({ subject: newSubject(), error: undefined, isProbe: false, sentAt: 0, nowMs: 0 });
    fail(gate, errorOf('key_rejected'));
    rig.add(gate, 'denied', { subject: known('denied') });
    rig.add(gate, 'fresh');
    rig.add(gate, 'works', { subject: known('good'), takesMs: 1_000 });
    await rig.clock.advance(30_000);
    expect(rig.names()).to.deep.equal(['works']);
  });

  it('wakes for one timer, whatever waits', () => {
    const rig = new Rig(4);
    const gate = rig.gate('cn-hangzhou');
    for (let n = 0; n < 1_000; n++) rig.add(gate, `${n}`, { dueAt: 1_000 + n });
    expect(rig.clock.pendingTimers).to.equal(1);
  });

  it('lets nobody in once it is stopped', async () => {
    const rig = new Rig(4);
    const gate = rig.gate('cn-hangzhou');
    rig.add(gate, 'later', { dueAt: 10 });
    rig.scheduler.stop();
    await rig.clock.advance(100);
    expect([rig.started, rig.clock.pendingTimers]).to.deep.equal([[], 0]);
  });
});
