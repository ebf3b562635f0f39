import type { ApiLimiter } from './api-limiter.js';

/** How far back the use of slots counts. */
const MEMORY_MS = 30_000;

/** The slots of one account and region, over all its actions. */
export class RegionSlots {
  limiters: readonly ApiLimiter[] = [];
  #held = 0;
  #usage = 0;
  #settledAt: number;
  #lastMs = 0;

  constructor(nowMs: number) {
    this.#settledAt = nowMs;
  }

  /** Slots held now. */
  get held(): number {
    return this.#held;
  }

  /** Whether it has anything to call for, now or later. */
  get isUsed(): boolean {
    return this.limiters.some((limiter) => limiter.isUsed);
  }

  /** Slots held on average over about the last half minute. */
  usage(nowMs: number): number {
    const elapsedMs = nowMs - this.#settledAt;
    if (elapsedMs > 0) {
      this.#usage = (this.#usage * MEMORY_MS + this.#held * elapsedMs) / (MEMORY_MS + elapsedMs);
      this.#settledAt = nowMs;
    }
    return this.#usage;
  }

  /** What the average comes to if the next request takes as long as the last. */
  usageAfterNext(nowMs: number): number {
    return (this.usage(nowMs) * MEMORY_MS + this.#lastMs) / (MEMORY_MS + this.#lastMs);
  }

  take(nowMs: number): void {
    this.usage(nowMs);
    this.#held++;
  }

  giveBack(nowMs: number, heldMs: number): void {
    this.usage(nowMs);
    this.#lastMs = heldMs;
    this.#held--;
  }
}
