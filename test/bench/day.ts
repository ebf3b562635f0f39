/**
 * A simulated day under one quota: `node dist-test/bench/day.js`. The real scheduler, limiter, state machine and poller
 * against a scripted truth, on a clock that jumps.
 */
import { setMaxListeners } from 'node:events';
import { applyPoll, newInstanceState } from '../../dist/fleet/apply.js';
import { isActive, openJobs } from '../../dist/fleet/activity.js';
import type { InstanceState } from '../../dist/fleet/state.js';
import type { ApiError, ApiResult, BackupTask, Outcome } from '../../dist/model.js';
import { Gate } from '../../dist/poll/gate.js';
import { Polling } from '../../dist/poll/polling.js';
import { Scheduler } from '../../dist/poll/scheduler.js';
import { errorOf, instanceOf, taskOf } from '../helpers/build.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { seeded } from '../helpers/random.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const INSTANCES = 1_000;
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

class Day {
  readonly clock = new FakeClock(0);
  readonly random = seeded(20_260_115);
  readonly backups: readonly Backup[];
  readonly states = new Map<string, InstanceState>();
  readonly starts = new Map<string, number[]>();
  readonly sentAt: number[] = [];
  activeGaps: { readonly at: number; readonly gapMs: number }[] = [];
  maxLagMs = 0;

  constructor(spreadMs: number) {
    this.backups = Array.from({ length: INSTANCES }, (_, n) => {
      const from = (n / INSTANCES) * spreadMs;
      const to = from + (20 + this.random() * 70) * MINUTE;
      return { jobId: `${1_000 + n}`, from, to, outcome: this.random() < 0.05 ? 'Failed' : 'Finished' };
    });
  }

  async run(): Promise<void> {
    const { clock, random } = this;
    const scheduler = new Scheduler(clock, 16);
    const instances = Array.from({ length: INSTANCES }, (_, n) => instanceOf(`rm-${n}`));
    for (const instance of instances) this.states.set(instance.instanceId, newInstanceState(instance, 0));
    const gate = new Gate({
      place: instances[0]!,
      action: 'DescribeBackupTasks',
      limit: LIMIT,
      nowMs: 0,
      instances: () => INSTANCES,
      onCooldown: () => undefined,
      onThrottled: () => undefined,
    });
    scheduler.open(gate);
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const polling = new Polling({
      scheduler,
      gate,
      source: { describeBackupTasks: ({ instanceId, backupJobId }) => this.#answer(instanceId, backupJobId) },
      settings: { idleIntervalMs: IDLE_MS, activeIntervalMs: ACTIVE_MS, maxAttempts: 4 },
      settle: (_key, instance, result) => {
        const nowMs = clock.now();
        const before = this.states.get(instance.instanceId)!;
        const { state } = applyPoll(before, result, { nowMs, activeIntervalMs: ACTIVE_MS, lastScrapeMs: nowMs });
        this.states.set(instance.instanceId, state);
        return Promise.resolve({ isActive: isActive(state), openJobs: openJobs(state) });
      },
      onBug: (_, thrown) => {
        throw thrown;
      },
      clock,
      random,
      signal: stop.signal,
      isOnce: false,
    });
    polling.add(instances.map((instance) => [instance, { isActive: false, openJobs: [] }]));
    for (let minute = 0; minute < 26 * 60; minute++) {
      await clock.advance(MINUTE);
      this.maxLagMs = Math.max(this.maxLagMs, polling.lagMs(clock.now()));
    }
    stop.abort();
    scheduler.stop();
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
    const state = this.states.get(instanceId)!;
    if (before !== undefined && isActive(state)) this.activeGaps.push({ at: now, gapMs: now - before });
    this.starts.set(instanceId, [now]);
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
  return `${((100 * values.filter(Boolean).length) / values.length).toFixed(2)} %`;
}

async function report(what: string, spreadMs: number): Promise<void> {
  const cpuBefore = process.cpuUsage();
  const day = new Day(spreadMs);
  await day.run();
  const cpu = process.cpuUsage(cpuBefore);
  const isCalm = (at: number): boolean => !STORMS.some(({ from, to }) => at >= from && at < to + RECOVERY_MS);
  const inTime = day.activeGaps.filter(({ at }) => isCalm(at)).map(({ gapMs }) => gapMs <= 1.5 * ACTIVE_MS);
  const right = day.backups.map(
    ({ outcome }, n) => day.states.get(`rm-${n}`)!.outcomes.Automated?.counts[outcome] === 1,
  );
  const everything = (INSTANCES * 26 * HOUR) / ACTIVE_MS;
  console.log(what);
  console.log(
    `  calls made ${day.sentAt.length}, ${(day.sentAt.length / everything).toFixed(3)} x polling everything every 30s`,
  );
  console.log(`  active polls within 1.5 x active_interval outside the storms: ${share(inTime)} of ${inTime.length}`);
  console.log(
    `  outcomes right: ${share(right)}; limit breaches: ${breaches(day.sentAt)}; longest lag: ${(day.maxLagMs / 1000).toFixed(0)} s`,
  );
  console.log(`  CPU time: ${((cpu.user + cpu.system) / 1e6).toFixed(1)} s`);
}

await report('1,000 instances, starts spread over the day', DAY);
await report('1,000 instances, all starts within two hours (for information)', 2 * HOUR);
