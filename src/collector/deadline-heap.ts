/** Something that waits for its due time. It sits in at most one heap at a time and is its own place in it. */
export interface HeapEntry {
  /** Milliseconds of the steady timeline. */
  dueAt: number;
  /** Breaks ties: first come, first served. Set by the heap. */
  order: number;
  /** Its index in the heap; -1 outside. Kept by the heap. */
  position: number;
}

/** A binary heap by due time that allocates nothing per entry and can take any entry out. */
export class DeadlineHeap<T extends HeapEntry> {
  readonly #entries: T[] = [];
  #nextOrder = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** The due time of the first entry; Infinity when there is none. */
  get earliestDueAt(): number {
    return this.#entries[0]?.dueAt ?? Infinity;
  }

  peek(): T | undefined {
    return this.#entries[0];
  }

  /** Any entry, by its place; undefined outside. */
  at(index: number): T | undefined {
    return this.#entries[index];
  }

  push(entry: T): void {
    entry.order = this.#nextOrder++;
    this.#place(entry, this.#entries.length);
    this.#rise(entry);
  }

  pop(): T | undefined {
    const first = this.#entries[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes an entry out, wherever it is; nothing happens if it is not in this heap. */
  remove(entry: T): void {
    const { position } = entry;
    if (this.#entries[position] !== entry) return;
    entry.position = -1;
    const last = this.#entries.pop();
    if (last === undefined || last === entry) return;
    this.#place(last, position);
    this.#rise(last);
    this.#sink(last);
  }

  *[Symbol.iterator](): Iterator<T> {
    yield* this.#entries;
  }

  #place(entry: T, position: number): void {
    this.#entries[position] = entry;
    entry.position = position;
  }

  /** Up from its place: what it passes moves down, and it is written where it comes to rest. */
  #rise(entry: T): void {
    let { position } = entry;
    while (position > 0) {
      const parent = this.#entries[(position - 1) >> 1];
      if (parent === undefined || !isBefore(entry, parent)) break;
      const above = parent.position;
      this.#place(parent, position);
      position = above;
    }
    this.#place(entry, position);
  }

  #sink(entry: T): void {
    let { position } = entry;
    for (;;) {
      const left = this.#entries[2 * position + 1];
      const right = this.#entries[2 * position + 2];
      const child = left !== undefined && right !== undefined && isBefore(right, left) ? right : left;
      if (child === undefined || !isBefore(child, entry)) break;
      const below = child.position;
      this.#place(child, position);
      position = below;
    }
    this.#place(entry, position);
  }
}

function isBefore(one: HeapEntry, other: HeapEntry): boolean {
  return one.dueAt === other.dueAt ? one.order < other.order : one.dueAt < other.dueAt;
}
