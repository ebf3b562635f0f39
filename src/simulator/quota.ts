import type { Call } from './call.js';
import type { Refusal } from './refusal.js';
import { refusal } from './refusal.js';

/** What the API lets through of each region, action and account. */
export interface QuotaLimits {
  readonly requestsPerSecond: number;
  readonly burst: number;
}

/** Token buckets as the API keeps them; full at first. */
export class Quota {
  readonly #limits: QuotaLimits;
  readonly #buckets = new Map<string, { tokens: number; filledAtMs: number }>();

  constructor(limits: QuotaLimits) {
    this.#limits = limits;
  }

  /** Takes a token, or says when the next one comes. A refused call costs none. */
  take({ regionId, action, account }: Call, nowMs: number): Refusal | undefined {
    const { requestsPerSecond, burst } = this.#limits;
    const name = `${regionId} ${action} ${account}`;
    const bucket = this.#buckets.get(name) ?? { tokens: burst, filledAtMs: nowMs };
    this.#buckets.set(name, bucket);
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.filledAtMs) / 1000) * requestsPerSecond);
    bucket.filledAtMs = nowMs;
    if (bucket.tokens < 1) {
      const waitMs = Math.ceil(((1 - bucket.tokens) / requestsPerSecond) * 1000);
      return refusal('Throttling.User', { headers: { 'x-acs-retry-after': String(waitMs) } });
    }
    bucket.tokens -= 1;
    return undefined;
  }
}
