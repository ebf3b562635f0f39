/**
 * Time as a parameter, so that tests assert exact figures and never sleep.
 *
 * The program lives on one steady timeline: milliseconds since the epoch as they were believed when the process began,
 * counted on by the monotonic clock. A wall clock that steps changes no schedule and no age; only `toWall` follows it.
 */
export interface Clock {
  /** Milliseconds on the steady timeline. */
  now(): number;
  /** A time of the steady timeline as the wall clock has it now, in milliseconds since the epoch. */
  toWall(steadyMs: number): number;
  /** Calls `run` once after `delayMs`; the result cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

/** Uniform in [0, 1). A parameter like the clock, for the same reason. */
export const systemRandom: () => number = Math.random;

/** Smaller disagreements of the two clocks are drift, and following them would make every timestamp jitter. */
const STEP_MS = 2_000;
/** Node fires timers over 2^31 ms at once. */
const MAX_TIMER_MS = 2_147_483_647;

export function systemClock(): Clock {
  const { timeOrigin } = performance;
  const now = (): number => timeOrigin + performance.now();
  let offsetMs = 0;
  return {
    now,
    toWall(steadyMs) {
      const measuredMs = Date.now() - now();
      if (Math.abs(measuredMs - offsetMs) > STEP_MS) offsetMs = Math.round(measuredMs);
      return steadyMs + offsetMs;
    },
    after(delayMs, run) {
      const timer = setTimeout(run, Math.min(Math.max(0, delayMs), MAX_TIMER_MS));
      return () => clearTimeout(timer);
    },
  };
}

/** Resolves after `delayMs`, or as soon as `signal` aborts; leaves no listener behind. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(delayMs, finish);
    signal.addEventListener('abort', finish);
  });
}
