import type { PollingConfig, RateLimitConfig } from './config.js';
import { formatDuration } from './duration.js';
import type { Range, ConfigNode } from './config-node.js';

/** What drives a timer: Node's hold 31 bits of milliseconds. */
export const TIMER: Range = { min: 1, max: 24 * 86_400_000 };
/** What is compared with an age. */
export const AGE: Range = { min: 1, max: 3650 * 86_400_000 };

export const POLLING_DEFAULTS: PollingConfig = {
  idleIntervalMs: 5 * 60_000,
  activeIntervalMs: 30_000,
  timeoutMs: 10_000,
  maxAttempts: 4,
  concurrency: 16,
  rateLimit: { requestsPerSecond: 5, burst: 5 },
  staleAfterMs: 15 * 60_000,
  stuckAfterMs: 30 * 60_000,
};

/** Unless given, `stale_after` is at least this many polls of an idle instance. */
const STALE_POLLS = 3;

export function readPolling(setting: ConfigNode): PollingConfig {
  const key = setting.section([
    'idle_interval',
    'active_interval',
    'timeout',
    'max_attempts',
    'concurrency',
    'rate_limit',
    'stale_after',
    'stuck_after',
  ]);
  const or = POLLING_DEFAULTS;
  const idleIntervalMs = key('idle_interval').duration(or.idleIntervalMs, TIMER);
  const staleAfterMs = key('stale_after').duration(Math.max(or.staleAfterMs, STALE_POLLS * idleIntervalMs), AGE);
  if (staleAfterMs < idleIntervalMs)
    key('stale_after').problem(`stale_after must be at least idle_interval (${formatDuration(idleIntervalMs)})`);
  return {
    idleIntervalMs,
    activeIntervalMs: key('active_interval').duration(or.activeIntervalMs, TIMER),
    timeoutMs: key('timeout').duration(or.timeoutMs, TIMER),
    maxAttempts: key('max_attempts').number(or.maxAttempts, { min: 1, max: 20, whole: true }),
    concurrency: key('concurrency').number(or.concurrency, { min: 1, max: 1024, whole: true }),
    rateLimit: readRateLimit(key('rate_limit'), or.rateLimit),
    staleAfterMs,
    stuckAfterMs: key('stuck_after').duration(or.stuckAfterMs, AGE),
  };
}

/** Key by key: what a level leaves out comes from the level above. */
export function readRateLimit(setting: ConfigNode, above: RateLimitConfig): RateLimitConfig {
  const key = setting.section(['requests_per_second', 'burst']);
  return {
    requestsPerSecond: key('requests_per_second').number(above.requestsPerSecond, {
      min: 0.001,
      max: 10_000,
      whole: false,
    }),
    burst: key('burst').number(above.burst, { min: 1, max: 10_000, whole: true }),
  };
}
