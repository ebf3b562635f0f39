import type { ErrorKind } from '../domain/model.js';

const FIRST_RETRY_MS = 60_000;
const FIRST_DENIED_MS = 30_000;
const MOST_DENIED_MS = 3_600_000;
const UNSUPPORTED_MS = 3_600_000;
/** Keeps polls from locking phase with daily schedules and with each other. */
export const JITTER = 0.05;

/** How often one target has failed in a row, and how. */
export interface FailureStreak {
  readonly failures: number;
  readonly denials: number;
}

export const NO_FAILURES: FailureStreak = { failures: 0, denials: 0 };
/** Of an instance that says that it has no backup tasks, and is asked again before that is believed. */
const UNCONFIRMED: FailureStreak = { failures: 0, denials: 0 };
/** Of an instance that is asked hourly: no streak either, yet no measure of how fast the others are polled. */
const RESTING: FailureStreak = { failures: 0, denials: 0 };

/** @param isUnsupported whether the instance is believed to have no backup tasks */
export function nextStreak(
  { failures, denials }: FailureStreak,
  kind: ErrorKind | undefined,
  isUnsupported: boolean,
): FailureStreak {
  switch (kind) {
    case 'unsupported':
      return isUnsupported ? RESTING : UNCONFIRMED;
    case undefined:
    case 'not_now':
      return NO_FAILURES;
    case 'denied':
      return { failures: 0, denials: denials + 1 };
    default:
      return { failures: failures + 1, denials: 0 };
  }
}

/** The time from the start of a poll to the start of the next, given how the last ones went. */
export function nextDelayMs(options: {
  readonly intervalMs: number;
  readonly streak: FailureStreak;
  readonly random: () => number;
}): number {
  const { intervalMs, streak, random } = options;
  if (streak === RESTING) return UNSUPPORTED_MS;
  // Never less than an interval, which is what the second answer must be apart.
  if (streak === UNCONFIRMED) return intervalMs * (1 + JITTER);
  if (streak.denials > 0) return Math.min(MOST_DENIED_MS, FIRST_DENIED_MS * 2 ** (streak.denials - 1));
  if (streak.failures > 0) return retryDelayMs(intervalMs, streak.failures);
  return jitteredMs(intervalMs, random);
}

/** After failures in a row: 1 min, doubling up to the interval. */
export function retryDelayMs(intervalMs: number, failures: number): number {
  return Math.min(intervalMs, FIRST_RETRY_MS * 2 ** (failures - 1));
}

export function jitteredMs(intervalMs: number, random: () => number): number {
  return intervalMs * (1 - JITTER + 2 * JITTER * random());
}
