import type { Clock } from '../clock.js';
import { instanceKey } from '../domain/model.js';
import type { ApiError, Instance, Lookup, PollResult } from '../domain/model.js';
import { newSubject } from './circuit-breaker.js';
import type { Standing, Subject } from './circuit-breaker.js';
import type { Waiter, ApiLimiter, Permit } from './api-limiter.js';
import { JITTER, NO_FAILURES, nextDelayMs, nextStreak } from './next-poll-delay.js';
import type { FailureStreak } from './next-poll-delay.js';
import { listTasks, lookUpTask } from './poll-instance.js';
import type { PollOptions } from './poll-instance.js';
import { callWithRetry } from './call-with-retry.js';
import type { Scheduler } from './scheduler.js';
import type { TaskSource } from './ports.js';
import { CycleMeter, affordableIntervalMs } from './poll-budget.js';
import type { PollDemand } from './poll-budget.js';
import type { Priority } from './priority-alternator.js';

/** The part of the affordable interval by which polls may come late for the sake of instances that were never asked. */
const PATIENCE = 0.05;

export interface PollSettings {
  readonly idleIntervalMs: number;
  readonly activeIntervalMs: number;
  readonly maxAttempts: number;
}

/** Lookups of one poll: an instance runs one backup at a time, with a few in the queue. */
const MAX_LOOKUPS = 4;

/** What the result of a poll means for what comes after it. */
export interface NextPoll {
  readonly isActive: boolean;
  /** It is believed to have no backup tasks. */
  readonly isUnsupported: boolean;
  /** Jobs whose lookup is due. */
  readonly pendingJobIds: readonly string[];
}

export interface PollLoopOptions {
  readonly scheduler: Scheduler;
  readonly limiter: ApiLimiter;
  readonly source: TaskSource;
  readonly settings: PollSettings;
  /** Takes in what a poll gave; undefined when the instance is no longer of interest. */
  readonly settle: (key: string, instance: Instance, result: PollResult) => Promise<NextPoll | undefined>;
  /** The same for a lookup. */
  readonly settleLookup: (key: string, lookup: Lookup) => Promise<NextPoll | undefined>;
  readonly onInternalError: (instance: Instance, thrown: unknown) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** One poll of each instance; a cool-down then fails what it holds back. */
  readonly isOnce: boolean;
}

/** What becomes of targets: one for all of them, since closures of each would add up. */
interface Owner {
  run(target: PolledInstance, permit: Permit): void;
  readonly giveUp: ((target: PolledInstance, error: ApiError) => void) | undefined;
}

class PolledInstance implements Waiter, Subject {
  /** Kept: to make and hash it anew costs more than it to look anything up. */
  readonly key: string;
  instance: Instance;
  nextPoll: NextPoll;
  dueAt: number;
  order = 0;
  position = -1;
  startedAt: number | undefined;
  isTried = false;
  isRemoved = false;
  streak: FailureStreak = NO_FAILURES;
  standing: Standing = 'fresh';
  misses = Infinity;
  readonly rejected: ((error: ApiError) => void) | undefined;
  readonly #owner: Owner;

  constructor(
    owner: Owner,
    { key, instance, nextPoll, dueAt }: Pick<PolledInstance, 'key' | 'instance' | 'nextPoll' | 'dueAt'>,
  ) {
    const { giveUp } = owner;
    this.#owner = owner;
    this.key = key;
    this.instance = instance;
    this.nextPoll = nextPoll;
    this.dueAt = dueAt;
    this.rejected = giveUp && ((error) => giveUp(this, error));
  }

  get subject(): Subject {
    return this;
  }

  acquired(permit: Permit): void {
    this.#owner.run(this, permit);
  }
}

function priorityOf({ nextPoll }: PolledInstance): Priority {
  return nextPoll.isActive ? 'active' : 'idle';
}

/** Polls the instances of one account and region, each on a schedule of its own and never twice at once. */
export class PollLoop {
  readonly #options: PollLoopOptions;
  readonly #owner: Owner;
  readonly #instances = new Map<string, PolledInstance>();
  readonly #meter = new CycleMeter();
  #settings: PollSettings;
  #active = 0;
  #untried = 0;
  #hasSwept = false;
  #restartedAt = -Infinity;

