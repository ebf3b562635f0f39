/** Answers the requests of undici's pools in memory: the whole client is real, and there is no socket under it. */
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';

export interface WireRequest {
  /** `http://host:port` */
  readonly origin: string;
  readonly action: string;
  readonly parameters: URLSearchParams;
}

/** An answer, or the error of a connection. */
export type WireAnswer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string | Buffer }
  | Error;

export interface WireCall {
  readonly request: WireRequest;
  /** Told if the client gives the request up before it is answered. */
  onGivenUp: () => void;
  /** Once; nothing happens when the client has given the request up. */
  answer(answer: WireAnswer): void;
}

/** From now on every call of the RDS API comes here instead of to a socket; the result undoes it. */
export function interceptWire(onCall: (call: WireCall) => void): () => void {
  // A pool inherits it.
  const { dispatch } = Object.getPrototypeOf(Pool.prototype) as { readonly dispatch: Dispatcher['dispatch'] };
  Pool.prototype.dispatch = function (this: Pool, options, handler) {
    if (actionOf(options) === undefined) return dispatch.call(this, options, handler);
    onCall(new Call(options, handler));
    return true;
  };
  return () => void Reflect.deleteProperty(Pool.prototype, 'dispatch');
}

function actionOf({ headers }: Dispatcher.DispatchOptions): string | undefined {
  const list: readonly unknown[] = Array.isArray(headers) ? headers : [];
  return list.includes('x-acs-action') ? String(list[list.indexOf('x-acs-action') + 1]) : undefined;
}

class Call implements WireCall, Dispatcher.DispatchController {
  readonly request: WireRequest;
  onGivenUp: () => void = () => undefined;
  aborted = false;
  reason: Error | null = null;
  readonly paused = false;
  readonly #handler: Dispatcher.DispatchHandler;
  #isAnswered = false;

  constructor(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) {
    const { origin, path } = options;
    this.request = {
      origin: String(origin),
      action: actionOf(options) ?? '',
      parameters: new URLSearchParams(path.slice(path.indexOf('?') + 1)),
    };
    this.#handler = handler;
    handler.onRequestStart?.(this, {});
  }

  abort(reason: Error): void {
    this.aborted = true;
    this.reason = reason;
    if (!this.#isAnswered) this.onGivenUp();
  }

  pause(): void {}
  resume(): void {}

  answer(answer: WireAnswer): void {
    if (this.aborted) return;
    this.#isAnswered = true;
    if (answer instanceof Error) return this.#handler.onResponseError?.(this, answer);
    this.#handler.onResponseStart?.(this, answer.status, { 'content-type': 'application/json', ...answer.headers });
    this.#handler.onResponseData?.(this, Buffer.from(answer.body));
    this.#handler.onResponseEnd?.(this, {});
  }
}
