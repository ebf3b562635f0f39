import type { Dispatcher } from 'undici';
import type { Clock } from '../clock.js';
import type { ApiError } from '../domain/model.js';
import { createDispatcher } from './dispatcher.js';
import type { DispatcherOptions } from './dispatcher.js';
import { InFlight } from './in-flight.js';
import type { Abortable } from './in-flight.js';
import { aborted, badResponse, failureOf, timedOut } from './transport-error.js';

export interface ClientOptions extends DispatcherOptions {
  readonly clock: Clock;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export type Exchange =
  | { readonly ok: true; readonly answer: HttpAnswer }
  | { readonly ok: false; readonly error: ApiError };

/** Sends one request and reads its whole answer. Never throws, follows no redirect, repeats nothing. */
export interface Client {
  /** POST with an empty body. `headers` are names and values in turn. */
  post(path: string, headers: string[], signal: AbortSignal): Promise<Exchange>;
  /** Lets what is in flight end; ends every later call as aborted. */
  retire(): Promise<void>;
  /** Ends what is in flight as aborted, and every later call. */
  close(): Promise<void>;
}

/** The largest real answers, 100 instances or 1,000 tasks, are below 0.3 MiB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** @throws UsageError when the environment names a proxy whose address is no URL */
export function createClient(options: ClientOptions): Client {
  const { endpoint, timeoutMs, clock } = options;
  const dispatcher = createDispatcher(options);
  const inFlight = new InFlight<Attempt>();
  let cancelLook: (() => void) | undefined;
  let closed = false;

  /** One timer for all: all have the same time, so that the one which was armed first is due first. */
  function lookIn(delayMs: number): void {
    cancelLook = clock.after(delayMs, () => {
      cancelLook = undefined;
      const nowMs = clock.now();
      const attempts = inFlight.items();
      const next = Math.min(...attempts.map(({ deadline }) => deadline).filter((deadline) => deadline > nowMs));
      if (next < Infinity) lookIn(next - nowMs);
      for (const attempt of attempts) if (attempt.deadline <= nowMs) attempt.settle(timedOut(endpoint, timeoutMs));
    });
  }

  return {
    post(path, headers, signal) {
      if (closed || signal.aborted) return Promise.resolve(aborted());
      return new Promise((resolve) => {
        const attempt = new Attempt({ endpoint, deadline: clock.now() + timeoutMs }, (exchange) => {
          inFlight.remove(signal, attempt);
          resolve(exchange);
        });
        inFlight.add(signal, attempt);
        if (cancelLook === undefined) lookIn(timeoutMs);
        // Its deadline covers these two phases as well.
        dispatcher.dispatch(
          { origin: endpoint, path, method: 'POST', headers, headersTimeout: 0, bodyTimeout: 0 },
          attempt,
        );
      });
    },
    async retire() {
      closed = true;
      await dispatcher.close();
      cancelLook?.();
    },
    async close() {
      closed = true;
      cancelLook?.();
      inFlight.abortAll();
      await dispatcher.destroy();
    },
  };
}

/** One request on its way. */
class Attempt implements Dispatcher.DispatchHandler, Abortable {
  slot = 0;
  readonly deadline: number;
  readonly #endpoint: string;
  readonly #report: (exchange: Exchange) => void;
  #settled = false;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: HttpAnswer['headers'] = {};
  #body: Buffer[] = [];
  #bytes = 0;

  constructor({ endpoint, deadline }: { endpoint: string; deadline: number }, report: (exchange: Exchange) => void) {
    this.#endpoint = endpoint;
    this.deadline = deadline;
    this.#report = report;
  }

  /** The first result counts; what is still in flight after it is cut off. */
  settle(exchange: Exchange): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#body = [];
    this.#report(exchange);
    if (!exchange.ok) this.#controller?.abort(CUT_OFF);
  }

  abort(): void {
    this.settle(aborted());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It waited for its connection longer than it was allowed to.
    if (this.#settled) controller.abort(CUT_OFF);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: HttpAnswer['headers']): void {
    this.#status = status;
    this.#headers = headers;
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      this.settle(badResponse(this.#endpoint, 'answered in an encoding that was not asked for'));
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_BODY_BYTES) {
      this.settle(badResponse(this.#endpoint, `answered with more than ${MAX_BODY_BYTES / 1024 / 1024} MiB`));
    } else {
      this.#body.push(chunk);
    }
  }

  onResponseEnd(): void {
    const [first, ...others] = this.#body;
    const body = first === undefined ? '' : (others.length === 0 ? first : Buffer.concat(this.#body)).toString();
    this.settle({ ok: true, answer: { status: this.#status, headers: this.#headers, body } });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.settle(failureOf(this.#endpoint, error));
  }
}

const CUT_OFF = new Error('no longer wanted');
