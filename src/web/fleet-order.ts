import type { FleetTable } from './fleet-table.js';
import { sortKeyOf } from './sort-key.js';
import type { StatusSnapshot } from './snapshot.js';
import type { SortKey } from './status-query.js';

/**
 * The rows of a table by one sort key, kept from one look to the next: it is sorted from what it was before, which costs
 * about one comparison a row. Whichever way round, rows without the value come last; ties go by name.
 */
export class FleetOrder {
  readonly #sort: SortKey;
  readonly #turn: 1 | -1;
  /** Of each row, by its index in the table; Infinity where there is no value. */
  #keys = new Float64Array();
  #indices: readonly number[] = [];
  #look = 0;

  constructor(sort: SortKey, descending: boolean) {
    this.#sort = sort;
    this.#turn = descending ? -1 : 1;
  }

  /** Indices of the rows in order. */
  indices(table: FleetTable, snapshot: StatusSnapshot): readonly number[] {
    if (this.#look === table.look) return this.#indices;
    const keyOf = sortKeyOf(this.#sort, table, snapshot);
    const setKey = (index: number): void => {
      this.#keys[index] = this.#turn * (keyOf(index) ?? this.#turn * Infinity);
    };
    if (this.#look < table.firstLook) {
      this.#keys = new Float64Array(table.rows.length);
      this.#indices = Array.from(table.rows.keys());
    }
    const isNext = this.#look === table.look - 1 && this.#look >= table.firstLook && this.#sort !== 'next_poll';
    if (isNext) table.changed.forEach(setKey);
    else for (let index = 0; index < this.#keys.length; index++) setKey(index);
    this.#look = table.look;
    this.#indices = this.#indices.toSorted(comparator(this.#keys, table.nameRanks));
    return this.#indices;
  }
}

function comparator(keys: Float64Array, nameRanks: Uint32Array): (one: number, other: number) => number {
  return (one, other) => {
    const a = keys[one] ?? 0;
    const b = keys[other] ?? 0;
    if (a !== b) return a < b ? -1 : 1;
    return (nameRanks[one] ?? 0) - (nameRanks[other] ?? 0);
  };
}
