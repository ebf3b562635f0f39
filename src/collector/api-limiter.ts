import type { Action, ApiError, AccountRegion } from '../domain/model.js';
import { CircuitBreaker } from './circuit-breaker.js';
import type { CircuitChange, Subject } from './circuit-breaker.js';
import { DeadlineHeap } from './deadline-heap.js';
import type { HeapEntry } from './deadline-heap.js';
import { TokenBucket } from './token-bucket.js';
import type { RateLimit } from './token-bucket.js';
import { PriorityAlternator } from './priority-alternator.js';
import type { Priority } from './priority-alternator.js';

/** What waits, in order of precedence but for `idle` and `fresh`, which share: instances by urgency and standing. */
const QUEUES = ['active', 'idle', 'fresh', 'unreachable', 'denied'] as const;
export type Queue = (typeof QUEUES)[number];

/** Of this many requests that instances that work wait for, one goes to an instance that was never asked. */
const FRESH_TURN = 25;
/** Of this many requests that healthy instances wait for, one goes to an instance that is known to fail. */
const POOR_TURN = 50;

/** A call that waits to be let in. */
export interface Waiter extends HeapEntry {
  readonly subject: Subject;
  /** Whether it asks for one job. */
  readonly isLookup?: boolean | undefined;
  /** Let in, with a slot and a token: makes one attempt and then calls `permit.release`. */
  acquired(permit: Permit): void;
  /** Told when a cool-down holds it back; without this it simply waits the cool-down out. */
  readonly rejected?: ((error: ApiError) => void) | undefined;
}

/** The right to make one attempt now. */
export interface Permit {
  readonly sentAt: number;
  /** The attempt has ended: gives the slot back and takes in the answer. Once. */
  release(error: ApiError | undefined): void;
}

/** A caller whose turn it is, with its token taken. */
export interface Acquired {
  readonly waiter: Waiter;
  /** Whether it is the probe of a cool-down. */
  readonly isProbe: boolean;
  /** Of the cool-down, when it went out. */
  readonly epoch: number;
}

/** What a call must have before it can be sent, such as credentials. */
export interface Precondition {
  isReady(): boolean;
  /** Tries to get them, within bounds. */
  ensure(): Promise<void>;
}

export interface ApiLimiterOptions {
  readonly accountRegion: AccountRegion;
  readonly action: Action;
  readonly limit: RateLimit;
  /** Always at hand unless given. */
  readonly precondition?: Precondition | undefined;
  readonly nowMs: number;
  /** How many instances there are to poll. */
  readonly instances: () => number;
  /** How long an idle instance that works gives way to those that were never asked: never unless given. */
  readonly patienceMs?: (() => number) | undefined;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly onCooldown: (change: Exclude<CircuitChange, undefined>, limiter: ApiLimiter) => void;
  /** The API throttled and the rate was lowered. */
  readonly onThrottled: (error: ApiError, limiter: ApiLimiter) => void;
}

