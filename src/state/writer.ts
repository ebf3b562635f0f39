import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../log.js';
import { instanceKey } from '../domain/model.js';
import type { FleetPersistence } from './fleet.js';
import { readRecord, writeRecord } from './record.js';
import type { PersistedInstance } from './record.js';
import type { InstanceState } from '../domain/instance-state.js';
import type { StateStore } from './store.js';

export interface StateWriterOptions {
  readonly store: Pick<StateStore, 'readAll' | 'write' | 'close'>;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface StateWriterHooks {
  /** Told of each instance that was gone for too long. */
  readonly forget: (key: string) => void;
  /** Told when saving begins to fail, and when it works again. */
  readonly onSaved: (ok: boolean) => void;
}

/** What does not matter to a counter is written together, this long after the first change. */
const WRITE_BEHIND_MS = 1_000;
/** How often the store is looked after: it may have been removed, or what could not be written may be written now. */
const CHECK_INTERVAL_MS = 10_000;
/** A write that takes longer counts as failed until it ends: a disk that hangs must hold up no poll. */
const HANGS_MS = 30_000;
const CLEAN_MS = 3_600_000;
const FORGET_AFTER_MS = 7 * 86_400_000;

/** Keeps the states in the store: outcomes at once, everything else a moment later, all that waits in one step. */
export class StateWriter implements FleetPersistence {
  readonly #options: StateWriterOptions;
  /** All that the store is to hold: one that lost it is given it again. */
  readonly #kept = new Map<string, PersistedInstance>();
  /** What the store does not have yet; of these it deletes what is not kept. */
  #unsaved = new Set<string>();
  /** What is being written. */
  #underway: ReadonlySet<string> = new Set();
  /** Instances of before the restart that nobody has watched yet, and that the store still has as watched. */
  readonly #unclaimed = new Set<string>();
  /** The last write, and it again until it begins: whatever changes before then shares it. */
  #writing: Promise<boolean> = Promise.resolve(true);
  #queued: Promise<boolean> | undefined;
  #cancelWrite: (() => void) | undefined;
  #cancelLook: () => void = () => undefined;
  #cancelCleaning: () => void = () => undefined;
  #hooks: StateWriterHooks = { forget: () => undefined, onSaved: () => undefined };
  /** What the wall clock shows beyond the steady timeline in the records of the store. */
  #wallOffsetMs: number;
  #isFailing = false;
  #isClosed = false;

  constructor(options: StateWriterOptions) {
    this.#options = options;
    this.#wallOffsetMs = options.clock.toWall(0);
  }

  /** What the store remembers, by instance key. */
  async load(): Promise<ReadonlyMap<string, InstanceState>> {
    const { store, clock, log } = this.#options;
    const states = new Map<string, InstanceState>();
    for (const [key, text] of await store.readAll()) {
      try {
        const kept = readRecord(key, text, clock);
        states.set(key, kept.state);
        this.#kept.set(key, kept);
        if (kept.goneAt === null) this.#unclaimed.add(key);
      } catch (thrown) {
        log.error('a record of the state cannot be read and is dropped', { key, error: messageOf(thrown) });
        this.#unsaved.add(key);
      }
    }
    return states;
  }

  /** Begins to report, to look after the store, and to drop the instances that were gone for 7 days: now and every hour. */
  start(hooks: StateWriterHooks): void {
    this.#hooks = hooks;
    this.#forgetGone();
    this.#cleanLater();
    this.#lookLater();
  }

  #lookLater(): void {
    this.#cancelLook = this.#options.clock.after(CHECK_INTERVAL_MS, () => {
      void this.#flush();
      void this.#writing.then(() => {
        if (!this.#isClosed) this.#lookLater();
      });
    });
  }

  #cleanLater(): void {
    const { clock } = this.#options;
    this.#cancelCleaning = clock.after(CLEAN_MS, () => {
      for (const key of this.#unclaimed) this.#mark(key, clock.now());
      this.#unclaimed.clear();
      this.#forgetGone();
      this.#cleanLater();
    });
  }

  #forgetGone(): void {
    const nowMs = this.#options.clock.now();
    for (const [key, { goneAt }] of this.#kept) {
      if (goneAt === null || nowMs - goneAt < FORGET_AFTER_MS) continue;
      this.#kept.delete(key);
      this.#unsaved.add(key);
      this.#writeBehind();
      this.#hooks.forget(key);
    }
  }

  /** The instance is watched: what is written of it from now on is current. */
  watched(key: string): void {
    this.#unclaimed.delete(key);
    this.#mark(key, null);
  }

  gone(state: InstanceState): void {
    this.#keep(instanceKey(state.instance), { state, goneAt: this.#options.clock.now() });
  }

  save(state: InstanceState): void {
    this.#keep(instanceKey(state.instance), { state, goneAt: null });
  }

  /** While saving fails nothing but the next look tries again. */
  async saveNow(state: InstanceState): Promise<boolean> {
    this.save(state);
    return !this.#isClosed && !this.#isFailing && this.#flush();
  }

  isSaved(key: string): boolean {
    return !this.#unsaved.has(key) && !this.#underway.has(key);
  }

  /** Writes what waits and lets go of the store. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelWrite?.();
    this.#cancelLook();
    this.#cancelCleaning();
    // A store that turns out to be lost only now is made anew by the second write.
    if (!(await this.#flush())) await this.#flush();
    await this.#options.store.close();
  }

  #mark(key: string, goneAt: number | null): void {
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.goneAt !== goneAt) this.#keep(key, { ...kept, goneAt });
  }

  #keep(key: string, kept: PersistedInstance): void {
    this.#kept.set(key, kept);
    this.#unsaved.add(key);
    this.#writeBehind();
  }

  #writeBehind(): void {
    if (this.#isClosed || this.#isFailing) return;
    this.#cancelWrite ??= this.#options.clock.after(WRITE_BEHIND_MS, () => void this.#flush());
  }

  /**
   * Everything that waits, after what is being written. Changes that come in the meantime share the next write. Resolves to
   * whether it is on disk by now, and in any case before long.
   */
  #flush(): Promise<boolean> {
    this.#cancelWrite?.();
    this.#cancelWrite = undefined;
    const writing = (this.#queued ??= this.#writing.then(() => this.#write()));
    this.#writing = writing;
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(HANGS_MS, () => {
        this.#report(new Error(`a write has not ended for ${HANGS_MS / 1_000} s`));
        resolve(false);
      });
      void writing.then(cancel);
      void writing.then(resolve);
    });
  }

  /** Whether the store now has all that waited. */
  async #write(): Promise<boolean> {
    const { store, clock } = this.#options;
    this.#queued = undefined;
    this.#followWallClock();
    const keys = (this.#underway = this.#unsaved);
    this.#unsaved = new Set();
    const recordOf = (key: string): string | undefined => {
      const kept = this.#kept.get(key);
      return kept && writeRecord(kept, clock);
    };
    try {
      await store.write(new Map([...keys].map((key) => [key, recordOf(key)])));
      this.#report(undefined);
      return true;
    } catch (thrown) {
      this.#unsaved = new Set([...keys, ...this.#unsaved, ...this.#kept.keys()]);
      this.#report(thrown);
      return false;
    } finally {
      this.#underway = new Set();
    }
  }

  /** A restart reads all times by the wall clock of then: once it was set, every record tells them by the new one. */
  #followWallClock(): void {
    const wallOffsetMs = this.#options.clock.toWall(0);
    if (wallOffsetMs === this.#wallOffsetMs) return;
    this.#wallOffsetMs = wallOffsetMs;
    for (const key of this.#kept.keys()) this.#unsaved.add(key);
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
