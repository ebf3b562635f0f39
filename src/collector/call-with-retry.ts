import { sleep } from '../clock.js';
import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { ApiError, ApiResult, ErrorKind } from '../domain/model.js';
import type { Subject } from './circuit-breaker.js';
import type { ApiLimiter, Permit } from './api-limiter.js';
import type { Scheduler } from './scheduler.js';
import type { Priority } from './priority-alternator.js';

const FIRST_BACKOFF_MS = 500;
const MOST_BACKOFF_MS = 20_000;

/**
 * How often within one call an attempt that failed so is worth repeating, whatever else failed before it. Only what is
 * known to pass is: anything else is final.
 */
const REPEATS: { readonly [K in ErrorKind]?: number } = {
  throttled: Infinity,
  server: Infinity,
  flaky: 1,
  timeout: Infinity,
  connection: Infinity,
  bad_response: Infinity,
  nonce: Infinity,
  token_expired: 1,
};

export interface RetryOptions<T> {
  readonly scheduler: Scheduler;
  readonly limiter: ApiLimiter;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly maxAttempts: number;
  readonly signal: AbortSignal;
  /** What the cool-down learns about. */
  readonly subject: Subject;
  readonly isLookup?: boolean | undefined;
  readonly priority: Priority;
  /** The first attempt's, where the caller holds one already. */
  readonly permit?: Permit | undefined;
  readonly attempt: () => Promise<ApiResult<T>>;
}

/**
 * One call with its repeats. Each attempt is let in by the scheduler with a slot and a token of its own; a wait holds
 * neither. Never throws.
 */
export async function callWithRetry<T>(options: RetryOptions<T>): Promise<ApiResult<T>> {
  const { attempt, clock, maxAttempts, random, signal } = options;
  let { permit } = options;
  let last: ApiResult<T> | undefined;
  const failures = new Map<ErrorKind, number>();
  for (let attempts = 1; ; attempts++) {
    const admitted = permit ?? (await admit(options));
    permit = undefined;
    if ('kind' in admitted) return last ?? { ok: false, error: admitted };
    try {
      last = await attempt();
    } catch (thrown) {
      last = { ok: false, error: bug(thrown) };
    }
    admitted.release(last.ok ? undefined : last.error);
    if (last.ok || attempts >= maxAttempts) return last;
    const { kind, retryAfterMs } = last.error;
    const ofKind = (failures.get(kind) ?? 0) + 1;
    if (ofKind > (REPEATS[kind] ?? 0)) return last;
    failures.set(kind, ofKind);
    await sleep(clock, retryAfterMs ?? backoffMs(attempts, random), signal);
  }
}

/** Half of it fixed, half at random: 250 to 500 ms after the first attempt, doubling up to 20 s. */
export function backoffMs(attempts: number, random: () => number): number {
  const ceiling = Math.min(MOST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempts - 1));
  return (ceiling / 2) * (1 + random());
}

/** Waits for a slot and a token; an error when a cool-down or the end of the program comes first. */
function admit(options: RetryOptions<unknown>): Promise<Permit | ApiError> {
  const { scheduler, limiter, clock, priority, subject, isLookup, signal } = options;
  return new Promise((resolve) => {
    const finish = (outcome: Permit | ApiError): void => {
      signal.removeEventListener('abort', abort);
      resolve(outcome);
    };
    const entry = { dueAt: clock.now(), order: 0, position: -1 };
    const waiter = { subject, isLookup, ...entry, acquired: finish, rejected: finish };
    const abort = (): void => {
      limiter.remove(waiter);
      finish(ABORTED);
    };
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    else scheduler.add(limiter, waiter, priority);
  });
}

const ABORTED: ApiError = {
  kind: 'aborted',
  code: 'Aborted',
  message: 'the exporter stops',
  requestId: undefined,
  retryAfterMs: undefined,
};

function bug(thrown: unknown): ApiError {
  return {
    kind: 'bug',
    code: 'InternalError',
    message: `a bug in the exporter: ${messageOf(thrown)}`,
    requestId: undefined,
    retryAfterMs: undefined,
  };
}