/** One action in one account and region: who waits for it, its budget, and whether calling is of use at all. */
export class ApiLimiter {
  readonly accountRegion: AccountRegion;
  readonly action: Action;
  readonly bucket: TokenBucket;
  readonly circuit: CircuitBreaker;
  readonly #waiting: Readonly<Record<Queue, DeadlineHeap<Waiter>>> = {
    active: new DeadlineHeap(),
    idle: new DeadlineHeap(),
    fresh: new DeadlineHeap(),
    unreachable: new DeadlineHeap(),
    denied: new DeadlineHeap(),
  };
  readonly #turns = new PriorityAlternator();
  /** Requests of idle instances since one that was never asked began to wait. */
  #idleInARow = 0;
  /** Whose turn it is of the unreachable: those that failed least, or whoever waited longest. */
  #isForLeastMissed = false;
  /** Requests of healthy instances since one that is known to fail began to wait. */
  #healthyInARow = 0;
  readonly #instances: () => number;
  readonly #patienceMs: () => number;
  readonly #random: () => number;
  readonly #onCooldown: ApiLimiterOptions['onCooldown'];
  readonly #onThrottled: ApiLimiterOptions['onThrottled'];
  readonly #requisites: Precondition | undefined;
  #isPreparing = false;
  /** The last preparation has ended: if it was in vain, the next call is let in to say why. */
  #isPrepared = false;
  /** Called when waiting for requisites is over. Set by the scheduler. */
  onPrepared: () => void = () => undefined;

  constructor(options: ApiLimiterOptions) {
    const { accountRegion, action, limit, precondition, nowMs, instances, patienceMs, random } = options;
    this.accountRegion = accountRegion;
    this.action = action;
    this.bucket = new TokenBucket(limit, nowMs);
    this.circuit = new CircuitBreaker(instances);
    this.#instances = instances;
    this.#patienceMs = patienceMs ?? (() => 0);
    this.#random = random;
    this.#requisites = precondition;
    this.#onCooldown = options.onCooldown;
    this.#onThrottled = options.onThrottled;
  }

  /** Whether there is anything to call for, now or later. */
  get isUsed(): boolean {
    return this.#instances() > 0 || QUEUES.some((queue) => this.#waiting[queue].size > 0);
  }

  /** The due time of the healthy instance that has waited longest; Infinity when none waits. */
  get earliestDueAt(): number {
    const { active, idle, fresh } = this.#waiting;
    return Math.min(active.earliestDueAt, idle.earliestDueAt, fresh.earliestDueAt);
  }

  add(waiter: Waiter, priority: Priority, nowMs: number): void {
    const { cooling, nextCallAt } = this.circuit;
    // Once a probe may go out, it may as well be this one.
    const isHeldBack = cooling !== undefined && nextCallAt > nowMs;
    if (isHeldBack && waiter.rejected !== undefined) waiter.rejected(rejectionBy(cooling.error));
    else this.#waiting[queueOf(waiter, priority)].push(waiter);
  }

  remove(waiter: Waiter): void {
    for (const queue of QUEUES) this.#waiting[queue].remove(waiter);
  }

  /** The instance is no longer of interest. */
  forget(waiter: Waiter): void {
    this.remove(waiter);
    this.circuit.forget(waiter.subject);
  }

  /** Other credentials or another endpoint: what was learnt of the instances is void. The owner makes every subject new. */
  reset(nowMs: number): CircuitChange {
    this.#isPrepared = false;
    return this.circuit.reset(nowMs);
  }

  /**
   * Whose turn it is, if someone is due, calling is of use and a token is there. `isForPoor`: whether a slot may go to an
   * instance that is known to fail.
   */
  ready(nowMs: number, isForPoor: boolean): Queue | undefined {
    if (this.circuit.nextCallAt > nowMs) return undefined;
    const queue = this.#next(nowMs, isForPoor);
    return queue !== undefined && this.bucket.availableAt(nowMs) <= nowMs && this.#hasRequisites() ? queue : undefined;
  }

  #next(nowMs: number, isForPoor: boolean): Queue | undefined {
    const { active, idle, fresh } = this.#waiting;
    const isFreshDue = fresh.earliestDueAt <= nowMs;
    const turn = this.#turns.next(active.earliestDueAt <= nowMs, isFreshDue || idle.earliestDueAt <= nowMs);
    if (isForPoor && (turn === undefined || this.#isPoorTurn)) return this.#duePoor(nowMs) ?? turn;
    if (turn !== 'idle' || !isFreshDue) return turn;
    return this.#isIdleFirst(nowMs) ? 'idle' : 'fresh';
  }

  /** A probe goes to an instance that worked. Otherwise those never asked come first, until the idle ones would be late. */
  #isIdleFirst(nowMs: number): boolean {
    const waitedMs = nowMs - this.#waiting.idle.earliestDueAt;
    if (this.circuit.cooling !== undefined) return waitedMs >= 0;
    return this.#idleInARow < FRESH_TURN - 1 && waitedMs >= this.#patienceMs();
  }

  /** Now and then one is asked again although healthy ones wait, or a mended policy would go unseen while the quota is used up. */
  get #isPoorTurn(): boolean {
    return this.#healthyInARow >= POOR_TURN - 1 && this.circuit.cooling === undefined;
  }

  /** Whoever waited longest when it is their turn, else the unreachable first: any of them may have failed just once. */
  #duePoor(nowMs: number): 'unreachable' | 'denied' | undefined {
    const { unreachable, denied } = this.#waiting;
    if (unreachable.earliestDueAt > nowMs) return denied.earliestDueAt <= nowMs ? 'denied' : undefined;
    const isDeniedFirst = this.#isPoorTurn && denied.earliestDueAt < unreachable.earliestDueAt;
    return isDeniedFirst ? 'denied' : 'unreachable';
  }

  /**
   * A token is taken when the call goes out, so nobody is let in to wait for credentials: calls that had piled up behind them
   * would leave together.
   */
  #hasRequisites(): boolean {
    const precondition = this.#requisites;
    if (precondition === undefined || this.#isPrepared || precondition.isReady()) return true;
    if (!this.#isPreparing) {
      this.#isPreparing = true;
      const prepared = (): void => {
        this.#isPreparing = false;
        this.#isPrepared = true;
        this.onPrepared();
      };
      precondition.ensure().then(prepared, prepared);
    }
    return false;
  }

  /** When someone could next be let in, as things stand. */
  readyAt(nowMs: number, isForPoor: boolean): number {
    const { unreachable, denied } = this.#waiting;
    const poorDueAt = isForPoor ? Math.min(unreachable.earliestDueAt, denied.earliestDueAt) : Infinity;
    const dueAt = Math.min(this.earliestDueAt, poorDueAt);
    return Math.max(dueAt, this.circuit.nextCallAt, this.bucket.availableAt(nowMs));
  }

  /** Takes out the caller whose turn it is, and its token. */
  take(queue: Queue, nowMs: number): Acquired | undefined {
    const waiter = this.#pick(queue, nowMs);
    if (waiter === undefined) return undefined;
    this.bucket.tryTake(nowMs);
    this.#isPrepared = false;
    if (isPoor(queue)) {
      this.#healthyInARow = 0;
    } else {
      if (this.#duePoor(nowMs) !== undefined) this.#healthyInARow++;
      const { idle, fresh } = this.#waiting;
      const isFreshWaiting = fresh.earliestDueAt <= nowMs;
      this.#idleInARow = queue === 'idle' && isFreshWaiting ? this.#idleInARow + 1 : 0;
      const isIdleWaiting = isFreshWaiting || idle.earliestDueAt <= nowMs;
      this.#turns.taken(queue === 'active' ? 'active' : 'idle', isIdleWaiting);
    }
    return { waiter, isProbe: this.circuit.sent(), epoch: this.circuit.epoch };
  }

  /**
   * First come, first served, but for the unreachable every other time. Those never asked go at random, so that the ones asked so far tell what share works; while
   * nothing has worked, so do the active ones.
   */
  #pick(queue: Queue, nowMs: number): Waiter | undefined {
    const own = this.#waiting[queue];
    const { hasWorked } = this.circuit;
    if (queue === 'unreachable') return this.#pickUnreachable(nowMs);
    if (queue !== 'fresh' && (queue !== 'active' || hasWorked)) return own.pop();
    const { active, fresh } = this.#waiting;
    const isTrial = !hasWorked && this.circuit.cooling !== undefined;
    const heaps = isTrial ? [active, fresh] : [own];
    let index = Math.floor(this.#random() * heaps.reduce((sum, { size }) => sum + size, 0));
    for (const heap of heaps) {
      const waiter = heap.at(index);
      if (waiter !== undefined && waiter.dueAt <= nowMs) {
        heap.remove(waiter);
        return waiter;
      }
      index -= heap.size;
    }
    return own.pop();
  }

  /**
   * One that was out for a moment does not queue behind those that hang for good: every other turn goes to the one that
   * missed least since it worked. The others are for whoever has waited longest, so that each is asked some time.
   */
  #pickUnreachable(nowMs: number): Waiter | undefined {
    const { unreachable } = this.#waiting;
    this.#isForLeastMissed = !this.#isForLeastMissed;
    let picked = unreachable.peek();
    if (picked === undefined || !this.#isForLeastMissed) return unreachable.pop();
    for (const waiter of unreachable) {
      if (waiter.dueAt <= nowMs && waiter.subject.misses < picked.subject.misses) picked = waiter;
    }
    unreachable.remove(picked);
    return picked;
  }

  answered(
    { waiter: { subject, isLookup }, isProbe, epoch }: Acquired,
    answer: { error: ApiError | undefined; sentAt: number; nowMs: number },
  ): void {
    const { error, sentAt, nowMs } = answer;
    if (error?.kind === 'throttled') {
      const isLowered = this.bucket.throttled({ sentAt, nowMs, retryAfterMs: error.retryAfterMs });
      if (isLowered) this.#onThrottled(error, this);
    }
    if (epoch !== this.circuit.epoch) return;
    const change = this.circuit.answered({ subject, isLookup, error, isProbe, sentAt, nowMs });
    if (change === 'entered' && error !== undefined) this.#holdBack(rejectionBy(error));
    if (change !== undefined) this.#onCooldown(change, this);
  }

  #holdBack(error: ApiError): void {
    for (const heap of QUEUES.map((queue) => this.#waiting[queue])) {
      for (const waiter of [...heap].filter(({ rejected }) => rejected !== undefined)) {
        heap.remove(waiter);
        waiter.rejected?.(error);
      }
    }
  }
}

/** Whether those who wait there are known to fail. */
export function isPoor(queue: Queue): boolean {
  return queue === 'unreachable' || queue === 'denied';
}

function queueOf({ subject }: Waiter, priority: Priority): Queue {
  if (subject.standing === 'denied' || subject.standing === 'unreachable') return subject.standing;
  if (priority === 'active') return 'active';
  return subject.standing === 'fresh' ? 'fresh' : 'idle';
}

function rejectionBy({ code, message, requestId }: ApiError): ApiError {
  return { kind: 'held_back', code, message: `held back after: ${message}`, requestId, retryAfterMs: undefined };
}
