/** Something that can be given up. `slot` belongs to the list that it is in. */
export interface Abortable {
  slot: number;
  abort(): void;
}

/**
 * What is in flight, by the signal that can abort it. One listener for each signal, however many wait on it: a listener
 * each costs more than the rest of a request's bookkeeping, and Node warns of a leak from the eleventh on.
 */
export class InFlight<Item extends Abortable = Abortable> {
  readonly #groups = new Map<AbortSignal, Group<Item>>();

  /** Calls `item.abort()` when the signal aborts, unless it is removed before. The signal is not aborted yet. */
  add(signal: AbortSignal, item: Item): void {
    const { items } = this.#groups.get(signal) ?? this.#listen(signal);
    item.slot = items.length;
    items.push(item);
  }

  /** The listener goes with the last item. */
  remove(signal: AbortSignal, item: Item): void {
    const group = this.#groups.get(signal);
    if (group?.items[item.slot] !== item) return;
    // Not a Set: the tables it leaves behind as items come and go keep the garbage of requests alive.
    const last = group.items.pop();
    if (last !== undefined && last !== item) {
      last.slot = item.slot;
      group.items[last.slot] = last;
    }
    if (group.items.length > 0) return;
    this.#groups.delete(signal);
    signal.removeEventListener('abort', group.listener);
  }

  /** At this moment. */
  items(): readonly Item[] {
    return [...this.#groups.values()].flatMap(({ items }) => items);
  }

  abortAll(): void {
    for (const group of this.#groups.values()) group.listener();
  }

  #listen(signal: AbortSignal): Group<Item> {
    const items: Item[] = [];
    const listener = (): void => {
      for (const item of items.slice()) item.abort();
    };
    const group = { items, listener };
    this.#groups.set(signal, group);
    signal.addEventListener('abort', listener);
    return group;
  }
}

interface Group<Item> {
  readonly items: Item[];
  readonly listener: () => void;
}
