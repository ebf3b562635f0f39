import type { Action, ApiError, Place } from '../model.js';
import { Cooldown } from './cooldown.js';
import type { CooldownChange } from './cooldown.js';
import { DueHeap } from './due-heap.js';
import type { Waiting } from './due-heap.js';
import { TokenBucket } from './token-bucket.js';
import type { RateLimit } from './token-bucket.js';
import { Turns } from './turns.js';
import type { Urgency } from './turns.js';

/** A call that waits to be let in. */
export interface Caller extends Waiting {
  /** Let in, with a slot and a token: makes one attempt and then calls `grant.done`. */
  granted(grant: Grant): void;
  /** Told when a cool-down holds it back; without this it simply waits the cool-down out. */
  readonly heldBack?: ((error: ApiError) => void) | undefined;
}

/** The right to make one attempt now. */
export interface Grant {
  readonly sentAt: number;
  /** The attempt has ended: gives the slot back and takes in the answer. Once. */
  done(subject: string, error: ApiError | undefined): void;
}

/** A caller whose turn it is, with its token taken. */
export interface Taken {
  readonly caller: Caller;
  /** Whether it is the probe of a cool-down. */
  readonly isProbe: boolean;
}

/** What a call must have before it can be sent, such as credentials. */
export interface Requisites {
  atHand(): boolean;
  /** Tries to get them, within bounds. */
  prepare(): Promise<void>;
}

export interface GateOptions {
  readonly place: Place;
  readonly action: Action;
  readonly limit: RateLimit;
  /** Always at hand unless given. */
  readonly requisites?: Requisites | undefined;
  readonly nowMs: number;
  /** How many instances there are to call for. */
  readonly instances: () => number;
  readonly onCooldown: (change: Exclude<CooldownChange, undefined>, gate: Gate) => void;
  /** The API throttled and the rate was lowered. */
  readonly onThrottled: (error: ApiError, gate: Gate) => void;
}

/** One action in one account and region: who waits for it, its budget, and whether calling is of use at all. */
export class Gate {
  readonly place: Place;
  readonly action: Action;
  readonly bucket: TokenBucket;
  readonly cooldown: Cooldown;
  readonly #waiting = { active: new DueHeap<Caller>(), idle: new DueHeap<Caller>() };
  readonly #turns = new Turns();
  readonly #onCooldown: GateOptions['onCooldown'];
  readonly #onThrottled: GateOptions['onThrottled'];
  readonly #requisites: Requisites | undefined;
  #isPreparing = false;
  /** The last preparation has ended: if it was in vain, the next call is let in to say why. */
  #isPrepared = false;
  /** Called when waiting for requisites is over. Set by the scheduler. */
  onPrepared: () => void = () => undefined;

  constructor({ place, action, limit, requisites, nowMs, instances, onCooldown, onThrottled }: GateOptions) {
    this.place = place;
    this.action = action;
    this.bucket = new TokenBucket(limit, nowMs);
    this.cooldown = new Cooldown(instances);
    this.#requisites = requisites;
    this.#onCooldown = onCooldown;
    this.#onThrottled = onThrottled;
  }

  get size(): number {
    return this.#waiting.active.size + this.#waiting.idle.size;
  }

  /** The due time of whoever has waited longest; Infinity when nobody waits. */
  get earliestDueAt(): number {
    const { active, idle } = this.#waiting;
    return Math.min(active.peek()?.dueAt ?? Infinity, idle.peek()?.dueAt ?? Infinity);
  }

  add(caller: Caller, urgency: Urgency, nowMs: number): void {
    const { cooling, nextCallAt } = this.cooldown;
    // Once a probe may go out, it may as well be this one.
    const isHeldBack = cooling !== undefined && nextCallAt > nowMs;
    if (isHeldBack && caller.heldBack !== undefined) caller.heldBack(heldBackBy(cooling.error));
    else this.#waiting[urgency].push(caller);
  }

  remove(caller: Caller): void {
    this.#waiting.active.remove(caller);
    this.#waiting.idle.remove(caller);
  }

  /** Whose turn it is, if someone is due, calling is of use and a token is there. */
  ready(nowMs: number): Urgency | undefined {
    if (this.cooldown.nextCallAt > nowMs) return undefined;
    const urgency = this.#turns.next(this.#isDue('active', nowMs), this.#isDue('idle', nowMs));
    return urgency !== undefined && this.bucket.availableAt(nowMs) <= nowMs && this.#hasRequisites()
      ? urgency
      : undefined;
  }

  /**
   * A token is taken when the call goes out, so nobody is let in to wait for credentials: calls that had piled up behind them
   * would leave together.
   */
  #hasRequisites(): boolean {
    const requisites = this.#requisites;
    if (requisites === undefined || this.#isPrepared || requisites.atHand()) return true;
    if (!this.#isPreparing) {
      this.#isPreparing = true;
      const prepared = (): void => {
        this.#isPreparing = false;
        this.#isPrepared = true;
        this.onPrepared();
      };
      requisites.prepare().then(prepared, prepared);
    }
    return false;
  }

  /** When someone could next be let in, as things stand. */
  readyAt(nowMs: number): number {
    const dueAt = Math.max(this.earliestDueAt, this.cooldown.nextCallAt);
    return dueAt === Infinity ? Infinity : Math.max(dueAt, this.bucket.availableAt(nowMs));
  }

  /** Takes out the caller whose turn it is, and its token. */
  take(urgency: Urgency, nowMs: number): Taken | undefined {
    const caller = this.#waiting[urgency].pop();
    if (caller === undefined || !this.bucket.tryTake(nowMs)) return undefined;
    this.#isPrepared = false;
    this.#turns.taken(urgency, this.#isDue('idle', nowMs));
    return { caller, isProbe: this.cooldown.sent() };
  }

  answered(answer: {
    subject: string;
    error: ApiError | undefined;
    isProbe: boolean;
    sentAt: number;
    nowMs: number;
  }): void {
    const { error, sentAt, nowMs } = answer;
    if (error?.kind === 'throttled') {
      const isLowered = this.bucket.throttled({ sentAt, nowMs, retryAfterMs: error.retryAfterMs });
      if (isLowered) this.#onThrottled(error, this);
    }
    const change = this.cooldown.answered(answer);
    if (change === 'entered' && error !== undefined) this.#holdBack(heldBackBy(error));
    if (change !== undefined) this.#onCooldown(change, this);
  }

  #isDue(urgency: Urgency, nowMs: number): boolean {
    const first = this.#waiting[urgency].peek();
    return first !== undefined && first.dueAt <= nowMs;
  }

  #holdBack(error: ApiError): void {
    for (const heap of [this.#waiting.active, this.#waiting.idle]) {
      for (const caller of [...heap].filter(({ heldBack }) => heldBack !== undefined)) {
        heap.remove(caller);
        caller.heldBack?.(error);
      }
    }
  }
}

function heldBackBy({ code, message, requestId }: ApiError): ApiError {
  return { kind: 'held_back', code, message: `held back after: ${message}`, requestId, retryAfterMs: undefined };
}
