const WINDOW_MS = 30_000;

/** How many requests a second were sent of late: over the last 30 to 60 s. */
export class UsageMeter {
  #windowBeganAt: number;
  #count = 0;
  #countBefore = 0;

  constructor(nowMs: number) {
    this.#windowBeganAt = nowMs;
  }

  note(nowMs: number): void {
    this.#roll(nowMs);
    this.#count++;
  }

  perSecond(nowMs: number): number {
    this.#roll(nowMs);
    const elapsedMs = nowMs - this.#windowBeganAt + WINDOW_MS;
    return ((this.#count + this.#countBefore) / elapsedMs) * 1000;
  }

  #roll(nowMs: number): void {
    const windows = Math.floor((nowMs - this.#windowBeganAt) / WINDOW_MS);
    if (windows === 0) return;
    this.#countBefore = windows === 1 ? this.#count : 0;
    this.#count = 0;
    this.#windowBeganAt += windows * WINDOW_MS;
  }
}
