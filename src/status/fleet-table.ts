import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RegionStatus } from '../domain/region-status.js';
import type { InstanceState } from '../domain/instance-state.js';
import { isFresh } from '../domain/task-status.js';
import type { AccountRegion } from '../domain/model.js';
import { FleetRow } from './fleet-row.js';
import { PAGE_STATES } from '../domain/page-state.js';
import type { StatusSnapshot } from './snapshot.js';
import { A_TURN, sortInTurns } from './sort-in-turns.js';

/** Looks at the fleet this close together share one. */
const SHARED_MS = 1_000;

/**
 * The rows of the fleet, kept from one look to the next. A look compares two arrays and touches only what changed;
 * what it must scan lies in typed arrays, by the row's index.
 */
export class FleetTable {
  rows: readonly FleetRow[] = [];
  /** Indices of the rows in the order of names, and the place of each row in it; the latter by instance id too. */
  byName: readonly number[] = [];
  nameRanks = new Uint32Array();
  idRanks = new Uint32Array();
  /** Of each row, the index of its account and region in `places`, of its engine in `engines`, of its state in ROW_STATES. */
  placeOf = new Uint32Array();
  engineOf = new Uint32Array();
  stateOf = new Uint8Array();
  places: readonly AccountRegion[] = [];
  engines: readonly string[] = [];
  /** Goes up with each look. */
  revision = 0;
  /** The first look at this set of rows. */
  firstLook = 0;
  /** Of each row, the look that found it different from the one before. */
  changedAt = new Uint32Array();
  #states: readonly InstanceState[] = [];
  /** Of each row, whether it was fresh at the last look; 2 where that is to be seen. */
  #fresh = new Uint8Array();
  #version: number | undefined;
  #lookedAt = -Infinity;

  /** Not to be called again, nor anything else to be read, before it resolves. Many new rows let other work have its turn. */
  async update({ version, states, regions, now }: StatusSnapshot): Promise<void> {
    if (version === this.#version && Math.abs(now - this.#lookedAt) < SHARED_MS) return;
    this.#version = version;
    this.#lookedAt = now;
    this.revision++;
    if (!this.#takeChanges(states)) await this.#replace(states);
    this.#states = states;
    await this.#age(regions, now);
  }

  /** False when instances came, went or are described otherwise. */
  #takeChanges(states: readonly InstanceState[]): boolean {
    if (states.length !== this.#states.length) return false;
    for (let index = 0; index < states.length; index++) {
      const state = states[index];
      const row = this.rows[index];
      if (state === undefined || row === undefined || state === this.#states[index]) continue;
      if (!row.isOf(state)) return false;
      row.update(state);
      this.#note(index);
    }
    return true;
  }

  #note(index: number): void {
    this.#fresh[index] = 2;
    this.changedAt[index] = this.revision;
  }

  async #replace(states: readonly InstanceState[]): Promise<void> {
    this.firstLook = this.revision;
    this.placeOf = new Uint32Array(states.length);
    this.engineOf = new Uint32Array(states.length);
    this.stateOf = new Uint8Array(states.length);
    this.changedAt = new Uint32Array(states.length);
    this.#fresh = new Uint8Array(states.length);
    const known = new Map(this.rows.map((row) => [row.state.instance, row]));
    const rows: FleetRow[] = [];
    const places = new PlaceSet();
    const engines = new Map<string, number>();
    for (const [index, state] of states.entries()) {
      if (index % A_TURN === A_TURN - 1) await nextTurn();
      const { instance } = state;
      const row = known.get(instance) ?? new FleetRow(state);
      if (row.state !== state) row.update(state);
      rows.push(row);
      this.placeOf[index] = places.indexOf(instance);
      if (!engines.has(instance.engine)) engines.set(instance.engine, engines.size);
      this.engineOf[index] = engines.get(instance.engine) ?? 0;
      this.#note(index);
    }
    this.rows = rows;
    this.places = places.all;
    this.engines = [...engines.keys()];
    await this.#rank();
  }

  async #rank(): Promise<void> {
    const names = this.rows.map(({ text }) => text);
    const ids = this.rows.map(({ state }) => state.instance.instanceId);
    this.byName = await sortInTurns(names.length, comparator(names));
    this.nameRanks = ranksOf(this.byName);
    this.idRanks = ranksOf(await sortInTurns(ids.length, comparator(ids)));
  }

  async #age(views: readonly RegionStatus[], nowMs: number): Promise<void> {
    const limits = this.places.map(({ account, regionId }) =>
      views.find((view) => view.account === account && view.regionId === regionId),
    );
    const staleAfterMs = Float64Array.from(limits, (view) => view?.staleAfterMs ?? 0);
    let aged = 0;
    for (let index = 0; index < this.rows.length; index++) {
      const row = this.rows[index];
      if (row === undefined) continue;
      const fresh = isFresh(row.state, nowMs, staleAfterMs[this.placeOf[index] ?? 0] ?? 0);
      if (this.#fresh[index] === Number(fresh)) continue;
      this.#fresh[index] = Number(fresh);
      this.changedAt[index] = this.revision;
      row.age(fresh);
      this.stateOf[index] = PAGE_STATES.indexOf(row.rowState);
      if (++aged % A_TURN === 0) await nextTurn();
    }
  }
}

/** Accounts and regions in the order in which they are first met. */
class PlaceSet {
  readonly all: AccountRegion[] = [];
  readonly #indices = new Map<string, Map<string, number>>();

  indexOf({ account, regionId }: AccountRegion): number {
    const regions = this.#indices.get(account) ?? new Map<string, number>();
    if (regions.size === 0) this.#indices.set(account, regions);
    let index = regions.get(regionId);
    if (index === undefined) {
      index = this.all.push({ account, regionId }) - 1;
      regions.set(regionId, index);
    }
    return index;
  }
}

/** By text, then by what came first. */
function comparator(texts: readonly string[]): (one: number, other: number) => number {
  return (one, other) => {
    const a = texts[one] ?? '';
    const b = texts[other] ?? '';
    if (a === b) return one - other;
    return a < b ? -1 : 1;
  };
}

function ranksOf(order: readonly number[]) {
  const ranks = new Uint32Array(order.length);
  order.forEach((index, rank) => (ranks[index] = rank));
  return ranks;
}
