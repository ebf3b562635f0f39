import type { FleetTable } from './fleet-table.js';

/** Which rows of a table hold all words of a search, kept from one look to the next: only what changed is read again. */
export class FleetWords {
  readonly #words: readonly string[];
  #holds = new Uint8Array();
  #look = 0;

  constructor(q: string) {
    this.#words = q.toLowerCase().split(/\s+/).filter(Boolean);
  }

  /** Of each row, by its index: 1 where it holds them. */
  holding(table: FleetTable): Uint8Array {
    if (this.#look < table.firstLook) {
      this.#holds = new Uint8Array(table.rows.length);
      this.#look = 0;
    }
    for (let index = 0; index < this.#holds.length; index++) {
      if ((table.changedAt[index] ?? 0) <= this.#look) continue;
      this.#holds[index] = table.rows[index]?.holds(this.#words) ? 1 : 0;
    }
    this.#look = table.revision;
    return this.#holds;
  }
}
