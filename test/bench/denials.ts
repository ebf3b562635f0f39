/**
 * A simulated day in which part of the fleet fails: `node dist-test/bench/denials.js [instances...]`. The real scheduler,
 * limiter and poll loop with the default intervals, on a clock that jumps.
 */
import { setMaxListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ApiLimiter } from '../../dist/collector/api-limiter.js';
import { PollLoop } from '../../dist/collector/poll-loop.js';
import { Scheduler } from '../../dist/collector/scheduler.js';
import type { ErrorKind } from '../../dist/domain/model.js';
import { errorOf, instanceOf } from '../helpers/build.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { seeded } from '../helpers/random.js';

const HOUR = 3_600_000;
const IDLE_MS = 300_000;
const ANSWER_MS = 100;
const TIMEOUT_MS = 10_000;

export type Order = 'first' | 'last' | 'random';

export interface Fleet {
  readonly instances: number;
  /** The share that fails, in (0, 1). */
  readonly failing: number;
  readonly kind: Extract<ErrorKind, 'denied' | 'timeout'>;
  /** Where the listing holds those that fail. */
  readonly order: Order;
  readonly hours: number;
  /** 5 unless given. */
  readonly requestsPerSecond?: number;
  /** When the first instance that works times out, too; its gaps are left out. */
  readonly blip?: { readonly fromMs: number; readonly toMs: number };
  readonly seed: number;
}

export interface Figures {
  readonly working: number;
  /** Until the first success. */
  readonly firstMs: number;
  /** Until every working instance was polled. */
  readonly allMs: number;
  /** The longest time between two polls of a working instance, as a multiple of the interval that the limit allows them. */
  readonly longestGap: number;
  /** Requests for instances that fail, while nothing had worked, in the first 15 s and in all. */
  readonly early: number;
  readonly trial: number;
  /** Requests for instances that fail in the last hour. */
  readonly lastHour: number;
  /** From the end of the blip to the next poll of that instance that worked. */
  readonly backMs: number;
  /** How long the circuit was open. */
  readonly darkMs: number;
}

/** Which instances fail, by their place in the listing. */
function failingOf({ instances, failing, order }: Fleet, random: () => number): ReadonlySet<number> {
  const count = Math.min(instances - 1, Math.max(1, Math.round(instances * failing)));
  const places = Array.from({ length: instances }, (_, n) => n);
  if (order === 'last') places.reverse();
  if (order === 'random') {
    for (let n = places.length - 1; n > 0; n--) {
      const other = Math.floor(random() * (n + 1));
      [places[n], places[other]] = [places[other]!, places[n]!];
    }
  }
  return new Set(places.slice(0, count));
}

export async function simulate(fleet: Fleet): Promise<Figures> {
  const { requestsPerSecond = 5 } = fleet;
  const clock = new FakeClock(0);
  let [enteredAt, darkMs] = [0, 0];
  const { fromMs, toMs } = fleet.blip ?? { fromMs: Infinity, toMs: Infinity };
  const random = seeded(fleet.seed);
  const failing = failingOf(fleet, random);
  const failingIds = new Set([...failing].map((n) => `rm-${n}`));
  const scheduler = new Scheduler(clock, 16);
  const gate: ApiLimiter = new ApiLimiter({
    accountRegion: { account: 'production', regionId: 'cn-hangzhou' },
    action: 'DescribeBackupTasks',
    limit: { requestsPerSecond, burst: 5 },
    nowMs: 0,
    instances: () => polling.size,
    patienceMs: () => polling.patienceMs(),
    random,
    onCooldown: (change) => {
      if (change === 'entered') enteredAt = clock.now();
      else darkMs += clock.now() - enteredAt;
    },
    onThrottled: () => undefined,
  });
  scheduler.open(gate);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const polledAt = new Map<string, number>();
  const end = fleet.hours * HOUR;
  const counts = { early: 0, trial: 0, lastHour: 0 };
  let [firstMs, allMs, longestMs, backMs] = [Infinity, Infinity, 0, Infinity];
  const working = fleet.instances - failing.size;
  const blipping = `rm-${Array.from({ length: fleet.instances }, (_, n) => n).find((n) => !failing.has(n))}`;
  const polling: PollLoop = new PollLoop({
    scheduler,
    limiter: gate,
    source: {
      async describeBackupTasks({ instanceId }) {
        const at = clock.now();
        const isBlipping = instanceId === blipping && at >= fromMs && at < toMs;
        const isFailing = failingIds.has(instanceId) || isBlipping;
        if (firstMs === Infinity) {
          counts.trial++;
          if (at <= 15_000) counts.early++;
        }
        if (isFailing && at > end - HOUR) counts.lastHour++;
        const takesMs = isBlipping || (isFailing && fleet.kind === 'timeout') ? TIMEOUT_MS : ANSWER_MS;
        await new Promise<void>((resolve) => clock.after(takesMs, resolve));
        if (isFailing) return { ok: false, error: errorOf(isBlipping ? 'timeout' : fleet.kind) };
        firstMs = Math.min(firstMs, clock.now());
        const before = polledAt.get(instanceId);
        if (instanceId === blipping && at >= toMs) backMs = Math.min(backMs, at - toMs);
        if (before !== undefined && !(before < toMs && at >= fromMs && instanceId === blipping))
          longestMs = Math.max(longestMs, at - before);
        polledAt.set(instanceId, at);
        if (before === undefined && polledAt.size === working) allMs = clock.now();
        return { ok: true, value: [] };
      },
    },
    settings: { idleIntervalMs: IDLE_MS, activeIntervalMs: 30_000, maxAttempts: 4 },
    settle: () => Promise.resolve({ isActive: false, isUnsupported: false, pendingJobIds: [] }),
    settleLookup: () => Promise.resolve(undefined),
    onInternalError: (_, thrown) => {
      throw thrown;
    },
    clock,
    random,
    signal: stop.signal,
    isOnce: false,
  });
  polling.add(
    Array.from({ length: fleet.instances }, (_, n) => [
      instanceOf(`rm-${n}`),
      { isActive: false, isUnsupported: false, pendingJobIds: [] },
    ]),
  );
  await clock.advance(end);
  scheduler.stop();
  for (const at of polledAt.values()) longestMs = Math.max(longestMs, end - at);
  const intervalMs = Math.max(IDLE_MS, (working / requestsPerSecond) * 1_000);
  return { working, firstMs, allMs, longestGap: longestMs / intervalMs, backMs, darkMs, ...counts };
}

const SHARES = [0.01, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99];

function row(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}

async function main(sizes: readonly number[]): Promise<void> {
  row([
    'kind',
    'instances',
    'failing',
    'listed',
    'first success, s',
    'all polled, s',
    'longest gap',
    'calls in 15 s',
    'calls in the last hour',
  ]);
  row(Array.from({ length: 9 }, () => '---'));
  for (const kind of ['denied', 'timeout'] as const) {
    for (const instances of sizes) {
      for (const failing of SHARES) {
        for (const order of ['first', 'last', 'random'] as const) {
          const { firstMs, allMs, longestGap, early, lastHour } = await simulate({
            instances,
            failing,
            kind,
            order,
            hours: 24,
            seed: 1,
          });
          const seconds = [firstMs, allMs].map((ms) => (ms / 1_000).toFixed(1));
          row([kind, instances, `${failing * 100} %`, order, ...seconds, longestGap.toFixed(3), early, lastHour]);
        }
      }
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = process.argv.slice(2).map(Number);
  await main(sizes.length > 0 ? sizes : [20, 200, 1_000, 10_000]);
}
