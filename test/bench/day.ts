/**
 * How much of a day's backups the exporter sees under one quota: `node dist-test/bench/day.js`. The real scheduler,
 * limiter, state machine and poller against a scripted truth, on a clock that jumps. README.md and
 * docs/operations.md (detection rate) give these figures: when they change, so do the tables.
 */
import { setMaxListeners } from 'node:events';
import { applyLookup, applyPoll, newInstanceState } from '../../dist/domain/apply-poll.js';
import type { Applied, ApplyContext } from '../../dist/domain/apply-poll.js';
import { isActive, pendingJobIds } from '../../dist/domain/activity.js';
import type { InstanceState } from '../../dist/domain/instance-state.js';
import { instanceKey } from '../../dist/domain/model.js';
import type { ApiError, ApiResult, BackupTask, Outcome } from '../../dist/domain/model.js';
import { ApiLimiter } from '../../dist/collector/api-limiter.js';
import { PollLoop } from '../../dist/collector/poll-loop.js';
import type { NextPoll } from '../../dist/collector/poll-loop.js';
import { Scheduler } from '../../dist/collector/scheduler.js';
import { errorOf, instanceOf, taskOf } from '../helpers/build.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { seeded } from '../helpers/random.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LIMIT = { requestsPerSecond: 5, burst: 5 };
const IDLE_MS = 300_000;
const ACTIVE_MS = 30_000;
const STORMS = [4 * HOUR, 11 * HOUR, 19 * HOUR].map((from) => ({ from, to: from + 5 * MINUTE }));
/** After a storm the rate is still recovering: 15/16 of it come back in 150 s. */
const RECOVERY_MS = 3 * MINUTE;

interface Backup {
  readonly jobId: string;
  readonly from: number;
  readonly to: number;
  readonly outcome: Outcome;
}

/** Medians of log-normal durations, cut off at both ends: a failure mostly comes early. */
const MEDIAN_MS = { Finished: 12 * MINUTE, Failed: 4 * MINUTE };
const SHORTEST_MS = 20_000;
const LONGEST_MS = 4 * HOUR;
/** More than in reality, so that a day holds enough of them. */
const FAILING = 0.05;

interface DayOptions {
  readonly instances: number;
  /** Backups begin at random within this time. */
  readonly spreadMs: number;
  readonly seed: number;
}

/** One backup for each instance. */
class Day {
  readonly clock = new FakeClock(0);
  readonly instances: number;
  readonly random: () => number;
  readonly backups: readonly Backup[];
  readonly states = new Map<string, InstanceState>();
  readonly starts = new Map<string, number[]>();
  readonly sentAt: number[] = [];
  readonly seen = new Set<string>();
  readonly ended = new Map<string, Outcome>();
  activeGaps: { readonly at: number; readonly gapMs: number }[] = [];
  maxLagMs = 0;

  constructor({ instances, spreadMs, seed }: DayOptions) {
    const random = seeded(seed);
    this.instances = instances;
    this.random = random;
    this.backups = Array.from({ length: instances }, (_, n) => {
      const from = random() * spreadMs;
      const outcome = random() < FAILING ? 'Failed' : 'Finished';
      return { jobId: `${1_000 + n}`, from, to: from + durationMs(MEDIAN_MS[outcome], random), outcome };
    });
  }

  async run(): Promise<void> {
    const { clock, random } = this;
    const scheduler = new Scheduler(clock, 16);
    const instances = Array.from({ length: this.instances }, (_, n) => instanceOf(`rm-${n}`));
    for (const instance of instances) this.states.set(instanceKey(instance), newInstanceState(instance, 0));
    const gate: ApiLimiter = new ApiLimiter({
      accountRegion: instances[0]!,
      action: 'DescribeBackupTasks',
      limit: LIMIT,
      nowMs: 0,
      instances: () => this.instances,
      patienceMs: () => polling.patienceMs(),
      random,
      onCooldown: () => undefined,
      onThrottled: () => undefined,
    });
    scheduler.open(gate);
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const polling: PollLoop = new PollLoop({
      scheduler,
      limiter: gate,
      source: { describeBackupTasks: ({ instanceId, backupJobId }) => this.#answer(instanceId, backupJobId) },
      settings: { idleIntervalMs: IDLE_MS, activeIntervalMs: ACTIVE_MS, maxAttempts: 4 },
      settle: (key, _instance, result) => this.#take(key, (state, context) => applyPoll(state, result, context)),
      settleLookup: (key, lookup) => this.#take(key, (state, context) => applyLookup(state, lookup, context)),
      onInternalError: (_, thrown) => {
        throw thrown;
      },
      clock,
      random,
      signal: stop.signal,
      isOnce: false,
    });
    polling.add(instances.map((instance) => [instance, { isActive: false, isUnsupported: false, pendingJobIds: [] }]));
    for (let minute = 0; minute < 30 * 60; minute++) {
      await clock.advance(MINUTE);
      this.maxLagMs = Math.max(this.maxLagMs, polling.lagMs(clock.now()));
    }
    stop.abort();
    scheduler.stop();
  }

  #take(key: string, apply: (state: InstanceState, context: ApplyContext) => Applied): Promise<NextPoll> {
    const nowMs = this.clock.now();
    const context = { nowMs, activeIntervalMs: ACTIVE_MS, lastScrapeMs: nowMs };
    const { state, events } = apply(this.states.get(key)!, context);
    for (const event of events) {
      if (event.type === 'task_seen') this.seen.add(event.task.backupJobId);
      if (event.type === 'task_ended') this.ended.set(event.task.backupJobId, event.completion.outcome);
    }
    this.states.set(key, state);
    return Promise.resolve({
      isActive: isActive(state),
      isUnsupported: false,
      pendingJobIds: pendingJobIds(state, nowMs),
    });
  }

