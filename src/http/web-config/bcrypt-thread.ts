import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../clock.js';

/** A thread costs some 9 MB, and with the answers cached it is needed about once a client. */
const IDLE_MS = 30_000;

interface Thread {
  readonly worker: Worker;
  /** Aborts when it is over, so that nobody waits for its answer. */
  readonly ended: AbortController;
}

/** Compares passwords in a thread of its own, since each takes some 70 ms of computing; the thread ends when idle. */
export class BcryptThread {
  readonly #clock: Clock;
  #thread: Thread | undefined;
  #cancelEnd: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One call at a time. Rejects if the thread fails or is closed. */
  async compare(password: string, hash: string): Promise<boolean> {
    this.#cancelEnd();
    const { worker, ended } = (this.#thread ??= startThread());
    try {
      const answer = once(worker, 'message', { signal: ended.signal });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window: it has no origin
      worker.postMessage({ password, hash });
      const [same] = await answer;
      this.#cancelEnd = this.#clock.after(IDLE_MS, () => void this.close());
      return same === true;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#cancelEnd();
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.worker.terminate();
  }
}

function startThread(): Thread {
  const ended = new AbortController();
  const worker = new Worker(new URL('bcrypt-worker.js', import.meta.url), { execArgv: [] });
  worker.once('exit', () => ended.abort(new Error('the thread that compares passwords has ended')));
  return { worker, ended };
}
