import type { Clock } from '../../clock.js';
import type { RateLimitConfig } from './web-config.js';

/** A token bucket for the whole server: `burst` requests at once, then one each interval. */
export class RateLimit {
  readonly #config: RateLimitConfig;
  readonly #clock: Clock;
  #tokens: number;
  #filledMs: number;

  constructor(config: RateLimitConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#tokens = config.burst;
    this.#filledMs = clock.now();
  }

  /** Takes a token if there is one. */
  allow(): boolean {
    const now = this.#clock.now();
    const gained = (now - this.#filledMs) / this.#config.intervalMs;
    this.#tokens = Math.min(this.#config.burst, this.#tokens + gained);
    this.#filledMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
