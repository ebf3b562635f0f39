import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../clock.js';

/** How late the event loop ran its timers, in seconds. */
export interface EventLoopLag {
  readonly mean: number;
  readonly max: number;
  readonly p50: number;
  readonly p99: number;
}

/** Each sample costs a wake-up. */
const RESOLUTION_MS = 20;
const WINDOW_MS = 10_000;

/**
 * Measures the lag in windows of at least 10 s. The result tells the last whole window, so that two scrapers see the same
 * and neither takes the other's samples away; before the first has passed, what there is.
 */
export function watchEventLoop(clock: Clock): () => EventLoopLag {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let windowBeganAt = clock.now();
  let whole: EventLoopLag | undefined;
  return () => {
    if (clock.now() - windowBeganAt >= WINDOW_MS) {
      whole = lagOf(histogram);
      histogram.reset();
      windowBeganAt = clock.now();
    }
    return whole ?? lagOf(histogram);
  };
}

function lagOf(histogram: { mean: number; max: number; percentile(of: number): number }): EventLoopLag {
  return {
    mean: lagSeconds(histogram.mean),
    max: lagSeconds(histogram.max),
    p50: lagSeconds(histogram.percentile(50)),
    p99: lagSeconds(histogram.percentile(99)),
  };
}

/** The histogram holds the time from one wake-up to the next, in nanoseconds, the planned wait included; NaN when empty. */
function lagSeconds(nanoseconds: number): number {
  return Math.max(0, (nanoseconds || 0) / 1e9 - RESOLUTION_MS / 1e3);
}
