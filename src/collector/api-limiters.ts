import type { CallsView } from '../domain/region-status.js';
import type { RequestCounter } from '../metrics/requests.js';
import type { Action, ApiError, ApiResult, Place } from '../domain/model.js';
import { newSubject } from './circuit-breaker.js';
import type { Subject } from './circuit-breaker.js';
import { Gate } from './api-limiter.js';
import type { Requisites } from './api-limiter.js';
import type { Call } from './paginate.js';
import type { Polling } from './poll-loop.js';
import { call } from './call-with-retry.js';
import type { RateLimit } from './token-bucket.js';
import { placeFields } from './event-log.js';
import type { Shared } from './context.js';
import { UsageMeter } from './usage-meter.js';

export interface GatesOptions {
  readonly place: Place;
  readonly limit: RateLimit;
  readonly requisites: Requisites;
  readonly shared: Shared;
  readonly polling: () => Pick<Polling, 'size' | 'patienceMs'>;
}

interface Opened {
  readonly gate: Gate;
  /** What requests that belong to no instance are about. */
  readonly subject: Subject;
  readonly usage: UsageMeter;
  readonly requests: RequestCounter;
}

/** The gates of one account and region, one for each action it uses, with the log of what happens at them. */
export class Gates {
  readonly #options: GatesOptions;
  readonly #opened = new Map<Action, Opened>();
  #limit: RateLimit;

  constructor(options: GatesOptions) {
    this.#options = options;
    this.#limit = options.limit;
  }

  /** The gate of an action, opened when it is first asked for. */
  get(action: Action): Gate {
    return this.#get(action).gate;
  }

  #get(action: Action): Opened {
    return this.#opened.get(action) ?? this.#open(action);
  }

  /** Makes calls of an action that belong to no instance, with all their repeats. */
  caller(action: Action, settings: { readonly maxAttempts: () => number; readonly signal: AbortSignal }): Call {
    const { clock, random, scheduler } = this.#options.shared;
    const { gate, subject } = this.#get(action);
    return <T>(attempt: () => Promise<ApiResult<T>>) =>
      call({
        scheduler,
        gate,
        clock,
        random,
        maxAttempts: settings.maxAttempts(),
        signal: settings.signal,
        subject,
        // A few calls that decide what is polled at all.
        urgency: 'active',
        attempt,
      });
  }

  configure(limit: RateLimit): void {
    this.#limit = limit;
    const nowMs = this.#options.shared.clock.now();
    for (const { gate } of this.#opened.values()) gate.bucket.configure(limit, nowMs);
  }

  /** Other credentials or another endpoint: what the answers so far showed is void. */
  reset(): void {
    const nowMs = this.#options.shared.clock.now();
    for (const { gate, subject } of this.#opened.values()) {
      if (gate.reset(nowMs) === 'left') this.#logLeft(gate, 'the credentials or the endpoint changed');
      Object.assign(subject, newSubject());
    }
  }

  /** One attempt has ended; `code` is the error's. */
  attempted(action: Action, durationMs: number, code: string | undefined): void {
    const opened = this.#opened.get(action);
    opened?.usage.note(this.#options.shared.clock.now());
    opened?.requests.ended(durationMs, code);
  }

  usedPerSecond(action: Action): number | undefined {
    return this.#opened.get(action)?.usage.perSecond(this.#options.shared.clock.now());
  }

  views(nowMs: number): readonly CallsView[] {
    return [...this.#opened.values()].map(({ gate }) => {
      const { cooling } = gate.cooldown;
      return {
        action: gate.action,
        requestsPerSecond: gate.bucket.rate(nowMs),
        configuredRequestsPerSecond: gate.bucket.configuredRate,
        cooldown: cooling && { until: cooling.until, code: cooling.error.code, message: cooling.error.message },
      };
    });
  }

  close(): void {
    for (const { gate } of this.#opened.values()) this.#options.shared.scheduler.close(gate);
  }

  #open(action: Action): Opened {
    const { place, shared, polling, requisites } = this.#options;
    const nowMs = shared.clock.now();
    const gate = new Gate({
      place,
      action,
      limit: this.#limit,
      requisites,
      nowMs,
      instances: () => (action === 'DescribeBackupTasks' ? polling().size : 0),
      patienceMs: () => polling().patienceMs(),
      random: shared.random,
      onCooldown: (change) => (change === 'entered' ? this.#logEntered(gate) : this.#logLeft(gate, 'a call worked')),
      onThrottled: (error) => this.#logThrottled(gate, error),
    });
    const requests = shared.self.requests.open(place, action);
    const opened = { gate, subject: newSubject(), usage: new UsageMeter(nowMs), requests };
    this.#opened.set(action, opened);
    shared.scheduler.open(gate);
    return opened;
  }

  #logEntered({ action, cooldown: { cooling } }: Gate): void {
    const { place, shared } = this.#options;
    shared.log.warn('cool-down entered: calls are held back but for one probe at a time', {
      ...placeFields(place),
      action,
      reason: cooling?.reason,
      code: cooling?.error.code,
      request_id: cooling?.error.requestId,
      error: cooling?.error.message,
    });
  }

  #logLeft({ action }: Gate, why: string): void {
    const { place, shared } = this.#options;
    shared.log.info(`cool-down left: ${why}`, { ...placeFields(place), action });
  }

  #logThrottled({ action, bucket }: Gate, error: ApiError): void {
    const { place, shared } = this.#options;
    shared.log.warn('throttled: the rate is lowered', {
      ...placeFields(place),
      action,
      code: error.code,
      request_id: error.requestId,
      requests_per_second: Number(bucket.rate(shared.clock.now()).toPrecision(3)),
      configured: Number(bucket.configuredRate.toPrecision(3)),
    });
  }
}
