import { expect } from 'chai';
import { cases } from '../../helpers/cases.js';
import { newSubject } from '../../../dist/collector/circuit-breaker.js';
import { ApiLimiter } from '../../../dist/collector/api-limiter.js';
import type { Waiter, Permit } from '../../../dist/collector/api-limiter.js';
import { Scheduler } from '../../../dist/collector/scheduler.js';
import { errorOf } from '../../helpers/build.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { seeded } from '../../helpers/random.js';

const MINUTE = 60_000;

interface Region {
  readonly instances: number;
  readonly intervalMs: number;
  readonly takesMs: number;
  /** Whether its requests time out. */
  readonly isHanging?: boolean;
}

interface Seen {
  calls: number;
  /** In the first minute, and after. */
  earlyMs: number;
  mostLateMs: number;
}

/** Polls instances of several regions, each again an interval after the last request began. */
class Fleet {
  readonly clock = new FakeClock(0);
  readonly #random = seeded(7);
  readonly #scheduler: Scheduler;

  constructor(concurrency: number) {
    this.#scheduler = new Scheduler(this.clock, concurrency);
  }

  open(name: string, region: Region): Seen {
    const seen = { calls: 0, earlyMs: 0, mostLateMs: 0 };
    const gate = new ApiLimiter({
      accountRegion: { account: 'a', regionId: name },
      action: 'DescribeBackupTasks',
      limit: { requestsPerSecond: 5, burst: 5 },
      nowMs: 0,
      instances: () => region.instances,
      random: this.#random,
      onCooldown: () => undefined,
      onThrottled: () => undefined,
    });
    this.#scheduler.open(gate);
    for (let n = 0; n < region.instances; n++) this.#add(gate, region, seen);
    return seen;
  }

  #add(gate: ApiLimiter, { intervalMs, takesMs, isHanging }: Region, seen: Seen): void {
    const error = isHanging === true ? errorOf('server') : undefined;
    const caller: Waiter & { dueAt: number } = {
      subject: newSubject(),
      dueAt: this.#random() * intervalMs,
      order: 0,
      position: -1,
      acquired: (permit: Permit) => {
        seen.calls++;
        const when = permit.sentAt < MINUTE ? 'earlyMs' : 'mostLateMs';
        seen[when] = Math.max(seen[when], permit.sentAt - caller.dueAt);
        this.clock.after(takesMs, () => {
          permit.release(error);
          caller.dueAt = Math.max(permit.sentAt + intervalMs, this.clock.now());
          // As a poll does: its outcome is taken in first.
          setImmediate(() => this.#scheduler.add(gate, caller, 'idle'));
        });
      },
    };
    this.#scheduler.add(gate, caller, 'idle');
  }
}

describe('the slots', function () {
  this.timeout(60_000);

  for (const slow of [16, 50].slice(-cases(2))) {
    it(`are shared by time: ${slow} of 56 regions that take 9 s a request do not delay the others`, async () => {
      const fleet = new Fleet(16);
      const healthy = Array.from({ length: 56 }, (_, n) => {
        const takesMs = n < slow ? 9_000 : 100;
        return [takesMs, fleet.open(`region-${n}`, { instances: 100, intervalMs: 5 * MINUTE, takesMs })] as const;
      }).filter(([takesMs]) => takesMs === 100);
      await fleet.clock.advance(15 * MINUTE);
      // At first nobody knows which are slow: each may take a slot once.
      expect(Math.max(...healthy.map(([, { earlyMs }]) => earlyMs))).to.be.below(9_000 * Math.ceil(slow / 16));
      // Two of a region that are due at once wait for a token.
      expect(Math.max(...healthy.map(([, { mostLateMs }]) => mostLateMs))).to.be.below(500);
    });
  }

  it('keep one for the region whose only instance is about to be due again', async () => {
    const fleet = new Fleet(4);
    fleet.open('hangs', { instances: 50, intervalMs: 1_000, takesMs: 8_000, isHanging: true });
    const seen = fleet.open('only', { instances: 1, intervalMs: 1_000, takesMs: 100 });
    await fleet.clock.advance(5 * MINUTE);
    expect([seen.calls, seen.earlyMs, seen.mostLateMs]).to.deep.equal([300, 0, 0]);
  });

  it('keep one for the region whose only instance waits to be tried again', async () => {
    const fleet = new Fleet(2);
    fleet.open('hangs', { instances: 50, intervalMs: 1_000, takesMs: 8_000, isHanging: true });
    const seen = fleet.open('only', { instances: 1, intervalMs: 10_000, takesMs: 3_000 });
    await fleet.clock.advance(5 * MINUTE);
    expect([seen.calls, seen.earlyMs, seen.mostLateMs]).to.deep.equal([30, 0, 0]);
  });
});
