export interface Abortable {
  abort(): void;
}

/**
 * One listener for each signal, however many wait on it: a listener each costs more than the rest of a request's
 * bookkeeping, and Node warns of a leak from the eleventh on.
 */
export class AbortListeners {
  readonly #waiting = new Map<AbortSignal, Waiting>();

  /** Calls `waiter.abort()` when the signal aborts, unless it is removed before. The signal is not aborted yet. */
  add(signal: AbortSignal, waiter: Abortable): void {
    const waiting = this.#waiting.get(signal) ?? this.#listen(signal);
    waiting.waiters.add(waiter);
  }

  /** The listener goes with the last waiter. */
  remove(signal: AbortSignal, waiter: Abortable): void {
    const waiting = this.#waiting.get(signal);
    if (waiting === undefined) return;
    waiting.waiters.delete(waiter);
    if (waiting.waiters.size > 0) return;
    this.#waiting.delete(signal);
    signal.removeEventListener('abort', waiting.listener);
  }

  #listen(signal: AbortSignal): Waiting {
    const waiters = new Set<Abortable>();
    const listener = (): void => {
      for (const waiter of waiters) waiter.abort();
    };
    const waiting = { waiters, listener };
    this.#waiting.set(signal, waiting);
    signal.addEventListener('abort', listener);
    return waiting;
  }
}

interface Waiting {
  readonly waiters: Set<Abortable>;
  readonly listener: () => void;
}
