/** What the polls of one account and region demand of its rate limit. Rates are requests a second. */
export interface PollDemand {
  readonly idle: number;
  readonly active: number;
  readonly idleIntervalMs: number;
  readonly activeIntervalMs: number;
}

/** The part of the budget that idle instances always have. */
const IDLE_SHARE = 0.1;

/** Requests a second that the wished intervals take. */
export function neededRate({ idle, active, idleIntervalMs, activeIntervalMs }: PollDemand): number {
  return (idle * 1000) / idleIntervalMs + (active * 1000) / activeIntervalMs;
}

/** The interval at which idle instances can be polled under `rate`, never less than the wished one. */
export function affordableIntervalMs(demand: PollDemand, rate: number): number {
  const left = Math.max(rate * IDLE_SHARE, rate - (demand.active * 1000) / demand.activeIntervalMs);
  return Math.max(demand.idleIntervalMs, (demand.idle / left) * 1000);
}

/** The longest time between two polls of one idle instance over the last sweep or two. */
export class CycleMeter {
  #startedAt = -Infinity;
  #longestMs = 0;
  #longestBeforeMs = 0;

  get longestMs(): number {
    return Math.max(this.#longestMs, this.#longestBeforeMs);
  }

  note(gapMs: number, { nowMs, sweepMs }: { nowMs: number; sweepMs: number }): void {
    if (nowMs - this.#startedAt > Math.max(sweepMs, this.longestMs)) {
      this.#longestBeforeMs = this.#longestMs;
      this.#longestMs = 0;
      this.#startedAt = nowMs;
    }
    this.#longestMs = Math.max(this.#longestMs, gapMs);
  }
}
