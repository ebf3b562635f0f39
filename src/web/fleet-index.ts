import { FleetOrder } from './fleet-order.js';
import type { FleetRow } from './fleet-row.js';
import { FleetTable } from './fleet-table.js';
import type { RowState } from './row-state.js';
import type { StatusSnapshot } from './snapshot.js';
import type { StatusQuery } from './status-query.js';

export interface Found {
  /** The page that was asked for. */
  readonly rows: readonly FleetRow[];
  /** How many match. */
  readonly total: number;
  /** By state, of those that match everything but the state. */
  readonly counts: Readonly<Record<RowState, number>>;
}

/** What the fleet can be narrowed by: every value that occurs, in order. */
export interface Facets {
  readonly accounts: readonly string[];
  readonly regionIds: readonly string[];
  readonly engines: readonly string[];
}

/** Finds rows of the fleet in order. One for everyone who looks. */
export class FleetIndex {
  readonly #table = new FleetTable();
  readonly #orders = new Map<string, FleetOrder>();

  /** Call with each snapshot before anything else. */
  update(snapshot: StatusSnapshot): void {
    this.#table.update(snapshot);
  }

  get facets(): Facets {
    const { places, engines } = this.#table;
    return {
      accounts: [...new Set(places.map(({ account }) => account))].toSorted(),
      regionIds: [...new Set(places.map(({ regionId }) => regionId))].toSorted(),
      engines: engines.filter(Boolean),
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
    const { rows } = this.#table;
    const counts = { stuck: 0, failed: 0, unknown: 0, running: 0, queued: 0, idle: 0, unsupported: 0 };
    const matches = this.#matcher(query);
    const found: FleetRow[] = [];
    let total = 0;
    for (const index of this.#order(query).indices(this.#table, snapshot)) {
      const row = rows[index];
      if (row === undefined || !matches(index, row)) continue;
      counts[row.rowState]++;
      if (query.state.length > 0 && !query.state.includes(row.rowState)) continue;
      if (total >= query.offset && found.length < query.limit) found.push(row);
      total++;
    }
    return { rows: found, total, counts };
  }

  #order({ sort, descending }: StatusQuery): FleetOrder {
    const key = `${sort} ${descending}`;
    const order = this.#orders.get(key) ?? new FleetOrder(sort, descending);
    this.#orders.set(key, order);
    return order;
  }

  /** Whether a row matches everything of a query but the state. */
  #matcher({ q, account, regionId, engine }: StatusQuery): (index: number, row: FleetRow) => boolean {
    if (q === '' && account.length + regionId.length + engine.length === 0) return () => true;
    const { places, placeOf, engines, engineOf } = this.#table;
    const words = q.toLowerCase().split(/\s+/).filter(Boolean);
    const isIn = (set: readonly string[], value: string): boolean => set.length === 0 || set.includes(value);
    const placeMatches = places.map((place) => isIn(account, place.account) && isIn(regionId, place.regionId));
    const engineMatches = engines.map((known) => isIn(engine, known));
    return (index, row) =>
      placeMatches[placeOf[index] ?? 0] === true &&
      engineMatches[engineOf[index] ?? 0] === true &&
      (words.length === 0 || row.holds(words, q));
  }
}
