import { expect } from 'chai';
import type { ApiError } from '../../../dist/domain/model.js';
import type { Standing, Subject } from '../../../dist/collector/circuit-breaker.js';
import type { Waiter, ApiLimiter, Queue } from '../../../dist/collector/api-limiter.js';
import { errorOf } from '../../helpers/build.js';
import { settle } from '../../helpers/fake-clock.js';
import { callerOf, gateOf } from '../../helpers/gates.js';

function known(standing: Standing, misses = standing === 'good' ? 0 : Infinity): Subject {
  return { standing, misses };
}

/** An answer to a request of another instance, sent when it came. */
function answer(gate: ApiLimiter, error: ApiError | undefined, nowMs = 0): void {
  gate.answered({ waiter: callerOf(), isProbe: false, epoch: 0 }, { error, sentAt: nowMs, nowMs });
}

/** Takes in turn whoever is ready, at most `count`. */
function order(gate: ApiLimiter, count: number, nowMs = 0, isForPoor = true): readonly Queue[] {
  const taken: Queue[] = [];
  for (let queue = gate.ready(nowMs, isForPoor); queue !== undefined; queue = gate.ready(nowMs, isForPoor)) {
    gate.take(queue, nowMs);
    taken.push(queue);
    if (taken.length === count) break;
  }
  return taken;
}

