import { setImmediate as nextTurn } from 'node:timers/promises';
import { FleetOrder } from './fleet-order.js';
import type { FleetRow } from './fleet-row.js';
import { FleetTable } from './fleet-table.js';
import { FleetWords } from './fleet-words.js';
import { PAGE_STATES } from '../domain/page-state.js';
import type { PageState } from '../domain/page-state.js';
import type { StatusSnapshot } from './snapshot.js';
import type { StatusQuery } from './query.js';

export interface Found {
  /** The page that was asked for. */
  readonly rows: readonly FleetRow[];
  /** How many match. */
  readonly total: number;
  /** By state, of those that match everything but the state. */
  readonly counts: Readonly<Record<PageState, number>>;
}

/** What the fleet can be narrowed by: every value that occurs, in order. */
export interface Facets {
  readonly accounts: readonly string[];
  readonly regionIds: readonly string[];
  readonly engines: readonly string[];
}

/** As many searches are kept for who asks again; the one that is typed leaves many behind. */
const MAX_SEARCHES = 20;

/** The order of who does not ask for another. */
const USUAL = { sort: 'attention', descending: false } as const;

/** Finds rows of the fleet in order. One for everyone who looks. */
export class FleetIndex {
  readonly #table = new FleetTable();
  readonly #orders = new Map<string, FleetOrder>();
  readonly #searches = new Map<string, FleetWords>();

  /** Call with each snapshot and wait before anything else; one at a time. What is long lets other work have its turn. */
  async update(snapshot: StatusSnapshot): Promise<void> {
    await this.#table.update(snapshot);
    if (this.#table.revision === this.#table.firstLook) {
      await nextTurn();
      this.#order(USUAL).indices(this.#table, snapshot);
      await nextTurn();
    }
  }

  get facets(): Facets {
    const { places, engines } = this.#table;
    return {
      accounts: [...new Set(places.map(({ account }) => account))].toSorted(),
      regionIds: [...new Set(places.map(({ regionId }) => regionId))].toSorted(),
      engines: engines.filter(Boolean).toSorted(),
    };
  }

  /** One row, by account, region and instance id joined with slashes. */
  get(path: string): FleetRow | undefined {
    return this.#table.rows.find(({ state: { instance } }) => {
      const { account, regionId, instanceId } = instance;
      return path.endsWith(instanceId) && path === `${account}/${regionId}/${instanceId}`;
    });
  }

  find(query: StatusQuery, snapshot: StatusSnapshot): Found {
    const { rows, stateOf } = this.#table;
    const order = this.#order(query).indices(this.#table, snapshot);
    const matches = this.#matcher(query);
    const wanted = PAGE_STATES.map((state) => isIn(query.state, state));
    const tally = PAGE_STATES.map(() => 0);
    const found: FleetRow[] = [];
    let total = 0;
    for (let position = 0; position < order.length; position++) {
      const index = order[position] ?? 0;
      if (!matches(index)) continue;
      const state = stateOf[index] ?? 0;
      tally[state] = (tally[state] ?? 0) + 1;
      if (wanted[state] !== true) continue;
      const row = rows[index];
      if (row !== undefined && total >= query.offset && found.length < query.limit) found.push(row);
      total++;
    }
    return { rows: found, total, counts: countsOf(tally) };
  }

  #order({ sort, descending }: Pick<StatusQuery, 'sort' | 'descending'>): FleetOrder {
    const key = `${sort} ${descending}`;
    const order = this.#orders.get(key) ?? new FleetOrder(sort, descending);
    this.#orders.set(key, order);
    return order;
  }

  #search(q: string): FleetWords {
    const search = this.#searches.get(q) ?? new FleetWords(q);
    // The one used last comes last: the first is the one to forget.
    this.#searches.delete(q);
    this.#searches.set(q, search);
    for (const oldest of this.#searches.keys()) {
      if (this.#searches.size <= MAX_SEARCHES) break;
      this.#searches.delete(oldest);
    }
    return search;
  }

  /** Whether the row with an index matches everything of a query but the state. */
  #matcher({ q, account, regionId, engine }: StatusQuery): (index: number) => boolean {
    if (q === '' && account.length + regionId.length + engine.length === 0) return () => true;
    const { places, placeOf, engines, engineOf } = this.#table;
    const holds = q === '' ? undefined : this.#search(q).holding(this.#table);
    const placeMatches = places.map((place) => isIn(account, place.account) && isIn(regionId, place.regionId));
    const engineMatches = engines.map((known) => isIn(engine, known));
    return (index) =>
      placeMatches[placeOf[index] ?? 0] === true &&
      engineMatches[engineOf[index] ?? 0] === true &&
      (holds === undefined || holds[index] === 1);
  }
}

/** An empty set narrows nothing. */
function isIn(set: readonly string[], value: string): boolean {
  return set.length === 0 || set.includes(value);
}

/** @param tally in the order of ROW_STATES */
function countsOf(tally: readonly number[]): Record<PageState, number> {
  const counts = { stuck: 0, failed: 0, unknown: 0, running: 0, queued: 0, idle: 0, unsupported: 0 };
  for (const [index, state] of PAGE_STATES.entries()) counts[state] = tally[index] ?? 0;
  return counts;
}
