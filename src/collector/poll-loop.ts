import type { Clock } from '../clock.js';
import { instanceKey } from '../domain/model.js';
import type { ApiError, Instance, Lookup, PollResult } from '../domain/model.js';
import { newSubject } from './circuit-breaker.js';
import type { Standing, Subject } from './circuit-breaker.js';
import type { Caller, Gate, Grant } from './api-limiter.js';
import { JITTER, NO_STREAK, nextDelayMs, nextStreak } from './next-poll-delay.js';
import type { Streak } from './next-poll-delay.js';
import { listTasks, lookUpTask } from './poll-instance.js';
import type { PollOptions } from './poll-instance.js';
import { call } from './call-with-retry.js';
import type { Scheduler } from './scheduler.js';
import type { TaskSource } from './ports.js';
import { SweepMeter, affordableIntervalMs } from './poll-budget.js';
import type { Demand } from './poll-budget.js';
import type { Urgency } from './priority-alternator.js';

/** The part of the affordable interval by which polls may come late for the sake of instances that were never asked. */
const PATIENCE = 0.05;

export interface PollingSettings {
  readonly idleIntervalMs: number;
  readonly activeIntervalMs: number;
  readonly maxAttempts: number;
}

/** Lookups of one poll: an instance runs one backup at a time, with a few in the queue. */
const MAX_LOOKUPS = 4;

/** What the result of a poll means for what comes after it. */
export interface Outlook {
  readonly isActive: boolean;
  /** It is believed to have no backup tasks. */
  readonly isUnsupported: boolean;
  /** Jobs whose lookup is due. */
  readonly openJobs: readonly string[];
}

export interface PollingOptions {
  readonly scheduler: Scheduler;
  readonly gate: Gate;
  readonly source: TaskSource;
  readonly settings: PollingSettings;
  /** Takes in what a poll gave; undefined when the instance is no longer of interest. */
  readonly settle: (key: string, instance: Instance, result: PollResult) => Promise<Outlook | undefined>;
  /** The same for a lookup. */
  readonly settleLookup: (key: string, lookup: Lookup) => Promise<Outlook | undefined>;
  readonly onBug: (instance: Instance, thrown: unknown) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** One poll of each instance; a cool-down then fails what it holds back. */
  readonly isOnce: boolean;
}

/** What becomes of targets: one for all of them, since closures of each would add up. */
interface Owner {
  run(target: Target, grant: Grant): void;
  readonly giveUp: ((target: Target, error: ApiError) => void) | undefined;
}

class Target implements Caller, Subject {
  /** Kept: to make and hash it anew costs more than it to look anything up. */
  readonly key: string;
  instance: Instance;
  outlook: Outlook;
  dueAt: number;
  order = 0;
  position = -1;
  startedAt: number | undefined;
  isTried = false;
  isRemoved = false;
  streak: Streak = NO_STREAK;
  standing: Standing = 'fresh';
  misses = Infinity;
  readonly heldBack: ((error: ApiError) => void) | undefined;
  readonly #owner: Owner;

  constructor(owner: Owner, { key, instance, outlook, dueAt }: Pick<Target, 'key' | 'instance' | 'outlook' | 'dueAt'>) {
    const { giveUp } = owner;
    this.#owner = owner;
    this.key = key;
    this.instance = instance;
    this.outlook = outlook;
    this.dueAt = dueAt;
    this.heldBack = giveUp && ((error) => giveUp(this, error));
  }

  get subject(): Subject {
    return this;
  }

  granted(grant: Grant): void {
    this.#owner.run(this, grant);
  }
}

function urgencyOf({ outlook }: Target): Urgency {
  return outlook.isActive ? 'active' : 'idle';
}

/** Polls the instances of one account and region, each on a schedule of its own and never twice at once. */
export class Polling {
  readonly #options: PollingOptions;
  readonly #owner: Owner;
  readonly #targets = new Map<string, Target>();
  readonly #meter = new SweepMeter();
  #settings: PollingSettings;
  #active = 0;
  #untried = 0;
  #hasSwept = false;
  #restartedAt = -Infinity;