describe('the gate of one action in a region', () => {
  it('is used while there is an instance to poll or a caller that waits, in whichever queue', () => {
    expect([gateOf().action, gateOf().isUsed, gateOf({ instances: () => 1 }).isUsed]).to.deep.equal([
      'DescribeBackupTasks',
      false,
      true,
    ]);
    for (const standing of ['fresh', 'good', 'denied', 'unreachable'] as const) {
      for (const urgency of ['active', 'idle'] as const) {
        for (const leave of ['remove', 'forget'] as const) {
          const gate = gateOf();
          const caller = callerOf({ subject: known(standing), dueAt: 5 });
          gate.add(caller, urgency, 0);
          const isHealthy = standing === 'fresh' || standing === 'good';
          const earliest = [gate.earliestDueAt, gate.readyAt(0, false), gate.readyAt(0, true)];
          expect([gate.isUsed, ...earliest]).to.deep.equal([true, ...(isHealthy ? [5, 5] : [Infinity, Infinity]), 5]);
          gate[leave](caller);
          expect([gate.isUsed, gate.earliestDueAt, caller.subject.standing]).to.deep.equal([
            false,
            Infinity,
            leave === 'forget' ? 'gone' : standing,
          ]);
        }
      }
    }
  });

  it('lets nobody in before the due time, the token and the end of the pause, and says when', () => {
    const gate = gateOf({ limit: { requestsPerSecond: 0.5, burst: 1 } });
    for (const dueAt of [1_000, 1_000]) gate.add(callerOf({ subject: known('good'), dueAt }), 'idle', 0);
    expect([gate.ready(999, true), gate.readyAt(999, true), gate.ready(1_000, true)]).to.deep.equal([
      undefined,
      1_000,
      'idle',
    ]);
    expect(order(gate, 2, 1_000)).to.deep.equal(['idle']);
    expect([gate.readyAt(1_000, true), gate.ready(2_999, true), gate.ready(3_000, true)]).to.deep.equal([
      3_000,
      undefined,
      'idle',
    ]);
    answer(gate, errorOf('key_rejected'), 3_000);
    expect([gate.readyAt(3_000, true), gate.ready(32_999, true), gate.ready(33_000, true)]).to.deep.equal([
      33_000,
      undefined,
      'idle',
    ]);
  });

  it('tells those that cannot wait what held them back, and leaves the others where they are', () => {
    const changes: unknown[] = [];
    const told: [string, ApiError][] = [];
    const gate = gateOf({ onCooldown: (change, of) => changes.push([change, of === gate]) });
    const cannotWait = (name: string): Waiter => callerOf({ rejected: (error) => told.push([name, error]) });
    gate.add(cannotWait('before'), 'active', 0);
    gate.add(callerOf(), 'active', 0);
    // Nothing that fails alone does so.
    answer(gate, errorOf('server'));
    answer(gate, errorOf('denied'));
    expect([told, changes]).to.deep.equal([[], []]);
    answer(gate, errorOf('key_rejected', { requestId: 'A-1', retryAfterMs: 5 }));
    gate.add(cannotWait('early'), 'active', 29_999);
    gate.add(cannotWait('in time'), 'idle', 30_000);
    const error: ApiError = {
      kind: 'held_back',
      code: 'key_rejected',
      message: 'held back after: it failed: key_rejected',
      requestId: 'A-1',
      retryAfterMs: undefined,
    };
    expect(told).to.deep.equal([
      ['before', error],
      ['early', error],
    ]);
    answer(gate, errorOf('request'), 31_000);
    answer(gate, undefined, 31_000);
    expect(changes).to.deep.equal([
      ['entered', true],
      ['left', true],
    ]);
    expect([told.length, order(gate, 10, 31_000)]).to.deep.equal([2, ['active', 'fresh']]);
  });

  it('lowers the rate when it is throttled, waits as long as the API asks, and tells once', () => {
    const told: unknown[] = [];
    const gate = gateOf({
      limit: { requestsPerSecond: 8, burst: 1 },
      onThrottled: (error, of) => told.push([error.kind, of === gate]),
    });
    gate.add(callerOf(), 'idle', 0);
    answer(gate, errorOf('server'));
    answer(gate, errorOf('throttled', { retryAfterMs: 700 }));
    answer(gate, errorOf('throttled'));
    expect([told, gate.bucket.rate(0), gate.readyAt(0, true)]).to.deep.equal([[['throttled', true]], 4, 700]);
  });

  it('heeds no answer to a request of before a reset, but for the limit', () => {
    const gate = gateOf({ limit: { requestsPerSecond: 8, burst: 8 } });
    answer(gate, errorOf('key_rejected'));
    expect([gate.reset(1), gate.reset(1)]).to.deep.equal(['left', undefined]);
    answer(gate, errorOf('key_rejected'), 2);
    answer(gate, errorOf('throttled'), 2);
    expect([gate.circuit.cooling, gate.bucket.rate(2)]).to.deep.equal([undefined, 4]);
  });

  it('prepares credentials once, for somebody who is due and may be sent, and again after a reset', async () => {
    let prepared = 0;
    let told = 0;
    let isAtHand = false;
    const prepare = (): Promise<void> => {
      prepared++;
      return prepared % 2 ? Promise.reject(new Error('no credentials')) : Promise.resolve();
    };
    const gate = gateOf({
      precondition: { isReady: () => isAtHand, ensure: prepare },
      limit: { requestsPerSecond: 1, burst: 3 },
    });
    gate.onPrepared = () => told++;
    for (let n = 0; n < 5; n++) gate.add(callerOf({ dueAt: 10 }), 'idle', 0);
    expect([gate.ready(0, true), prepared]).to.deep.equal([undefined, 0]);
    expect([gate.ready(10, true), gate.ready(10, true), prepared, told]).to.deep.equal([undefined, undefined, 1, 0]);
    await settle();
    expect([told, gate.ready(10, true), prepared]).to.deep.equal([1, 'fresh', 1]);
    // One call finds out why; then they are asked for again.
    gate.take('fresh', 10);
    expect([gate.ready(10, true), prepared]).to.deep.equal([undefined, 2]);
    await settle();
    expect([told, gate.ready(10, true)]).to.deep.equal([2, 'fresh']);
    gate.reset(10);
    expect([gate.ready(10, true), prepared]).to.deep.equal([undefined, 3]);
    await settle();
    isAtHand = true;
    expect(order(gate, 10, 10)).to.deep.equal(['fresh', 'fresh']);
    expect(prepared).to.equal(3);
  });

  it('says whether a request is the probe of a cool-down, and of which reset it is', () => {
    const gate = gateOf();
    const callers = [0, 1, 2].map((dueAt) => callerOf({ dueAt, subject: known('good') }));
    for (const caller of callers) gate.add(caller, 'idle', 0);
    expect(gate.take('idle', 0)).to.deep.equal({ waiter: callers[0], isProbe: false, epoch: 0 });
    answer(gate, errorOf('key_rejected'));
    gate.take('idle', 30_000);
    expect([gate.ready(30_000, true), gate.readyAt(30_000, true)]).to.deep.equal([undefined, Infinity]);
    gate.reset(30_000);
    expect(gate.take('idle', 30_000)).to.deep.equal({ waiter: callers[2], isProbe: false, epoch: 1 });
    expect(gate.take('idle', 30_000)).to.equal(undefined);
  });

  it('gives one of 25 turns of the idle to the fresh, one of 50 to those that fail, counted while they wait', () => {
    const gate = gateOf();
    answer(gate, undefined);
    const add = (standing: Standing, dueAt = 0): void =>
      gate.add(callerOf({ subject: known(standing), dueAt }), 'idle', 0);
    for (let n = 0; n < 200; n++) add('good');
    // Nobody else waits: these do not count.
    expect(new Set(order(gate, 60))).to.deep.equal(new Set(['idle']));
    add('fresh');
    add('fresh');
    expect([order(gate, 50)].map((all) => all.flatMap((queue, at) => (queue === 'fresh' ? [at] : [])))).to.deep.equal([
      [24, 49],
    ]);
    add('denied', 5);
    expect(new Set(order(gate, 51))).to.deep.equal(new Set(['idle']));
    add('denied');
    add('unreachable');
    add('unreachable');
    const rest = order(gate, 100);
    expect(rest.length).to.equal(44);
    expect(rest.slice(-3)).to.deep.equal(['unreachable', 'unreachable', 'denied']);
    expect([order(gate, 9), order(gate, 9, 5, false), order(gate, 9, 5)]).to.deep.equal([[], [], ['denied']]);
  });

  it('takes whoever has waited longest of those that fail, at their turn alone', () => {
    const places = (unreachableDueAt: number, deniedDueAt: number): readonly unknown[] => {
      const gate = gateOf();
      answer(gate, undefined);
      for (let n = 0; n < 120; n++) gate.add(callerOf({ subject: known('good') }), 'active', 0);
      gate.add(callerOf({ subject: known('unreachable'), dueAt: unreachableDueAt }), 'idle', 0);
      gate.add(callerOf({ subject: known('denied'), dueAt: deniedDueAt }), 'idle', 0);
      return order(gate, 120, 10).flatMap((queue, at) => (queue === 'active' ? [] : [at, queue]));
    };
    expect(places(2, 1)).to.deep.equal([49, 'denied', 99, 'unreachable']);
    expect(places(1, 2)).to.deep.equal([49, 'unreachable', 99, 'denied']);
    expect(places(2, 2)).to.deep.equal([49, 'unreachable', 99, 'denied']);
    expect(places(10, 11)).to.deep.equal([49, 'unreachable']);
    expect(places(11, 10)).to.deep.equal([49, 'denied']);
    expect(places(11, 11)).to.deep.equal([]);
  });

  it('gives every other turn of the unreachable to the one that is due and missed least since it worked', () => {
    const gate = gateOf();
    const missed = [Infinity, Infinity, Infinity, 12, 4, 9, 3];
    for (const [at, misses] of missed.entries()) {
      gate.add(callerOf({ subject: known('unreachable', misses), dueAt: at }), 'idle', 0);
    }
    const turns = Array.from({ length: 7 }, () => gate.take('unreachable', 5)?.waiter.subject.misses);
    expect(turns).to.deep.equal([4, Infinity, 9, Infinity, 12, Infinity, 3]);
    expect([gate.take('unreachable', 5), gateOf().take('unreachable', 5)]).to.deep.equal([undefined, undefined]);
    const [first, second] = [
      callerOf({ subject: known('unreachable', 4) }),
      callerOf({ subject: known('unreachable', 4) }),
    ];
    for (const caller of [first, second]) gate.add(caller, 'idle', 0);
    gate.take('unreachable', 5);
    expect(gate.take('unreachable', 5)?.waiter === second).to.equal(true);
  });

  it('asks the fresh first until the idle have waited as long as they may, and the idle when it probes', () => {
    const gate = gateOf({ patienceMs: () => 1_000 });
    answer(gate, undefined);
    gate.add(callerOf({ dueAt: 0 }), 'idle', 0);
    gate.add(callerOf({ dueAt: 100, subject: known('good') }), 'idle', 0);
    expect([99, 100, 1_099, 1_100].map((nowMs) => gate.ready(nowMs, true))).to.deep.equal([
      'fresh',
      'fresh',
      'fresh',
      'idle',
    ]);
    answer(gate, errorOf('key_rejected'), 0);
    gate.add(callerOf({ dueAt: 40_000, subject: known('good') }), 'idle', 0);
    expect(gate.ready(30_000, true)).to.equal('idle');
    const probing = gateOf({ patienceMs: () => 1_000 });
    answer(probing, errorOf('key_rejected'));
    probing.add(callerOf(), 'idle', 0);
    probing.add(callerOf({ dueAt: 30_001, subject: known('good') }), 'idle', 0);
    expect([30_000, 30_001].map((nowMs) => probing.ready(nowMs, true))).to.deep.equal(['fresh', 'idle']);
    gate.take('idle', 30_000);
    gate.reset(30_000);
    answer(gate, undefined);
    expect([gate.ready(39_999, true), gate.ready(40_000, true)]).to.deep.equal(['fresh', 'fresh']);
  });

  it('draws among the fresh, and while nothing works and it probes among the active, too', () => {
    const drawn = (random: number, isTrial: boolean, queue: Queue): number => {
      const gate = gateOf({ random: () => random });
      if (isTrial) answer(gate, errorOf('key_rejected'));
      const callers = [1, 2, 3, 4].map((dueAt) => callerOf({ dueAt }));
      for (const [at, caller] of callers.entries()) gate.add(caller, at < 2 ? 'active' : 'idle', 0);
      return callers.indexOf(gate.take(queue, 30_000)!.waiter);
    };
    const at = [0, 0.25, 0.5, 0.75];
    expect(at.map((random) => drawn(random, true, 'fresh'))).to.deep.equal([0, 1, 2, 3]);
    expect(at.map((random) => drawn(random, true, 'active'))).to.deep.equal([0, 1, 2, 3]);
    expect(at.map((random) => drawn(random, false, 'fresh'))).to.deep.equal([2, 2, 3, 3]);
    expect(at.map((random) => drawn(random, false, 'active'))).to.deep.equal([0, 0, 1, 1]);
    // Drawn, but not due yet, and due just now.
    const places = [5, 6].map((nowMs) => {
      const gate = gateOf({ random: () => 0.99 });
      const callers = [callerOf({ dueAt: 5 }), callerOf({ dueAt: 6 })];
      for (const caller of callers) gate.add(caller, 'idle', 0);
      return callers.indexOf(gate.take('fresh', nowMs)!.waiter);
    });
    expect(places).to.deep.equal([0, 1]);
  });

  it('draws among no others: first come, first served', () => {
    const firstOf = (queue: Queue, standing: Standing, hasWorked: boolean): unknown => {
      const gate = gateOf({ random: () => 0.99 });
      if (hasWorked) answer(gate, undefined);
      for (const dueAt of [3, 1, 2]) {
        gate.add(callerOf({ subject: known(standing), dueAt }), queue === 'active' ? 'active' : 'idle', 0);
      }
      return gate.take(queue, 5)?.waiter.dueAt;
    };
    expect([true, false].map((hasWorked) => firstOf('idle', 'good', hasWorked))).to.deep.equal([1, 1]);
    expect([true, false].map((hasWorked) => firstOf('denied', 'denied', hasWorked))).to.deep.equal([1, 1]);
    expect([firstOf('active', 'good', true), firstOf('active', 'fresh', true)]).to.deep.equal([1, 1]);
  });

  for (const standing of ['good', 'fresh'] as const) {
    it(`gives the tenth turn of the active to an idle one that is ${standing}, counted while it waits`, () => {
      const gate = gateOf();
      answer(gate, undefined);
      for (let n = 0; n < 60; n++) gate.add(callerOf({ subject: known('good') }), 'active', 0);
      expect(new Set(order(gate, 20))).to.deep.equal(new Set(['active']));
      for (const dueAt of [7, 7, 8]) gate.add(callerOf({ subject: known(standing), dueAt }), 'idle', 0);
      expect(new Set(order(gate, 15, 6))).to.deep.equal(new Set(['active']));
      const queues = order(gate, 99, 7);
      expect(queues.flatMap((queue, at) => (queue === 'active' ? [] : [at]))).to.deep.equal([9, 19]);
    });
  }

  it('leaves a probe to those that are healthy, however long those that fail have waited for their turn', () => {
    const gate = gateOf();
    answer(gate, undefined);
    for (let n = 0; n < 51; n++) gate.add(callerOf({ subject: known('good') }), 'active', 0);
    gate.add(callerOf({ subject: known('unreachable') }), 'idle', 0);
    expect(new Set(order(gate, 49))).to.deep.equal(new Set(['active']));
    expect(gate.ready(0, true)).to.equal('unreachable');
    answer(gate, errorOf('key_rejected'));
    expect(gate.ready(30_000, true)).to.equal('active');
  });

  it('lets a caller that cannot wait wait for the answers of a trial: that is no cool-down', () => {
    const gate = gateOf({ instances: () => 100 });
    for (let n = 0; n < 20; n++) gate.circuit.sent();
    gate.add(callerOf({ rejected: () => expect.fail('told') }), 'active', 0);
    expect([gate.isUsed, gate.ready(0, true), gate.readyAt(0, true)]).to.deep.equal([true, undefined, Infinity]);
    answer(gate, undefined);
    expect(gate.ready(0, true)).to.equal('active');
  });
});
