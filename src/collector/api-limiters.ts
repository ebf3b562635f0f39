import type { ApiBudgetStatus } from '../domain/region-status.js';
import type { RequestCounter } from './ports.js';
import type { Action, ApiError, ApiResult, AccountRegion } from '../domain/model.js';
import { newSubject } from './circuit-breaker.js';
import type { Subject } from './circuit-breaker.js';
import { ApiLimiter } from './api-limiter.js';
import type { Precondition } from './api-limiter.js';
import type { Call } from './paginate.js';
import type { PollLoop } from './poll-loop.js';
import { callWithRetry } from './call-with-retry.js';
import type { RateLimit } from './token-bucket.js';
import { regionFields } from './event-log.js';
import type { CollectorContext } from './context.js';
import { UsageMeter } from './usage-meter.js';

export interface ApiLimitersOptions {
  readonly accountRegion: AccountRegion;
  readonly limit: RateLimit;
  readonly precondition: Precondition;
  readonly context: CollectorContext;
  readonly polling: () => Pick<PollLoop, 'size' | 'patienceMs'>;
}

interface Opened {
  readonly limiter: ApiLimiter;
  /** What requests that belong to no instance are about. */
  readonly subject: Subject;
  readonly usage: UsageMeter;
  readonly requests: RequestCounter;
}

/** The gates of one account and region, one for each action it uses, with the log of what happens at them. */
export class ApiLimiters {
  readonly #options: ApiLimitersOptions;
  readonly #opened = new Map<Action, Opened>();
  #limit: RateLimit;

  constructor(options: ApiLimitersOptions) {
    this.#options = options;
    this.#limit = options.limit;
  }

  /** The gate of an action, opened when it is first asked for. */
  get(action: Action): ApiLimiter {
    return this.#get(action).limiter;
  }

  #get(action: Action): Opened {
    return this.#opened.get(action) ?? this.#open(action);
  }

  /** Makes calls of an action that belong to no instance, with all their repeats. */
  caller(action: Action, settings: { readonly maxAttempts: () => number; readonly signal: AbortSignal }): Call {
    const { clock, random, scheduler } = this.#options.context;
    const { limiter, subject } = this.#get(action);
    return <T>(attempt: () => Promise<ApiResult<T>>) =>
      callWithRetry({
        scheduler,
        limiter,
        clock,
        random,
        maxAttempts: settings.maxAttempts(),
        signal: settings.signal,
        subject,
        // A few calls that decide what is polled at all.
        priority: 'active',
        attempt,
      });
  }

  configure(limit: RateLimit): void {
    this.#limit = limit;
    const nowMs = this.#options.context.clock.now();
    for (const { limiter } of this.#opened.values()) limiter.bucket.configure(limit, nowMs);
  }

  /** Other credentials or another endpoint: what the answers so far showed is void. */
  reset(): void {
    const nowMs = this.#options.context.clock.now();
    for (const { limiter, subject } of this.#opened.values()) {
      if (limiter.reset(nowMs) === 'left') this.#logLeft(limiter, 'the credentials or the endpoint changed');
      Object.assign(subject, newSubject());
    }
  }

  /** One attempt has ended; `code` is the error's. */
  attempted(action: Action, durationMs: number, code: string | undefined): void {
    const opened = this.#opened.get(action);
    opened?.usage.note(this.#options.context.clock.now());
    opened?.requests.ended(durationMs, code);
  }

  usedPerSecond(action: Action): number | undefined {
    return this.#opened.get(action)?.usage.perSecond(this.#options.context.clock.now());
  }

  views(nowMs: number): readonly ApiBudgetStatus[] {
    return [...this.#opened.values()].map(({ limiter }) => {
      const { cooling } = limiter.circuit;
      return {
        action: limiter.action,
        requestsPerSecond: limiter.bucket.rate(nowMs),
        configuredRequestsPerSecond: limiter.bucket.configuredRate,
        cooldown: cooling && { until: cooling.until, code: cooling.error.code, message: cooling.error.message },
      };
    });
  }

  close(): void {
    for (const { limiter } of this.#opened.values()) this.#options.context.scheduler.close(limiter);
  }

  #open(action: Action): Opened {
    const { accountRegion, context, polling, precondition } = this.#options;
    const nowMs = context.clock.now();
    const limiter = new ApiLimiter({
      accountRegion,
      action,
      limit: this.#limit,
      precondition,
      nowMs,
      instances: () => (action === 'DescribeBackupTasks' ? polling().size : 0),
      patienceMs: () => polling().patienceMs(),
      random: context.random,
      onCooldown: (change) =>
        change === 'entered' ? this.#logEntered(limiter) : this.#logLeft(limiter, 'a call worked'),
      onThrottled: (error) => this.#logThrottled(limiter, error),
    });
    const requests = context.metrics.requests.open(accountRegion, action);
    const opened = { limiter, subject: newSubject(), usage: new UsageMeter(nowMs), requests };
    this.#opened.set(action, opened);
    context.scheduler.open(limiter);
    return opened;
  }

  #logEntered({ action, circuit: { cooling } }: ApiLimiter): void {
    const { accountRegion, context } = this.#options;
    context.log.warn('cool-down entered: calls are held back but for one probe at a time', {
      ...regionFields(accountRegion),
      action,
      reason: cooling?.reason,
      code: cooling?.error.code,
      request_id: cooling?.error.requestId,
      error: cooling?.error.message,
    });
  }

  #logLeft({ action }: ApiLimiter, why: string): void {
    const { accountRegion, context } = this.#options;
    context.log.info(`cool-down left: ${why}`, { ...regionFields(accountRegion), action });
  }

  #logThrottled({ action, bucket }: ApiLimiter, error: ApiError): void {
    const { accountRegion, context } = this.#options;
    context.log.warn('throttled: the rate is lowered', {
      ...regionFields(accountRegion),
      action,
      code: error.code,
      request_id: error.requestId,
      requests_per_second: Number(bucket.rate(context.clock.now()).toPrecision(3)),
      configured: Number(bucket.configuredRate.toPrecision(3)),
    });
  }
}
