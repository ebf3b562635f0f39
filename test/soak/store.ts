/** The state's store in memory: as crash-safe as the real one, on the simulation's clock, and failing when told to. */
import type { Clock } from '../../dist/clock.js';
import { newInstanceState } from '../../dist/domain/apply-poll.js';
import { writeRecord } from '../../dist/state/record.js';
import type { Completion } from '../../dist/domain/instance-state.js';
import { StateStore } from '../../dist/state/store.js';
import { OUTCOMES, instanceKey } from '../../dist/domain/model.js';
import { instanceOf } from '../helpers/build.js';
import { FakeClock } from '../helpers/fake-clock.js';
import type { Cloud } from './cloud.js';

const WRITE_MS = 4;

export interface Disk {
  readonly records: Map<string, string>;
  readonly isFailing: () => boolean;
}

/** From now on every store that is opened keeps its records on this disk. */
export function replaceStore(disk: Disk): void {
  StateStore.open = ({ clock }) => Promise.resolve(new MemoryStore(disk, clock) as unknown as StateStore);
}

/** As many as are remembered of an instance. */
const COUNTED_JOBS = 32;
const LONG_AGO_MS = Date.parse('2026-01-01T00:00:00Z');

/**
 * Records that hold all that is ever remembered of an instance, its counters still at 0: whatever memory grows from here on
 * is leaked.
 */
export function longHistory({ instances }: Cloud): Map<string, string> {
  const clock = new FakeClock(LONG_AGO_MS);
  const last = Object.fromEntries(
    OUTCOMES.map((outcome): [string, Completion] => [
      outcome,
      { outcome, at: LONG_AGO_MS, durationMs: 1_234_567, backupJobId: '123456789', backupId: '9123456789' },
    ]),
  );
  const outcomes = { counts: { Finished: 0, Failed: 0, Unknown: 0 }, last };
  return new Map(
    [...instances.values()].map(({ id, place: { account, regionId } }) => {
      const instance = instanceOf(id, { account, regionId });
      const countedJobs = Array.from({ length: COUNTED_JOBS }, (_, n) => String(2_000_000_000 + n));
      const state = {
        ...newInstanceState(instance, LONG_AGO_MS),
        outcomes: { Automated: outcomes, Manual: outcomes },
        countedJobs,
      };
      return [instanceKey(instance), writeRecord({ state, goneAt: null }, clock)];
    }),
  );
}

class MemoryStore implements Pick<StateStore, 'readAll' | 'write' | 'close'> {
  readonly #disk: Disk;
  readonly #clock: Clock;

  constructor(disk: Disk, clock: Clock) {
    this.#disk = disk;
    this.#clock = clock;
  }

  readAll(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map(this.#disk.records));
  }

  /** All or nothing, after a while; nothing at all when the clock has stopped by then. */
  async write(changes: ReadonlyMap<string, string | undefined>): Promise<void> {
    const { records, isFailing } = this.#disk;
    await new Promise<void>((resolve) => this.#clock.after(WRITE_MS, resolve));
    if (isFailing()) throw new Error('ENOSPC: no space left on device');
    for (const [key, text] of changes) {
      if (text === undefined) records.delete(key);
      else records.set(key, text);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
