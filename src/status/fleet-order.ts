import type { FleetTable } from './fleet-table.js';
import { DESCRIPTIONS, sortKeyOf } from './sort-key.js';
import type { StatusSnapshot } from './snapshot.js';
import type { SortKey } from './query.js';

/** Beyond this part of the rows it is less work to order all of them. */
const MANY = 1 / 8;

/**
 * The rows of a table by one sort key, kept from one look to the next: only rows whose key moved are put elsewhere.
 * Whichever way round, rows without the value come last; ties go by name.
 */
export class FleetOrder {
  readonly #sort: SortKey;
  readonly #turn: 1 | -1;
  /** Of each row, by its index in the table; Infinity where there is no value. */
  #keys = new Float64Array();
  #indices = new Uint32Array();
  #look = 0;

  constructor(sort: SortKey, descending: boolean) {
    this.#sort = sort;
    this.#turn = descending ? -1 : 1;
  }

  /** Indices of the rows in order. */
  indices(table: FleetTable, snapshot: StatusSnapshot): Uint32Array {
    if (this.#look === table.revision) return this.#indices;
    const isKnown = this.#look >= table.firstLook;
    const since = isKnown ? this.#look : 0;
    this.#look = table.revision;
    if (isKnown && DESCRIPTIONS.includes(this.#sort)) return this.#indices;
    if (!isKnown) {
      this.#keys = new Float64Array(table.rows.length).fill(NaN);
      this.#indices = new Uint32Array();
    }
    const moved = this.#moved(table, { snapshot, since: this.#sort === 'next_poll' ? 0 : since });
    if (moved.length > table.rows.length * MANY) this.#indices = ordered(this.#keys, table.byName);
    else if (moved.length > 0) this.#indices = this.#putElsewhere(moved, table.nameRanks);
    return this.#indices;
  }

  /** Rows with another key than before. */
  #moved(table: FleetTable, { snapshot, since }: { snapshot: StatusSnapshot; since: number }): number[] {
    const keyOf = sortKeyOf(this.#sort, table, snapshot);
    const moved: number[] = [];
    for (let index = 0; index < this.#keys.length; index++) {
      if ((table.changedAt[index] ?? 0) <= since) continue;
      const key = this.#turn * (keyOf(index) ?? this.#turn * Infinity);
      if (key === this.#keys[index]) continue;
      this.#keys[index] = key;
      moved.push(index);
    }
    return moved;
  }

  #putElsewhere(moved: readonly number[], nameRanks: Uint32Array) {
    const isBefore = (one: number, other: number): boolean => {
      const a = this.#keys[one] ?? 0;
      const b = this.#keys[other] ?? 0;
      return a === b ? (nameRanks[one] ?? 0) < (nameRanks[other] ?? 0) : a < b;
    };
    const waiting = moved.toSorted((one, other) => (isBefore(one, other) ? -1 : 1));
    const isMoved = new Uint8Array(this.#indices.length);
    for (const index of moved) isMoved[index] = 1;
    const merged = new Uint32Array(this.#indices.length);
    let filled = 0;
    let taken = 0;
    for (const index of this.#indices) {
      if (isMoved[index] === 1) continue;
      for (let next = waiting[taken]; next !== undefined && isBefore(next, index); next = waiting[++taken]) {
        merged[filled++] = next;
      }
      merged[filled++] = index;
    }
    merged.set(waiting.slice(taken), filled);
    return merged;
  }
}

/** By key, without calling a comparator: numbers sort natively, then each row takes the next free place of its key. */
function ordered(keys: Float64Array, byName: readonly number[]) {
  const sorted = keys.toSorted();
  const taken = new Uint32Array(keys.length);
  const indices = new Uint32Array(keys.length);
  for (const index of byName) {
    const first = firstOf(sorted, keys[index] ?? 0);
    indices[first + (taken[first] ?? 0)] = index;
    taken[first] = (taken[first] ?? 0) + 1;
  }
  return indices;
}

/** Where the first of a value stands among sorted ones. */
function firstOf(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
