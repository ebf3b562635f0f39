import pLimit from 'p-limit';
import type { LimitFunction } from 'p-limit';
import type { Clock } from '../clock.js';
import { accountRegionKey } from '../domain/model.js';
import { isPoor } from './api-limiter.js';
import type { Waiter, ApiLimiter, Queue, Acquired } from './api-limiter.js';
import { RegionSlots } from './region-slots.js';
import { PriorityAlternator } from './priority-alternator.js';
import type { Priority } from './priority-alternator.js';

interface Candidate {
  readonly slots: RegionSlots;
  readonly limiter: ApiLimiter;
  readonly queue: Queue;
  readonly priority: Priority;
}

/**
 * Lets calls in. It pulls: a caller leaves its heap only when a slot and a token are both free, and takes both at once, so
 * that nobody who is urgent ever queues behind somebody who is not.
 */
export class Scheduler {
  readonly #clock: Clock;
  readonly #slots = new Map<string, RegionSlots>();
  readonly #turns = new PriorityAlternator();
  #concurrency: number;
  /** The bound on requests in flight. Its own queue stays empty: it is only called with a slot free. */
  readonly limit: LimitFunction;
  #held = 0;
  /** Of these, for instances that are known to fail. */
  #heldByPoor = 0;
  #wakeAt = Infinity;
  #cancelWake: () => void = () => undefined;
  #isStopped = false;

  constructor(clock: Clock, concurrency: number) {
    this.#clock = clock;
    this.#concurrency = concurrency;
    this.limit = pLimit(concurrency);
  }

  /** Requests in flight. */
  get held(): number {
    return this.#held;
  }

  set concurrency(concurrency: number) {
    this.#concurrency = concurrency;
    this.limit.concurrency = concurrency;
    this.#pump();
  }

  open(limiter: ApiLimiter): void {
    const key = accountRegionKey(limiter.accountRegion);
    const slots = this.#slots.get(key) ?? new RegionSlots(this.#clock.now());
    slots.limiters = [...slots.limiters, limiter];
    limiter.onPrepared = () => this.#pump();
    this.#slots.set(key, slots);
  }

  /** Whoever waits at the gate waits for good: its owner has taken its callers out. */
  close(limiter: ApiLimiter): void {
    const key = accountRegionKey(limiter.accountRegion);
    const slots = this.#slots.get(key);
    if (slots === undefined) return;
    slots.limiters = slots.limiters.filter((other) => other !== limiter);
    if (slots.limiters.length === 0) this.#slots.delete(key);
  }

  /** Lets the caller in at its due time, or as soon after as a slot and a token are free. */
  add(limiter: ApiLimiter, waiter: Waiter, priority: Priority): void {
    limiter.add(waiter, priority, this.#clock.now());
    this.#pump();
  }

  /** Several at once, without looking for free slots in between. */
  addAll(limiter: ApiLimiter, callers: Iterable<readonly [Waiter, Priority]>): void {
    const nowMs = this.#clock.now();
    for (const [waiter, priority] of callers) limiter.add(waiter, priority, nowMs);
    this.#pump();
  }

  /** Nothing is let in any more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelWake();
  }

  #pump(): void {
    if (this.#isStopped) return;
    const nowMs = this.#clock.now();
    while (this.#held < this.#concurrency) {
      const candidate = this.#pick(nowMs);
      if (candidate === undefined) break;
      this.#letIn(candidate, nowMs);
    }
    this.#arm(nowMs);
  }

  /**
   * Regions below their share of the slots come first; among them the urgent, then the region that holds the fewest slots,
   * then the one that used them least of late. A region may take what quiet ones leave of theirs, up to its share among the
   * busy, and go beyond while nobody else waits; but it leaves a slot to each region that is quiet at the moment, so that
   * requests that hang in one region never take the last slot of the rest. Instances that are known to fail come last.
   */
  #pick(nowMs: number): Candidate | undefined {
    const candidates: Candidate[] = [];
    let poor = 0;
    const isForPoor = this.#isForPoor;
    let busy = 0;
    let quiet = 0;
    for (const slots of this.#slots.values()) {
      const before = candidates.length;
      for (const limiter of slots.limiters) {
        const queue = limiter.ready(nowMs, isForPoor);
        if (queue === undefined) continue;
        if (isPoor(queue)) poor++;
        candidates.push({ slots, limiter, queue, priority: queue === 'active' ? 'active' : 'idle' });
      }
      if (slots.held > 0 || candidates.length > before) busy++;
      else if (slots.isUsed) quiet++;
    }
    if (candidates.length === 0) return undefined;
    const regions = { busy, quiet };
    const healthy = poor === 0 ? candidates : candidates.filter(({ queue }) => !isPoor(queue));
    const allowed = this.#allowed(healthy, regions, nowMs);
    if (allowed.length > 0 || poor === 0) return this.#mostUrgent(allowed, nowMs);
    const failing = candidates.filter(({ queue }) => isPoor(queue));
    return this.#mostUrgent(this.#allowed(failing, regions, nowMs), nowMs);
  }

