import type { PlaceView } from '../fleet/place-view.js';
import type { InstanceState } from '../fleet/state.js';
import { placeKey } from '../model.js';
import { FleetRow } from './fleet-row.js';
import type { StatusSnapshot } from './snapshot.js';

/** Looks at the fleet this close together share one. */
const SHARED_MS = 1_000;

/**
 * The rows of the fleet, kept from one look to the next. A look compares two arrays and touches only what changed;
 * what it must scan lies in typed arrays, by the row's index.
 */
export class FleetTable {
  rows: readonly FleetRow[] = [];
  /** Of each row, its place in the order of names. */
  nameRanks = new Uint32Array();
  /** Of each row, the index of its account and region in `places`, and of its engine in `engines`. */
  placeOf = new Uint32Array();
  engineOf = new Uint32Array();
  places: readonly { readonly key: string; readonly account: string; readonly regionId: string }[] = [];
  engines: readonly string[] = [];
  /** Goes up with each look. */
  look = 0;
  /** The first look at this set of rows. */
  firstLook = 0;
  /** Indices of the rows that differ from the look before. */
  changed: number[] = [];
  #byName: readonly FleetRow[] = [];
  #states: readonly InstanceState[] = [];
  /** Of each row, when it was last polled with success; -Infinity for never. */
  #goodAt = new Float64Array();
  /** Of each row, whether it was fresh at the last look. */
  #fresh = new Uint8Array();
  #version: number | undefined;
  #lookedAt = -Infinity;

  update({ version, states, places, now }: StatusSnapshot): void {
    if (version === this.#version && Math.abs(now - this.#lookedAt) < SHARED_MS) return;
    this.#version = version;
    this.#lookedAt = now;
    this.look++;
    this.changed = [];
    if (!this.#takeChanges(states)) this.#replace(states);
    this.#states = states;
    this.#age(places, now);
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
      this.#note(index, state);
    }
    return true;
  }

  #note(index: number, state: InstanceState): void {
    this.#goodAt[index] = state.lastGoodPollAt ?? -Infinity;
    // Neither fresh nor not: to be aged.
    this.#fresh[index] = 2;
    this.changed.push(index);
  }

  #replace(states: readonly InstanceState[]): void {
    this.firstLook = this.look;
    this.rows = takeOver(this.rows, states);
    this.#goodAt = new Float64Array(states.length);
    this.#fresh = new Uint8Array(states.length);
    this.changed = [];
    for (const [index, state] of states.entries()) this.#note(index, state);
    this.#rankNames();
    this.#replaceFacets();
  }

  /** Those that were there before are in order already. */
  #rankNames(): void {
    const rest = new Set(this.rows);
    const known = this.#byName.filter((row) => rest.delete(row));
    this.#byName = [...known, ...rest].toSorted((one, other) => (one.nameKey < other.nameKey ? -1 : 1));
    for (const [rank, row] of this.#byName.entries()) row.nameRank = rank;
    this.nameRanks = Uint32Array.from(this.rows, (row) => row.nameRank);
  }

  #replaceFacets(): void {
    const places = new Map<string, FleetTable['places'][number]>();
    const placeKeys = this.rows.map(({ state: { instance } }) => placeKey(instance));
    for (const [index, { state }] of this.rows.entries()) {
      const key = placeKeys[index] ?? '';
      const { account, regionId } = state.instance;
      if (!places.has(key)) places.set(key, { key, account, regionId });
    }
    this.places = [...places.values()];
    const placeIndex = new Map([...places.keys()].map((key, index) => [key, index]));
    this.placeOf = Uint32Array.from(placeKeys, (key) => placeIndex.get(key) ?? 0);
    this.engines = [...new Set(this.rows.map(({ state }) => state.instance.engine))].toSorted();
    const engineIndex = new Map(this.engines.map((engine, index) => [engine, index]));
    this.engineOf = Uint32Array.from(this.rows, ({ state }) => engineIndex.get(state.instance.engine) ?? 0);
  }

  #age(views: readonly PlaceView[], nowMs: number): void {
    const limits = new Map(views.map((view) => [placeKey(view), view.staleAfterMs]));
    const staleAfterMs = Float64Array.from(this.places, ({ key }) => limits.get(key) ?? 0);
    for (let index = 0; index < this.#goodAt.length; index++) {
      const limitMs = staleAfterMs[this.placeOf[index] ?? 0] ?? 0;
      const isFresh = nowMs - (this.#goodAt[index] ?? -Infinity) < limitMs ? 1 : 0;
      const before = this.#fresh[index];
      if (before === isFresh) continue;
      this.#fresh[index] = isFresh;
      const differs = this.rows[index]?.age(nowMs, limitMs);
      if (differs && before !== 2) this.changed.push(index);
    }
  }
}

/** The rows for the new states; the row of an instance object that is still there is kept. */
function takeOver(rows: readonly FleetRow[], states: readonly InstanceState[]): FleetRow[] {
  const known = new Map(rows.map((row) => [row.state.instance, row]));
  return states.map((state) => {
    const row = known.get(state.instance);
    if (row === undefined) return new FleetRow(state);
    if (row.state !== state) row.update(state);
    return row;
  });
}
