/** The limit of each account, region and action as configured, watched from the other side of the wire. */

export interface Limit {
  readonly requestsPerSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  settledAt: number;
}

/** The rounding of many fractions, and nothing near a whole call. */
const TOLERANCE = 0.01;

export class QuotaWatch {
  breaches = 0;
  readonly #onViolation: (what: string) => void;
  #limit: Limit = { requestsPerSecond: 0, burst: 0 };
  #buckets = new Map<string, Bucket>();

  constructor(onViolation: (what: string) => void) {
    this.#onViolation = onViolation;
  }

  /** An exporter starts: it may burst. */
  restart(limit: Limit): void {
    this.#limit = limit;
    this.#buckets = new Map();
  }

  /** A running exporter takes over a new limit. */
  change(limit: Limit, now: number): void {
    for (const bucket of this.#buckets.values()) {
      this.#settle(bucket, now);
      bucket.tokens = Math.min(bucket.tokens, limit.burst);
    }
    this.#limit = limit;
  }

  /** Places and actions that are no longer used: they begin with a burst when they come back. */
  forget(isGone: (key: string) => boolean): void {
    for (const key of this.#buckets.keys()) if (isGone(key)) this.#buckets.delete(key);
  }

  sent(key: string, now: number): void {
    const bucket = this.#buckets.get(key) ?? { tokens: this.#limit.burst, settledAt: now };
    this.#buckets.set(key, bucket);
    this.#settle(bucket, now);
    bucket.tokens--;
    if (bucket.tokens > -TOLERANCE) return;
    this.breaches++;
    this.#onViolation(`${key} went over its limit`);
  }

  #settle(bucket: Bucket, now: number): void {
    const refill = ((now - bucket.settledAt) / 1000) * this.#limit.requestsPerSecond;
    bucket.tokens = Math.min(this.#limit.burst, bucket.tokens + refill);
    bucket.settledAt = now;
  }
}
