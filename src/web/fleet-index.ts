import { rowOrder } from './fleet-order.js';
import type { Instance } from '../model.js';
import { ageRows, updateRows } from './fleet-rows.js';
import type { FleetRow } from './fleet-rows.js';
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

/**
 * The fleet in order, kept from one request to the next: only changed instances are read again, and since an order is
 * sorted from what it was before, it costs about one comparison a row.
 */
export class FleetIndex {
  #rows: readonly FleetRow[] = [];
  #facets: Facets = { accounts: [], regionIds: [], engines: [] };
  readonly #orders = new Map<string, FleetRow[]>();

  /** Call with each snapshot before `find`. */
  update({ states, places, now }: StatusSnapshot): void {
    const rows = updateRows(this.#rows, states);
    if (rows !== this.#rows) {
      this.#rows = rows;
      this.#orders.clear();
    }
    this.#facets = facetsOf(rows);
    ageRows(rows, places, now);
  }

  get facets(): Facets {
    return this.#facets;
  }

  /** One row, by account, region and instance id joined with slashes. */
  get(path: string): FleetRow | undefined {
    return this.#rows.find(({ state: { instance } }) => isAt(instance, path));
  }

  find(query: StatusQuery, snapshot: StatusSnapshot): Found {
    const counts = { stuck: 0, failed: 0, unknown: 0, running: 0, queued: 0, idle: 0, unsupported: 0 };
    const matches = matcher(query);
    const rows: FleetRow[] = [];
    let total = 0;
    for (const row of this.#ordered(query, snapshot)) {
      if (!matches(row)) continue;
      counts[row.rowState]++;
      if (query.state.length > 0 && !query.state.includes(row.rowState)) continue;
      if (total >= query.offset && rows.length < query.limit) rows.push(row);
      total++;
    }
    return { rows, total, counts };
  }

  #ordered(query: StatusQuery, snapshot: StatusSnapshot): readonly FleetRow[] {
    const key = `${query.sort} ${query.descending}`;
    const order = this.#orders.get(key) ?? [...this.#rows];
    this.#orders.set(key, order);
    if (query.sort === 'next_poll') for (const row of order) row.nextPollAt = snapshot.nextPollAt(row.state.instance);
    // In place, on purpose: the next request sorts from here.
    // oxlint-disable-next-line unicorn/no-array-sort
    return order.sort(rowOrder(query));
  }
}

function isAt({ account, regionId, instanceId }: Instance, path: string): boolean {
  return path.endsWith(instanceId) && path === `${account}/${regionId}/${instanceId}`;
}

function matcher({ q, account, regionId, engine }: StatusQuery): (row: FleetRow) => boolean {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const isIn = (set: readonly string[], value: string): boolean => set.length === 0 || set.includes(value);
  return (row) => {
    const { instance } = row.state;
    return (
      isIn(account, instance.account) &&
      isIn(regionId, instance.regionId) &&
      isIn(engine, instance.engine) &&
      words.every((word) => row.text.includes(word))
    );
  };
}

function facetsOf(rows: readonly FleetRow[]): Facets {
  const accounts = new Set<string>();
  const regionIds = new Set<string>();
  const engines = new Set<string>();
  for (const { state } of rows) {
    accounts.add(state.instance.account);
    regionIds.add(state.instance.regionId);
    if (state.instance.engine !== '') engines.add(state.instance.engine);
  }
  return { accounts: [...accounts].toSorted(), regionIds: [...regionIds].toSorted(), engines: [...engines].toSorted() };
}