  constructor(options: PollLoopOptions) {
    this.#options = options;
    this.#owner = {
      run: (target, permit) => void this.#run(target, permit),
      giveUp: options.isOnce ? (target, error) => void this.#giveUp(target, error) : undefined,
    };
    this.#settings = options.settings;
  }

  get size(): number {
    return this.#instances.size;
  }

  /** Instances that no poll has reached yet, not even in vain. */
  get untried(): number {
    return this.#untried;
  }

  get demand(): PollDemand {
    return { idle: this.#instances.size - this.#active, active: this.#active, ...this.#settings };
  }

  /** New intervals hold from each instance's next poll on. */
  configure(settings: PollSettings): void {
    this.#settings = settings;
  }

  /** Other credentials or another endpoint: whatever failed is polled again at once, and nothing is known of any instance. */
  restart(): void {
    const { scheduler, limiter, clock } = this.#options;
    this.#restartedAt = clock.now();
    const waiting = [...this.#instances.values()].filter(({ position }) => position !== -1);
    for (const target of waiting) limiter.remove(target);
    for (const target of this.#instances.values()) {
      Object.assign(target, newSubject());
      if (target.streak !== NO_FAILURES) target.dueAt = this.#restartedAt;
      target.streak = NO_FAILURES;
    }
    scheduler.addAll(
      limiter,
      waiting.map((target) => [target, priorityOf(target)] as const),
    );
  }

  /** New instances are due at once; known ones only take over what changed. */
  add(instances: Iterable<readonly [Instance, NextPoll]>): void {
    const { scheduler, limiter, clock } = this.#options;
    const fresh: PolledInstance[] = [];
    for (const [instance, nextPoll] of instances) {
      const key = instanceKey(instance);
      const known = this.#instances.get(key);
      if (known === undefined) fresh.push(this.#create({ key, instance, nextPoll, dueAt: clock.now() }));
      else known.instance = instance;
    }
    scheduler.addAll(
      limiter,
      fresh.map((target) => [target, priorityOf(target)] as const),
    );
  }

  remove(key: string): void {
    const target = this.#instances.get(key);
    if (target === undefined) return;
    this.#options.limiter.forget(target);
    this.#instances.delete(key);
    target.isRemoved = true;
    if (!target.isTried) this.#tried();
    if (target.nextPoll.isActive) this.#active--;
  }

  /** When an instance is polled next; undefined while it is being polled. */
  nextPollAt(key: string): number | undefined {
    const target = this.#instances.get(key);
    return target === undefined || target.position === -1 ? undefined : target.dueAt;
  }

  /** How far the most overdue instance is behind; 0 until the first sweep has ended. */
  lagMs(nowMs: number): number {
    return this.#hasSwept ? Math.max(0, nowMs - this.#options.limiter.earliestDueAt) : 0;
  }

  /** The interval that idle instances really get: by what the limit allows now, and by what the last sweep took. */
  reachedIntervalMs(nowMs: number): number {
    return Math.max(this.#affordableMs(nowMs), this.#meter.longestMs);
  }

  /** How long an idle instance that works may wait, when overdue, for those that were never asked. */
  patienceMs(): number {
    const affordableMs = this.#affordableMs(this.#options.clock.now());
    return (1 + PATIENCE) * affordableMs - (1 + JITTER) * this.#settings.idleIntervalMs;
  }

  /** The interval that the limit allows instances that work, if those never asked are like those that were. */
  #affordableMs(nowMs: number): number {
    const { bucket, circuit } = this.#options.limiter;
    const known = circuit.good + circuit.poor;
    const fresh = this.size - known;
    const working = known === 0 ? fresh : circuit.good + (fresh * circuit.good) / known;
    const demand = { ...this.demand, idle: Math.max(0, working - this.#active) };
    return affordableIntervalMs(demand, bucket.rate(nowMs));
  }

  #create(properties: Pick<PolledInstance, 'key' | 'instance' | 'nextPoll' | 'dueAt'>): PolledInstance {
    const target = new PolledInstance(this.#owner, properties);
    this.#instances.set(target.key, target);
    this.#untried++;
    if (target.nextPoll.isActive) this.#active++;
    return target;
  }

  /** One poll and its consequences. Never rejects: a loop must not die of anything. */
  async #run(target: PolledInstance, permit: Permit): Promise<void> {
    const gapMs = this.#sweepGap(target, permit.sentAt);
    target.startedAt = permit.sentAt;
    const { settle, settleLookup, isOnce, signal } = this.#options;
    const { key, instance } = target;
    const result = await listTasks(this.#pollOptions(target, permit));
    if (result.ok && gapMs !== undefined) {
      this.#meter.note(gapMs, { nowMs: permit.sentAt, sweepMs: this.#settings.idleIntervalMs });
    }
    await this.#settle(target, () => settle(key, instance, result));
    // The first lookup that fails ends them: no instance keeps a slot busy for long, or puts off its next listing.
    const jobs = result.ok ? target.nextPoll.pendingJobIds.slice(0, MAX_LOOKUPS) : [];
    for (const job of jobs) {
      if (target.isRemoved) break;
      const lookup = await lookUpTask(this.#pollOptions(target, undefined), job);
      await this.#settle(target, () => settleLookup(key, lookup));
      if (!lookup.result.ok) break;
    }
    if (!isOnce && !signal.aborted) this.#reschedule(target, result);
  }

  /** @param permit of a listing; a lookup asks for its own */
  #pollOptions(target: PolledInstance, permit: Permit | undefined): PollOptions {
    const { scheduler, limiter, source, clock, random, signal } = this.#options;
    return {
      source,
      instanceId: target.instance.instanceId,
      signal,
      call: (attempt) =>
        callWithRetry({
          scheduler,
          limiter,
          clock,
          random,
          maxAttempts: this.#settings.maxAttempts,
          signal,
          subject: target,
          isLookup: permit === undefined,
          priority: priorityOf(target),
          permit,
          attempt,
        }),
    };
  }

  async #settle(target: PolledInstance, takeIn: () => Promise<NextPoll | undefined>): Promise<void> {
    let nextPoll: NextPoll | undefined;
    try {
      nextPoll = await takeIn();
    } catch (thrown) {
      this.#options.onInternalError(target.instance, thrown);
    }
    if (target.isRemoved) return;
    if (!target.isTried) {
      target.isTried = true;
      this.#tried();
    }
    if (nextPoll === undefined) return;
    this.#active += Number(nextPoll.isActive) - Number(target.nextPoll.isActive);
    target.nextPoll = nextPoll;
  }

  #reschedule(target: PolledInstance, result: PollResult): void {
    const { scheduler, limiter, random, clock } = this.#options;
    if (target.isRemoved) return;
    const startedAt = target.startedAt ?? clock.now();
    if (!result.ok && startedAt < this.#restartedAt) {
      target.dueAt = clock.now();
      return scheduler.add(limiter, target, priorityOf(target));
    }
    const { isActive, isUnsupported } = target.nextPoll;
    target.streak = nextStreak(target.streak, result.ok ? undefined : result.error.kind, isUnsupported);
    const intervalMs = isActive ? this.#settings.activeIntervalMs : this.#settings.idleIntervalMs;
    target.dueAt = startedAt + nextDelayMs({ intervalMs, streak: target.streak, random });
    scheduler.add(limiter, target, priorityOf(target));
  }

  async #giveUp(target: PolledInstance, error: ApiError): Promise<void> {
    await this.#settle(target, () => this.#options.settle(target.key, target.instance, { ok: false, error }));
  }

  #tried(): void {
    this.#untried--;
    this.#hasSwept ||= this.#untried === 0;
  }

  /** The time from an idle poll to the next; undefined when a cool-down or a failure made it: that is not the pace of the sweep. */
  #sweepGap({ startedAt, streak, nextPoll }: PolledInstance, nowMs: number): number | undefined {
    const { limiter } = this.#options;
    if (startedAt === undefined || nextPoll.isActive || streak !== NO_FAILURES || startedAt < limiter.circuit.leftAt) {
      return undefined;
    }
    return nowMs - startedAt;
  }
}
