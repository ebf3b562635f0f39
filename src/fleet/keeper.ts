import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../log.js';
import { instanceKey } from '../model.js';
import type { StateKeeper } from './fleet.js';
import { fromRecord, toRecord } from './record.js';
import type { InstanceState } from './state.js';
import type { Store } from './store.js';

export interface KeeperOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface KeeperHooks {
  /** Told of each instance that was gone for too long. */
  readonly forget: (key: string) => void;
  /** Told when saving begins to fail, and when it works again. */
  readonly onSaved: (ok: boolean) => void;
}

/** What does not matter to a counter is written together, this long after the first change. */
const WRITE_BEHIND_MS = 1_000;
const RETRY_MS = 10_000;
const CLEAN_MS = 3_600_000;
const FORGET_AFTER_MS = 7 * 86_400_000;

/** Keeps the states in the store: outcomes at once, everything else a moment later, all that waits in one step. */
export class Keeper implements StateKeeper {
  readonly #options: KeeperOptions;
  /** When instances that are remembered but not watched were last watched. */
  readonly #goneAt = new Map<string, number>();
  /** Instances of before the restart that nobody has watched yet, and that the store still has as watched. */
  readonly #unclaimed = new Map<string, InstanceState>();
  #changes = new Map<string, string | undefined>();
  #writing: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #cancelCleaning: () => void = () => undefined;
  #hooks: KeeperHooks = { forget: () => undefined, onSaved: () => undefined };
  #isFailing = false;
  #isClosed = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** What the store remembers, by instance key. */
  async load(): Promise<ReadonlyMap<string, InstanceState>> {
    const { store, clock, log } = this.#options;
    const states = new Map<string, InstanceState>();
    for (const [key, text] of await store.readAll()) {
      try {
        const { state, goneAt } = fromRecord(text, clock);
        states.set(key, state);
        this.#goneAt.set(key, goneAt ?? clock.now());
        if (goneAt === null) this.#unclaimed.set(key, state);
      } catch (thrown) {
        log.error('a record of the state cannot be read and is dropped', { key, error: messageOf(thrown) });
        this.#changes.set(key, undefined);
      }
    }
    return states;
  }

  /** Begins to report, and to drop the instances that were gone for 7 days: now and every hour. */
  start(hooks: KeeperHooks): void {
    this.#hooks = hooks;
    this.#forgetGone();
    this.#cancelCleaning = this.#options.clock.after(CLEAN_MS, () => this.#clean());
  }

  #clean(): void {
    for (const state of this.#unclaimed.values()) this.gone(state);
    this.#unclaimed.clear();
    this.#forgetGone();
    this.#cancelCleaning = this.#options.clock.after(CLEAN_MS, () => this.#clean());
  }

  #forgetGone(): void {
    const { clock } = this.#options;
    for (const [key, goneAt] of this.#goneAt) {
      if (clock.now() - goneAt < FORGET_AFTER_MS) continue;
      this.#goneAt.delete(key);
      this.#hooks.forget(key);
      void this.#change(key, undefined, WRITE_BEHIND_MS);
    }
  }

  /** The instance is watched: what is written of it from now on is current. */
  watched(key: string): void {
    this.#goneAt.delete(key);
    this.#unclaimed.delete(key);
  }

  gone(state: InstanceState): void {
    const nowMs = this.#options.clock.now();
    const key = instanceKey(state.instance);
    this.#goneAt.set(key, nowMs);
    void this.#change(key, JSON.stringify(toRecord(state, this.#options.clock, nowMs)), WRITE_BEHIND_MS);
  }

  save(state: InstanceState, isUrgent: boolean): Promise<void> {
    const text = JSON.stringify(toRecord(state, this.#options.clock, null));
    return this.#change(instanceKey(state.instance), text, isUrgent ? 0 : WRITE_BEHIND_MS);
  }

  /** Writes what waits and lets go of the store. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#cancelCleaning();
    await this.#writing;
    await this.#write();
    await this.#options.store.close();
  }

  /** Resolves when the change is on disk, or when a write of it has failed: it is then tried again behind. */
  #change(key: string, text: string | undefined, delayMs: number): Promise<void> {
    this.#changes.set(key, text);
    if (this.#isClosed) return Promise.resolve();
    if (delayMs > 0) {
      this.#cancelTimer ??= this.#options.clock.after(delayMs, () => void this.#flush());
      return Promise.resolve();
    }
    return this.#flush();
  }

  /** Everything that waits, after what is being written. Changes that come in the meantime share the next write. */
  #flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#writing ??= Promise.resolve();
    const next = this.#writing.then(() => this.#write());
    this.#writing = next;
    return next;
  }

  async #write(): Promise<void> {
    if (this.#changes.size === 0) return;
    const changes = this.#changes;
    this.#changes = new Map();
    try {
      await this.#options.store.write(changes);
      this.#report(undefined);
    } catch (thrown) {
      this.#report(thrown);
      // Newer changes of the same instances win.
      this.#changes = new Map([...changes, ...this.#changes]);
      if (!this.#isClosed) this.#cancelTimer ??= this.#options.clock.after(RETRY_MS, () => void this.#flush());
    }
  }

  #report(problem: unknown): void {
    const { log } = this.#options;
    const isFailing = problem !== undefined;
    if (isFailing === this.#isFailing) return;
    this.#isFailing = isFailing;
    this.#hooks.onSaved(!isFailing);
    if (isFailing)
      log.error('the state cannot be saved: it is kept in memory and tried again', { error: messageOf(problem) });
    else log.info('the state is saved again');
  }
}
