/** Part of the configured rate: the floor under throttling, and the step of recovery. */
const SIXTEENTH = 1 / 16;
const RECOVERY_STEP_MS = 10_000;
const HALVING_GAP_MS = 5_000;
/** Absorbs the rounding of fractions, not a part of a call. */
const EPSILON = 1e-9;

export interface RateLimit {
  readonly requestsPerSecond: number;
  readonly burst: number;
}

/**
 * The budget of one API action in one account and region. In no window does it let through more than rate x window +
 * burst. Throttled, it halves its rate; left in peace, it recovers by a sixteenth of the configured rate every 10 s.
 * Times are milliseconds of the steady timeline and never run backwards.
 */
export class TokenBucket {
  #limit: RateLimit;
  #rate: number;
  #tokens: number;
  #settledAt: number;
  #halvedAt = -Infinity;
  #recoverAt = Infinity;
  #pausedUntil = -Infinity;

  constructor(limit: RateLimit, nowMs: number) {
    this.#limit = limit;
    this.#rate = limit.requestsPerSecond;
    this.#tokens = limit.burst;
    this.#settledAt = nowMs;
  }

  get configuredRate(): number {
    return this.#limit.requestsPerSecond;
  }

  /** Requests a second in force at `nowMs`. */
  rate(nowMs: number): number {
    this.#settle(nowMs);
    return this.#rate;
  }

  /** Takes one token if there is one. */
  tryTake(nowMs: number): boolean {
    if (this.availableAt(nowMs) > nowMs) return false;
    this.#tokens -= 1;
    return true;
  }

  /** When the next token is there; `nowMs` if one is there now. */
  availableAt(nowMs: number): number {
    this.#settle(nowMs);
    const missing = 1 - this.#tokens;
    const refilledAt = missing <= EPSILON ? nowMs : nowMs + (missing / this.#rate) * 1000;
    return Math.max(refilledAt, this.#pausedUntil);
  }

  /**
   * The API throttled a call that was sent at `sentAt`. Halves the rate at most once in 5 s, and never for a call that
   * was on its way before the last halving; waits as long as the server asked.
   * True if the rate was lowered.
   */
  throttled(answer: { sentAt: number; nowMs: number; retryAfterMs: number | undefined }): boolean {
    const { sentAt, nowMs, retryAfterMs } = answer;
    this.#settle(nowMs);
    if (retryAfterMs !== undefined) this.#pausedUntil = Math.max(this.#pausedUntil, nowMs + retryAfterMs);
    const isNews = sentAt >= this.#halvedAt && nowMs - this.#halvedAt >= HALVING_GAP_MS;
    const before = this.#rate;
    if (isNews) {
      this.#rate = Math.max(this.#rate / 2, this.configuredRate * SIXTEENTH);
      this.#halvedAt = nowMs;
    }
    if (this.#rate < this.configuredRate) this.#recoverAt = nowMs + RECOVERY_STEP_MS;
    return this.#rate < before;
  }

  /** Takes over a new limit, keeping the part of it that throttling left. */
  configure(limit: RateLimit, nowMs: number): void {
    this.#settle(nowMs);
    this.#rate *= limit.requestsPerSecond / this.#limit.requestsPerSecond;
    this.#tokens = Math.min(this.#tokens, limit.burst);
    this.#limit = limit;
  }

  #settle(nowMs: number): void {
    while (this.#recoverAt <= nowMs) {
      this.#fill(this.#recoverAt);
      this.#rate = Math.min(this.configuredRate, this.#rate + this.configuredRate * SIXTEENTH);
      this.#recoverAt = this.#rate < this.configuredRate ? this.#recoverAt + RECOVERY_STEP_MS : Infinity;
    }
    this.#fill(nowMs);
  }

  #fill(atMs: number): void {
    if (atMs <= this.#settledAt) return;
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + ((atMs - this.#settledAt) / 1000) * this.#rate);
    this.#settledAt = atMs;
  }
}
