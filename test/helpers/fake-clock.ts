import type { Clock } from '../../dist/clock.js';

interface Timer {
  readonly at: number;
  readonly sequence: number;
  readonly run: () => void;
}

/** A clock that moves only when told to, and runs each timer at its exact time, in order. */
export class FakeClock implements Clock {
  /** What the wall clock shows beyond the steady timeline, in milliseconds. */
  wallOffsetMs = 0;
  #now: number;
  #sequence = 0;
  readonly #timers = new Set<Timer>();

  constructor(startMs = Date.parse('2026-01-15T08:30:00Z')) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  toWall(steadyMs: number): number {
    return steadyMs + this.wallOffsetMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), sequence: this.#sequence++, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves on by `ms`; everything that falls due on the way runs at its own time, promises settled in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = next.at;
      this.#timers.delete(next);
      next.run();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.sequence < first.sequence)) {
        first = timer;
      }
    }
    return first;
  }
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
