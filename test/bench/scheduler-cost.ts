/** What the scheduler itself costs: 100,000 instances for a simulated hour: `node dist-test/bench/scheduler-cost.js`. */
import type { Standing, Subject } from '../../dist/collector/circuit-breaker.js';
import { ApiLimiter } from '../../dist/collector/api-limiter.js';
import type { Waiter, Permit } from '../../dist/collector/api-limiter.js';
import { Scheduler } from '../../dist/collector/scheduler.js';
import { FakeClock } from '../helpers/fake-clock.js';

const INSTANCES = 100_000;
const INTERVAL_MS = 300_000;
const HOUR_MS = 3_600_000;

const clock = new FakeClock(0);
const scheduler = new Scheduler(clock, 64);
const gate = new ApiLimiter({
  accountRegion: { account: 'bench', regionId: 'cn-hangzhou' },
  action: 'DescribeBackupTasks',
  limit: { requestsPerSecond: 500, burst: 50 },
  nowMs: 0,
  instances: () => INSTANCES,
  random: () => 0,
  onCooldown: () => undefined,
  onThrottled: () => undefined,
});
scheduler.open(gate);

let polls = 0;
let harnessMs = 0;

/** A poll that is answered at once: what is left is heap, token, slot and timer. */
class Target implements Waiter, Subject {
  dueAt: number;
  order = 0;
  position = -1;
  standing: Standing = 'fresh';
  misses = 0;
  readonly rejected = undefined;

  constructor(dueAt: number) {
    this.dueAt = dueAt;
  }

  get subject(): Subject {
    return this;
  }

  acquired(permit: Permit): void {
    polls++;
    permit.release(undefined);
    this.dueAt = permit.sentAt + INTERVAL_MS;
    scheduler.add(gate, this, polls % 10 === 0 ? 'active' : 'idle');
  }
}

/** The clock's own rounds cost something too: measured on as many empty timers. */
async function emptyRounds(rounds: number): Promise<number> {
  const empty = new FakeClock(0);
  for (let n = 0; n < rounds; n++) empty.after(n, () => undefined);
  const before = process.cpuUsage();
  await empty.advance(rounds);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / rounds;
}

scheduler.addAll(
  gate,
  Array.from({ length: INSTANCES }, (_, n) => [new Target((n / INSTANCES) * INTERVAL_MS), 'idle'] as const),
);
let timers = 0;
const after = clock.after.bind(clock);
clock.after = (delayMs, run) => {
  return after(delayMs, () => {
    timers++;
    run();
  });
};
await clock.advance(INTERVAL_MS);
[polls, timers] = [0, 0];
const before = process.cpuUsage();
await clock.advance(HOUR_MS);
const { user, system } = process.cpuUsage(before);
harnessMs = (await emptyRounds(100_000)) * timers;
console.log(
  `scheduler: ${polls} polls of ${INSTANCES} instances in an hour, ${((user + system - harnessMs) / polls).toFixed(2)} us a poll (${((user + system) / polls).toFixed(2)} us with the test clock's rounds)`,
);