  /** Those of the candidates that may take a slot now. */
  #allowed(
    candidates: readonly Candidate[],
    { busy, quiet }: { readonly busy: number; readonly quiet: number },
    nowMs: number,
  ): readonly Candidate[] {
    if (candidates.length < 2 && busy + quiet < 2) return candidates;
    const share = this.#concurrency / (busy + quiet);
    const below = this.#below(share, candidates);
    // Where regions outnumber slots, a slot held all the time is more than a share.
    const entitled = share >= 1 ? below : below.filter(({ slots }) => slots.usageAfterNext(nowMs) <= share);
    if (entitled.length > 0) return entitled;
    const reserved = Math.min(quiet, this.#concurrency >> 1);
    if (this.#concurrency - this.#held <= reserved) return [];
    const isAlone = candidates.every(({ slots }) => slots === candidates[0]?.slots);
    return isAlone ? candidates : this.#below(this.#concurrency / busy, candidates);
  }

  /** Requests that are known to fail may hang: they hold a quarter of the slots, at least one. */
  get #isForPoor(): boolean {
    return this.#heldByPoor < Math.max(1, this.#concurrency >> 2);
  }

  /** Those whose region holds less than its share, which is at least one slot. */
  #below(share: number, candidates: readonly Candidate[]): readonly Candidate[] {
    const most = Math.max(1, Math.floor(share));
    return candidates.filter(({ slots }) => slots.held < most);
  }

  #mostUrgent(candidates: readonly Candidate[], nowMs: number): Candidate | undefined {
    if (candidates.length < 2) return candidates[0];
    const has = (priority: Priority): boolean => candidates.some((candidate) => candidate.priority === priority);
    const turn = this.#turns.next(has('active'), has('idle'));
    let best: Candidate | undefined;
    for (const candidate of candidates) {
      if (candidate.priority === turn && (best === undefined || isBefore(candidate, best, nowMs))) best = candidate;
    }
    if (turn !== undefined) this.#turns.taken(turn, has('idle'));
    return best;
  }

  #letIn({ slots, limiter, queue }: Candidate, nowMs: number): void {
    const taken = limiter.take(queue, nowMs);
    if (taken === undefined) return;
    const poor = Number(isPoor(queue));
    slots.take(nowMs);
    this.#held++;
    this.#heldByPoor += poor;
    void this.limit(() => this.#attempt(limiter, taken, nowMs)).then(() => {
      const endedAt = this.#clock.now();
      slots.giveBack(endedAt, endedAt - nowMs);
      this.#held--;
      this.#heldByPoor -= poor;
      this.#pump();
    });
  }

  /** Resolves, and so gives the slot back, when the caller says that its attempt has ended. */
  #attempt(limiter: ApiLimiter, taken: Acquired, sentAt: number): Promise<void> {
    return new Promise((release) => {
      taken.waiter.acquired({
        sentAt,
        release: (error) => {
          limiter.answered(taken, { error, sentAt, nowMs: this.#clock.now() });
          release();
        },
      });
    });
  }

  /** One timer for the whole fleet: at the next moment at which somebody could be let in. */
  #arm(nowMs: number): void {
    let wakeAt = Infinity;
    const isForPoor = this.#isForPoor;
    if (this.#held < this.#concurrency) {
      for (const { limiters } of this.#slots.values()) {
        for (const limiter of limiters) {
          // Somebody who is ready now is kept waiting by the shares: a slot given back, not time, changes that.
          const readyAt = limiter.readyAt(nowMs, isForPoor);
          if (readyAt > nowMs && readyAt < wakeAt) wakeAt = readyAt;
        }
      }
    }
    if (wakeAt === this.#wakeAt) return;
    this.#cancelWake();
    this.#wakeAt = wakeAt;
    if (wakeAt === Infinity) return;
    this.#cancelWake = this.#clock.after(wakeAt - nowMs, () => {
      this.#wakeAt = Infinity;
      this.#pump();
    });
  }
}

function isBefore(one: Candidate, other: Candidate, nowMs: number): boolean {
  if (one.slots.held !== other.slots.held) return one.slots.held < other.slots.held;
  if (one.slots !== other.slots) return one.slots.usage(nowMs) < other.slots.usage(nowMs);
  return one.limiter.earliestDueAt < other.limiter.earliestDueAt;
}
