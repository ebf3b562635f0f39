import { expect } from 'chai';
import { newSubject } from '../../../dist/collector/circuit-breaker.js';
import type { Waiter, ApiLimiter } from '../../../dist/collector/api-limiter.js';
import { Scheduler } from '../../../dist/collector/scheduler.js';
import type { Priority } from '../../../dist/collector/priority-alternator.js';
import { FakeClock, settle } from '../../helpers/fake-clock.js';
import { callerOf, gateOf } from '../../helpers/gates.js';

/** Regions whose requests take as long as they are told to. */
class Rig {
  readonly clock = new FakeClock(0);
  readonly scheduler: Scheduler;
  readonly started: [name: string, at: number][] = [];

  constructor(concurrency: number) {
    this.scheduler = new Scheduler(this.clock, concurrency);
  }

  gate(regionId: string, instances = 0): ApiLimiter {
    const gate = gateOf({ accountRegion: { account: 'a', regionId }, instances: () => instances });
    this.scheduler.open(gate);
    return gate;
  }

  add(
    gate: ApiLimiter,
    name: string,
    over: { dueAt?: number; urgency?: Priority; takesMs?: number; count?: number } = {},
  ): void {
    const { dueAt = 0, urgency = 'idle', takesMs = 100, count = 1 } = over;
    const callers = Array.from({ length: count }, (): [Waiter, Priority] => {
      const acquired: Waiter['acquired'] = (permit) => {
        this.started.push([name, this.clock.now()]);
        this.clock.after(takesMs, () => permit.release(undefined));
      };
      return [callerOf({ subject: { ...newSubject(), standing: 'good' }, dueAt, acquired }), urgency];
    });
    this.scheduler.addAll(gate, callers);
  }

  get names(): readonly string[] {
    return this.started.map(([name]) => name);
  }
}

describe('the shares of the slots', () => {
  it('are one at least: three regions use two slots in turn', async () => {
    const rig = new Rig(2);
    for (const name of ['one', 'other', 'third']) rig.add(rig.gate(name), name, { count: 5 });
    await rig.clock.advance(60_000);
    expect(rig.names.toSorted()).to.deep.equal(['one', 'other', 'third'].flatMap((name) => Array(5).fill(name)));
    expect(rig.started.at(-1)).to.deep.equal(['third', 700]);
  });

  it('keep a slot for each quiet region, up to half of them, and none for one without instances', async () => {
    const held: number[] = [];
    for (const [quiet, instances] of [
      [0, 1],
      [1, 1],
      [3, 1],
      [5, 1],
      [3, 0],
    ] as const) {
      const rig = new Rig(8);
      for (let n = 0; n < quiet; n++) rig.gate(`quiet-${n}`, instances);
      rig.add(rig.gate('hangs'), 'hangs', { takesMs: 60_000, count: 50 });
      await settle();
      held.push(rig.scheduler.held);
    }
    expect(held).to.deep.equal([8, 7, 5, 4, 8]);
  });

  it('let the one of two regions in when it is due although the other hangs', async () => {
    const rig = new Rig(4);
    rig.add(rig.gate('only'), 'only', { dueAt: 1_000 });
    const hangs = rig.gate('hangs');
    // One by one, as polls that were answered wait again.
    for (let n = 0; n < 10; n++) rig.add(hangs, 'hangs', { dueAt: n, takesMs: 60_000 });
    await rig.clock.advance(1_000);
    expect(rig.started.at(-1)).to.deep.equal(['only', 1_000]);
    expect(rig.scheduler.held).to.equal(4);
  });

  it('go to the urgent, then to the region with the fewest slots, then to the least used', async () => {
    const rig = new Rig(1);
    const [one, other] = [rig.gate('one'), rig.gate('other')];
    rig.add(one, 'first', { takesMs: 1_000 });
    await rig.clock.advance(10);
    rig.add(one, 'one idle', { count: 2 });
    rig.add(other, 'other idle', { count: 2 });
    rig.add(one, 'one urgent', { urgency: 'active' });
    await rig.clock.advance(5_000);
    expect(rig.names).to.deep.equal(['first', 'one urgent', 'other idle', 'other idle', 'one idle', 'one idle']);
    const wide = new Rig(4);
    const [full, empty] = [wide.gate('full'), wide.gate('empty')];
    wide.add(full, 'full', { takesMs: 60_000 });
    wide.add(full, 'full again', { dueAt: 10, takesMs: 60_000 });
    wide.add(empty, 'empty', { dueAt: 10 });
    await wide.clock.advance(10);
    expect(wide.names).to.deep.equal(['full', 'empty', 'full again']);
  });

  it('go to whoever has waited longest of the actions of a region', async () => {
    const rig = new Rig(1);
    const [tasks, instances] = [rig.gate('one'), rig.gate('one')];
    rig.add(tasks, 'first', { takesMs: 100 });
    rig.add(tasks, 'later', { dueAt: 20 });
    rig.add(instances, 'sooner', { dueAt: 10 });
    await rig.clock.advance(1_000);
    expect(rig.names).to.deep.equal(['first', 'sooner', 'later']);
  });
});

describe('the scheduler of several regions', () => {
  it('wakes for the first of them, whichever was opened first', async () => {
    for (const dueAt of [
      [400, 1_000],
      [1_000, 400],
    ]) {
      const rig = new Rig(4);
      for (const [at, due] of dueAt.entries()) rig.add(rig.gate(`region-${at}`), `${due}`, { dueAt: due });
      expect(rig.clock.pendingTimers).to.equal(1);
      await rig.clock.advance(2_000);
      expect(rig.started).to.deep.equal([
        ['400', 400],
        ['1000', 1_000],
      ]);
    }
  });

  it('follows a new number of slots at once', async () => {
    const rig = new Rig(1);
    rig.add(rig.gate('one'), 'one', { count: 5, takesMs: 1_000 });
    await settle();
    rig.scheduler.concurrency = 3;
    await settle();
    expect([rig.started.length, rig.scheduler.limit.concurrency]).to.deep.equal([3, 3]);
    rig.scheduler.concurrency = 1;
    await rig.clock.advance(1_000);
    expect([rig.started.length, rig.scheduler.held]).to.deep.equal([4, 1]);
  });

  it('lets nobody in at a gate that was closed, and goes on with the others of its region', async () => {
    const rig = new Rig(2);
    const [closed, open] = [rig.gate('one'), rig.gate('one')];
    rig.add(closed, 'closed', { dueAt: 10 });
    rig.add(open, 'open', { dueAt: 20 });
    rig.scheduler.close(closed);
    rig.scheduler.close(closed);
    rig.scheduler.close(gateOf({ accountRegion: { account: 'b', regionId: 'one' } }));
    await rig.clock.advance(100);
    expect(rig.started).to.deep.equal([['open', 20]]);
    rig.scheduler.close(open);
    rig.add(open, 'late');
    await rig.clock.advance(1_000);
    expect([rig.started.length, rig.clock.pendingTimers]).to.deep.equal([1, 0]);
  });

  it('lets nobody in after its stop, not even with a slot that is given back', async () => {
    const rig = new Rig(1);
    const gate = rig.gate('one');
    rig.add(gate, 'one', { count: 3 });
    await settle();
    rig.scheduler.stop();
    rig.add(gate, 'late');
    await rig.clock.advance(1_000);
    expect([rig.started, rig.scheduler.held, rig.clock.pendingTimers]).to.deep.equal([[['one', 0]], 0, 0]);
  });
});