  async #answer(instanceId: string, backupJobId: string | undefined): Promise<ApiResult<readonly BackupTask[]>> {
    const { clock, random } = this;
    const now = clock.now();
    this.sentAt.push(now);
    if (backupJobId === undefined) this.#noteStart(instanceId, now);
    await new Promise<void>((resolve) => clock.after(50 + random() * 50, resolve));
    const error = this.#trouble(now, random());
    if (error !== undefined) return { ok: false, error };
    const backup = this.backups[Number(instanceId.slice(3))]!;
    return { ok: true, value: listing(backup, clock.now(), backupJobId) };
  }

  #trouble(now: number, draw: number): ApiError | undefined {
    const isStorm = STORMS.some(({ from, to }) => now >= from && now < to);
    if (isStorm && draw < 0.8) return errorOf('throttled');
    return draw < 0.02 ? errorOf('server') : undefined;
  }

  /** The time between two listings of an instance while its backup was known to run. */
  #noteStart(instanceId: string, now: number): void {
    const before = this.starts.get(instanceId)?.at(-1);
    const state = this.states.get(instanceKey(instanceOf(instanceId)))!;
    if (before !== undefined && isActive(state)) this.activeGaps.push({ at: now, gapMs: now - before });
    this.starts.set(instanceId, [now]);
  }
}

function durationMs(medianMs: number, random: () => number): number {
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const ms = medianMs * Math.exp(normal);
    if (ms >= SHORTEST_MS && ms <= LONGEST_MS) return ms;
  }
}

function listing({ jobId, from, to, outcome }: Backup, now: number, backupJobId: string | undefined): BackupTask[] {
  if (now < from) return [];
  if (now < to) return [taskOf(jobId, { processPercent: Math.floor((100 * (now - from)) / (to - from)) })];
  return backupJobId === jobId
    ? [taskOf(jobId, { backupStatus: outcome as 'Finished' | 'Failed', backupId: '1' })]
    : [];
}

/** Windows in which more was sent than rate x window + burst. */
function breaches(sentAt: readonly number[]): number {
  let count = 0;
  let tokens = LIMIT.burst;
  let last = 0;
  for (const at of sentAt) {
    tokens = Math.min(LIMIT.burst, tokens + ((at - last) / 1000) * LIMIT.requestsPerSecond) - 1;
    last = at;
    if (tokens < -1e-6) count++;
  }
  return count;
}

function share(values: readonly boolean[]): string {
  return `${((100 * values.filter(Boolean).length) / values.length).toFixed(1)} %`;
}

const isCalm = (at: number): boolean => !STORMS.some(({ from, to }) => at >= from && at < to + RECOVERY_MS);

/** Several days of a small fleet, so that each figure stands on some thousand backups. */
async function report(instances: number, days: number, spreadMs: number): Promise<void> {
  const cpuBefore = process.cpuUsage();
  const all: Day[] = [];
  for (let seed = 1; seed <= days; seed++) {
    const day = new Day({ instances, spreadMs, seed });
    await day.run();
    all.push(day);
  }
  const cpu = process.cpuUsage(cpuBefore);
  const backups = all.flatMap(({ backups: ofDay, seen, ended }) =>
    ofDay.map(({ jobId, outcome, from, to }) => ({
      outcome,
      minutes: (to - from) / MINUTE,
      isSeen: seen.has(jobId),
      told: ended.get(jobId),
    })),
  );
  const failures = backups.filter(({ outcome }) => outcome === 'Failed');
  const seenOf = (from: number, to: number): string =>
    share(backups.filter(({ minutes }) => minutes >= from && minutes < to).map(({ isSeen }) => isSeen));
  const gaps = all.flatMap(({ activeGaps }) => activeGaps).filter(({ at }) => isCalm(at));
  const calls = all.flatMap(({ sentAt }) => sentAt.length).reduce((sum, count) => sum + count);
  const everything = (days * instances * 30 * HOUR) / ACTIVE_MS;
  const lags = all.map(({ maxLagMs }) => maxLagMs);
  console.log(`${instances} instances, backups begin within ${spreadMs / HOUR} h: ${backups.length} backups`);
  console.log(
    `  seen running ${share(backups.map(({ isSeen }) => isSeen))}; outcomes known ${share(backups.map(({ outcome, told }) => told === outcome))}; failures known ${share(failures.map(({ told }) => told === 'Failed'))} of ${failures.length}; outcomes wrong ${backups.filter(({ outcome, told }) => told !== undefined && told !== outcome).length}`,
  );
  console.log(
    `  seen by duration: under 2 min ${seenOf(0, 2)}, 2 to 5 min ${seenOf(2, 5)}, 5 to 15 min ${seenOf(5, 15)}, 15 to 35 min ${seenOf(15, 35)}, longer ${seenOf(35, Infinity)}`,
  );
  console.log(`  calls made ${calls}, ${(calls / everything).toFixed(3)} x polling everything every 30s`);
  console.log(
    `  active polls within 1.5 x active_interval outside the storms: ${share(gaps.map(({ gapMs }) => gapMs <= 1.5 * ACTIVE_MS))} of ${gaps.length}`,
  );
  console.log(
    `  limit breaches: ${all.reduce((sum, { sentAt }) => sum + breaches(sentAt), 0)}; longest lag: ${(Math.max(...lags) / 1000).toFixed(0)} s; CPU time: ${((cpu.user + cpu.system) / 1e6).toFixed(1)} s`,
  );
}

for (const [instances, days] of [
  [200, 10],
  [2_000, 2],
  [10_000, 1],
] as const) {
  for (const spreadMs of [DAY, 4 * HOUR]) await report(instances, days, spreadMs);
}
