import type { Clock } from '../../dist/clock.js';
import { DeadlineHeap } from '../../dist/collector/deadline-heap.js';
import type { HeapEntry } from '../../dist/collector/deadline-heap.js';

interface Timer extends HeapEntry {
  readonly run: () => void;
}

/** A clock that moves only when told to, and runs each timer at its exact time, in order. */
export class FakeClock implements Clock {
  /** What the wall clock shows beyond the steady timeline, in milliseconds. */
  wallOffsetMs = 0;
  #now: number;
  readonly #timers = new DeadlineHeap<Timer>();

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
    const timer = { dueAt: this.#now + Math.max(0, delayMs), order: 0, position: -1, run };
    this.#timers.push(timer);
    return () => this.#timers.remove(timer);
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves on by `ms`; everything that falls due on the way runs at its own time, promises settled in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#timers.peek(); next !== undefined && next.dueAt <= end; next = this.#timers.peek()) {
      this.#timers.pop();
      this.#now = next.dueAt;
      next.run();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
