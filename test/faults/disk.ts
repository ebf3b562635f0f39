import { StateStore } from '../../dist/state/store.js';
import { settle } from '../helpers/fake-clock.js';

/** The writes of states in this process, so that a test's clock can stand still while one is under way. */
export class Disk {
  readonly #underway = new Set<Promise<void>>();
  readonly #write = Object.getOwnPropertyDescriptor(StateStore.prototype, 'write')!;

  constructor() {
    const write = this.#write.value as StateStore['write'];
    const underway = this.#underway;
    StateStore.prototype.write = async function (this: StateStore, changes) {
      const writing = write.call(this, changes);
      underway.add(writing);
      try {
        await writing;
      } finally {
        underway.delete(writing);
      }
    };
  }

  /** Resolves when nothing is written, nor by those that waited for a write. */
  async atRest(): Promise<void> {
    while (this.#underway.size > 0) {
      await Promise.allSettled(this.#underway);
      await settle();
    }
  }

  /** Writes are no longer watched. */
  release(): void {
    Object.defineProperty(StateStore.prototype, 'write', this.#write);
  }
}
