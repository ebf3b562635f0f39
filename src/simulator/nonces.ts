/** A bound for benchmarks; far above what a test sends while a nonce counts. */
const MAX_OF_GENERATION = 100_000;

/**
 * The nonces of late. Two generations, the older one dropped as a whole: taking the oldest out of one map again and
 * again would make each look at its beginning slower.
 */
export class Nonces {
  readonly #rememberMs: number;
  #older = new Set<string>();
  #newer = new Set<string>();
  #newerSinceMs = -Infinity;

  /** Each nonce is remembered for at least this long. */
  constructor(rememberMs: number) {
    this.#rememberMs = rememberMs;
  }

  /** Whether the nonce is used for the first time; from now on it was used. */
  use(nonce: string, nowMs: number): boolean {
    if (nowMs - this.#newerSinceMs > this.#rememberMs || this.#newer.size >= MAX_OF_GENERATION) {
      this.#older = this.#newer;
      this.#newer = new Set();
      this.#newerSinceMs = nowMs;
    }
    if (this.#newer.has(nonce) || this.#older.has(nonce)) return false;
    this.#newer.add(nonce);
    return true;
  }
}
