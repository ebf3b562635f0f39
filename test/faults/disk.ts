import { Store } from '../../dist/state/store.js';
import { settle } from '../helpers/fake-clock.js';

/** The writes of states in this process, so that a test's clock can stand still while one is under way. */
export class Disk {
  readonly #underway = new Set<Promise<void>>();
  readonly #write = Object.getOwnPropertyDescriptor(Store.prototype, 'write')!;

  constructor() {
    const write = this.#write.value as Store['write'];
    const underway = this.#underway;
    Store.prototype.write = async function (this: Store, changes) {
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
    Object.defineProperty(Store.prototype, 'write', this.#write);
  }
}