  constructor(options: PollingOptions) {
    this.#options = options;
    this.#owner = {
      run: (target, grant) => void this.#run(target, grant),
      giveUp: options.isOnce ? (target, error) => void this.#giveUp(target, error) : undefined,
    };
    this.#settings = options.settings;
  }

  get size(): number {
    return this.#targets.size;
  }

  /** Instances that no poll has reached yet, not even in vain. */
  get untried(): number {
    return this.#untried;
  }

  get demand(): Demand {
    return { idle: this.#targets.size - this.#active, active: this.#active, ...this.#settings };
  }

  /** New intervals hold from each instance's next poll on. */
  configure(settings: PollingSettings): void {
    this.#settings = settings;
  }

  /** Other credentials or another endpoint: whatever failed is polled again at once, and nothing is known of any instance. */
  restart(): void {
    const { scheduler, gate, clock } = this.#options;
    this.#restartedAt = clock.now();
    const waiting = [...this.#targets.values()].filter(({ position }) => position !== -1);
    for (const target of waiting) gate.remove(target);
    for (const target of this.#targets.values()) {
      Object.assign(target, newSubject());
      if (target.streak !== NO_STREAK) target.dueAt = this.#restartedAt;
      target.streak = NO_STREAK;
    }
    scheduler.addAll(
      gate,
      waiting.map((target) => [target, urgencyOf(target)] as const),
    );
  }

  /** New instances are due at once; known ones only take over what changed. */
  add(instances: Iterable<readonly [Instance, Outlook]>): void {
    const { scheduler, gate, clock } = this.#options;
    const fresh: Target[] = [];
    for (const [instance, outlook] of instances) {
      const key = instanceKey(instance);
      const known = this.#targets.get(key);
      if (known === undefined) fresh.push(this.#create({ key, instance, outlook, dueAt: clock.now() }));
      else known.instance = instance;
    }
    scheduler.addAll(
      gate,
      fresh.map((target) => [target, urgencyOf(target)] as const),
    );
  }

  remove(key: string): void {
    const target = this.#targets.get(key);
    if (target === undefined) return;
    this.#options.gate.forget(target);
    this.#targets.delete(key);
    target.isRemoved = true;
    if (!target.isTried) this.#tried();
    if (target.outlook.isActive) this.#active--;
  }

  /** When an instance is polled next; undefined while it is being polled. */
  nextPollAt(key: string): number | undefined {
    const target = this.#targets.get(key);
    return target === undefined || target.position === -1 ? undefined : target.dueAt;
  }

  /** How far the most overdue instance is behind; 0 until the first sweep has ended. */
  lagMs(nowMs: number): number {
    return this.#hasSwept ? Math.max(0, nowMs - this.#options.gate.earliestDueAt) : 0;
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
    const { bucket, cooldown } = this.#options.gate;
    const known = cooldown.good + cooldown.poor;
    const fresh = this.size - known;
    const working = known === 0 ? fresh : cooldown.good + (fresh * cooldown.good) / known;
    const demand = { ...this.demand, idle: Math.max(0, working - this.#active) };
    return affordableIntervalMs(demand, bucket.rate(nowMs));
  }

  #create(properties: Pick<Target, 'key' | 'instance' | 'outlook' | 'dueAt'>): Target {
    const target = new Target(this.#owner, properties);
    this.#targets.set(target.key, target);
    this.#untried++;
    if (target.outlook.isActive) this.#active++;
    return target;
  }

  /** One poll and its consequences. Never rejects: a loop must not die of anything. */
  async #run(target: Target, grant: Grant): Promise<void> {
    const gapMs = this.#sweepGap(target, grant.sentAt);
    target.startedAt = grant.sentAt;
    const { settle, settleLookup, isOnce, signal } = this.#options;
    const { key, instance } = target;
    const result = await listTasks(this.#pollOptions(target, grant));
    if (result.ok && gapMs !== undefined) {
      this.#meter.note(gapMs, { nowMs: grant.sentAt, sweepMs: this.#settings.idleIntervalMs });
    }
    await this.#settle(target, () => settle(key, instance, result));
    // The first lookup that fails ends them: no instance keeps a slot busy for long, or puts off its next listing.
    const jobs = result.ok ? target.outlook.openJobs.slice(0, MAX_LOOKUPS) : [];
    for (const job of jobs) {
      if (target.isRemoved) break;
      const lookup = await lookUpTask(this.#pollOptions(target, undefined), job);
      await this.#settle(target, () => settleLookup(key, lookup));
      if (!lookup.result.ok) break;
    }
    if (!isOnce && !signal.aborted) this.#reschedule(target, result);
  }

  /** @param grant of a listing; a lookup asks for its own */
  #pollOptions(target: Target, grant: Grant | undefined): PollOptions {
    const { scheduler, gate, source, clock, random, signal } = this.#options;
    return {
      source,
      instanceId: target.instance.instanceId,
      signal,
      call: (attempt) =>
        call({
          scheduler,
          gate,
          clock,
          random,
          maxAttempts: this.#settings.maxAttempts,
          signal,
          subject: target,
          isLookup: grant === undefined,
          urgency: urgencyOf(target),
          grant,
          attempt,
        }),
    };
  }

  async #settle(target: Target, takeIn: () => Promise<Outlook | undefined>): Promise<void> {
    let outlook: Outlook | undefined;
    try {
      outlook = await takeIn();
    } catch (thrown) {
      this.#options.onBug(target.instance, thrown);
    }
    if (target.isRemoved) return;
    if (!target.isTried) {
      target.isTried = true;
      this.#tried();
    }
    if (outlook === undefined) return;
    this.#active += Number(outlook.isActive) - Number(target.outlook.isActive);
    target.outlook = outlook;
  }

  #reschedule(target: Target, result: PollResult): void {
    const { scheduler, gate, random, clock } = this.#options;
    if (target.isRemoved) return;
    const startedAt = target.startedAt ?? clock.now();
    if (!result.ok && startedAt < this.#restartedAt) {
      target.dueAt = clock.now();
      return scheduler.add(gate, target, urgencyOf(target));
    }
    const { isActive, isUnsupported } = target.outlook;
    target.streak = nextStreak(target.streak, result.ok ? undefined : result.error.kind, isUnsupported);
    const intervalMs = isActive ? this.#settings.activeIntervalMs : this.#settings.idleIntervalMs;
    target.dueAt = startedAt + nextDelayMs({ intervalMs, streak: target.streak, random });
    scheduler.add(gate, target, urgencyOf(target));
  }

  async #giveUp(target: Target, error: ApiError): Promise<void> {
    await this.#settle(target, () => this.#options.settle(target.key, target.instance, { ok: false, error }));
  }

  #tried(): void {
    this.#untried--;
    this.#hasSwept ||= this.#untried === 0;
  }

  /** The time from an idle poll to the next; undefined when a cool-down or a failure made it: that is not the pace of the sweep. */
  #sweepGap({ startedAt, streak, outlook }: Target, nowMs: number): number | undefined {
    const { gate } = this.#options;
    if (startedAt === undefined || outlook.isActive || streak !== NO_STREAK || startedAt < gate.cooldown.leftAt) {
      return undefined;
    }
    return nowMs - startedAt;
  }
}
