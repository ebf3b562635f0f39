/** The whole exporter for days of simulated time over a simulated cloud, with everything that can go wrong going wrong. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { instanceKey } from '../../dist/domain/model.js';
import { seeded } from '../helpers/random.js';
import { interceptWire } from '../helpers/wire.js';
import { Api } from './api.js';
import { Audit } from './audit.js';
import type { Met } from './audit.js';
import { Cloud, PLACES } from './cloud.js';
import type { TrueInstance } from './cloud.js';
import { Faults } from './faults.js';
import { Life } from './life.js';
import { FIRST_SETTINGS, configOf, excludePattern } from './settings.js';
import type { Settings } from './settings.js';
import { longHistory, replaceStore } from './store.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const EPOCH_MS = Date.parse('2026-01-15T08:30:00Z');
/** Faults and changes cease; then jobs cease to begin; then all that is open is decided. */
const LULL_MS = 3 * HOUR;
const END_MS = 6 * HOUR;
/** At the heap: so often, from half the time on and at its end. */
const LOOK_MS = 3 * HOUR;
const LOOKS = 5;
const AUDITS = 100;
const BARELY_MS = 500;
/** Scrapes that are no further apart share what is told of the fleet. */
const SHARED_MS = 1_000;
const MAX_TOLD = 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export interface SoakOptions {
  readonly days: number;
  readonly instances: number;
  readonly seed: number;
  /** The interval of idle instances; active ones are polled ten times as often. */
  readonly idleMinutes: number;
}

export interface Figures extends SoakOptions {
  readonly calls: number;
  readonly polls: number;
  readonly jobs: Readonly<Record<string, number>>;
  readonly met: Met;
  readonly audits: number;
  readonly restarts: number;
  readonly kills: number;
  readonly reloads: number;
  readonly clockSteps: number;
  readonly changes: number;
  readonly faults: number;
  readonly storeFailures: number;
  /** In use after a forced collection, in bytes: after half the time, when most of what is to be remembered is there, and late. */
  readonly heapEarly: number;
  readonly heapLate: number;
  readonly seconds: number;
  readonly violations: number;
}

interface Happening {
  readonly at: number;
  run(): Promise<void> | void;
}

class Soak {
  readonly options: SoakOptions;
  readonly violations: string[] = [];
  readonly heaps = { early: [] as number[], late: [] as number[] };
  readonly met: Met = { running: 0, pending: 0, stuck: 0, stale: 0, unpolled: 0, failing: 0 };
  readonly counts = { audits: 0, restarts: 0, kills: 0, reloads: 0, clockSteps: 0, changes: 0 };
  readonly cloud: Cloud;
  readonly faults: Faults;
  readonly api: Api;
  readonly records: Map<string, string>;
  readonly endsAt: number;
  readonly #random: () => number;
  settings: Settings;
  #life: Life | undefined;
  #now = 0;
  /** The wall clock beyond the simulation's time, now and when the exporter started. */
  #wallOffsetMs = EPOCH_MS;
  #startOffsetMs = EPOCH_MS;
  #settledSince = 0;
  #auditedAt = -Infinity;

  constructor(options: SoakOptions) {
    const { days, instances, seed, idleMinutes } = options;
    this.settings = { ...FIRST_SETTINGS, idleMinutes };
    this.options = options;
    this.#random = seeded(seed);
    this.endsAt = days * DAY;
    this.cloud = new Cloud(seed + 1, instances);
    this.records = longHistory(this.cloud);
    this.cloud.takenInUntil = (instance) => this.#takenInUntil(instance);
    this.faults = new Faults({ seed: seed + 2, from: HOUR, to: this.endsAt - END_MS - LULL_MS });
    const { cloud, faults } = this;
    const onViolation = (what: string): void => this.wrong(what);
    this.api = new Api({ cloud, faults, seed: seed + 3, now: () => this.now, onViolation });
  }

  get now(): number {
    return this.#life === undefined ? this.#now : this.#life.clock.now() - this.#startOffsetMs;
  }

  wrong(what: string): void {
    this.violations.push(`${(this.now / HOUR).toFixed(3)} h: ${what}`);
  }

  async run(): Promise<void> {
    interceptWire(this.api.onCall);
    replaceStore({ records: this.records, isFailing: () => this.faults.isStoreFailing(this.now) });
    this.cloud.quietFrom = this.endsAt - END_MS;
    await this.#begin();
    for (const happening of this.#plan()) {
      await this.#advanceTo(happening.at);
      await happening.run();
    }
    await this.#advanceTo(this.endsAt);
    await this.#audit(true);
    await this.#life?.stop();
  }

  #plan(): readonly Happening[] {
    const until = this.endsAt - END_MS - LULL_MS;
    const now = (meanMs: number, run: () => Promise<void> | void): Happening[] =>
      Array.from({ length: Math.round(until / meanMs) }, () => ({ at: HOUR + this.#random() * (until - HOUR), run }));
    const looks = [this.endsAt / 2, this.endsAt - LOOKS * LOOK_MS].flatMap((from, index) =>
      Array.from({ length: LOOKS }, (_, n) => ({
        at: from + n * LOOK_MS,
        run: () => this.#lookAtHeap(index === 0 ? this.heaps.early : this.heaps.late),
      })),
    );
    const back = { at: until, run: () => this.#reload({ ...FIRST_SETTINGS, idleMinutes: this.options.idleMinutes }) };
    return [
      ...now(this.endsAt / AUDITS, () => this.#audit(false)),
      ...now(8 * HOUR, () => this.#restart()),
      ...now(5 * HOUR, () => this.#reload(this.#changed())),
      ...now(20 * HOUR, () => this.#stepClock()),
      ...now((20 * DAY) / this.options.instances, () => this.#change()),
      ...looks,
      back,
    ].toSorted((one, other) => one.at - other.at);
  }

  async #advanceTo(at: number): Promise<void> {
    if (this.#life === undefined) this.#now = Math.max(this.#now, at);
    else await this.#life.clock.advance(Math.max(0, at - this.now));
  }

  async #begin(): Promise<void> {
    this.#startOffsetMs = this.#wallOffsetMs;
    const life = await Life.begin({
      config: configOf(this.settings),
      wallMs: this.#now + this.#wallOffsetMs,
      random: this.#random,
      onError: (what) => this.wrong(what),
    });
    this.#life = life;
    this.#settledSince = this.now;
    this.api.serve(life.clock);
    this.api.quota.restart(this.settings.limit);
    life.app.start();
  }

  async #restart(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    this.counts.restarts++;
    const isKill = this.#random() < 0.5;
    if (isKill) await this.#untilCounted();
    await this.#audit(false);
    const unsavedSince = this.faults.unsavedSince(this.now);
    this.cloud.exporterEnds(unsavedSince ?? this.now, this.now);
    if (isKill) {
      this.counts.kills++;
      life.kill();
    } else {
      await life.stop();
    }
    this.#now = this.now;
    this.#life = undefined;
    this.api.serve(undefined);
    await this.#advanceTo(this.now + (this.#random() < 0.5 ? 0 : this.#random() * 40 * MINUTE));
    await this.#begin();
    await this.#advanceTo(this.now + BARELY_MS);
    await this.#audit(false);
  }

  /** A moment at which something was counted that may not be on disk yet. */
  async #untilCounted(): Promise<void> {
    for (let n = 0; n < 2_000 && this.now - this.cloud.decidedAt > BARELY_MS; n++) {
      await this.#advanceTo(this.now + BARELY_MS);
    }
  }

  #reload(settings: Settings): void {
    if (this.#life === undefined) return;
    this.counts.reloads++;
    const before = this.settings;
    this.settings = settings;
    const { limit, without } = this.settings;
    this.#settledSince = this.now;
    this.api.quota.change(limit, this.now);
    this.api.excluded = regExp(excludePattern(this.settings));
    const gone = without === before.without ? undefined : PLACES.find(({ name }) => name === without);
    if (gone !== undefined) {
      this.cloud.setTargets(gone, new Map(), this.now);
      this.api.forget(gone);
    }
    this.#life.app.configure(configOf(this.settings));
  }

  #changed(): Settings {
    const random = this.#random;
    // What is left out comes back soon: after 7 days it would rightly be forgotten.
    const settings =
      random() < 0.5 ? this.settings : { ...this.settings, excludedDigit: undefined, without: undefined };
    switch (Math.floor(random() * 5)) {
      case 0:
        return {
          ...settings,
          limit: { requestsPerSecond: 2 + Math.floor(random() * 6), burst: 1 + Math.floor(random() * 9) },
        };
      case 1:
        return { ...settings, stuckAfterMinutes: 20 + Math.floor(random() * 40) };
      case 2:
        return { ...settings, timeoutSeconds: 5 + Math.floor(random() * 10) };
      case 3:
        return { ...settings, excludedDigit: random() < 0.5 ? undefined : Math.floor(random() * 10) };
      default:
        return {
          ...settings,
          without: random() < 0.5 ? undefined : PLACES[Math.floor(random() * PLACES.length)]?.name,
        };
    }
  }

  async #stepClock(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    this.counts.clockSteps++;
    const stepMs = Math.round((this.#random() - 0.5) * 4 * HOUR);
    this.#wallOffsetMs += stepMs;
    life.clock.wallOffsetMs += stepMs;
    // What is on disk was written by another clock.
    for (const instance of this.cloud.instances.values()) {
      for (const { told } of instance.jobs(this.now, -Infinity)) told.isClockDoubtful = true;
    }
    if (this.#random() < 0.5) await this.#restart();
  }

  #change(): void {
    this.counts.changes++;
    const instance = this.cloud.any();
    const draw = this.#random();
    if (draw < 0.6) {
      instance.description = `new-${instance.id}-${Math.floor(this.#random() * 1e6)}`;
    } else if (draw < 0.8) {
      this.cloud.instances.delete(instance.id);
      this.cloud.create(this.now);
    } else {
      this.cloud.create(this.now);
      this.cloud.instances.delete(this.cloud.any().id);
    }
  }

  async #audit(isEnd: boolean): Promise<void> {
    const life = this.#life;
    if (life === undefined || this.now - this.#auditedAt <= SHARED_MS) return;
    this.#auditedAt = this.now;
    this.counts.audits++;
    const { cloud, api, faults, settings, now } = this;
    const audit = new Audit(await life.scrape(), {
      cloud,
      api,
      faults,
      settings,
      now,
      wallOffsetMs: this.#wallOffsetMs,
      settledSince: this.#settledSince,
      onViolation: (what) => this.wrong(what),
    });
    if (isEnd) audit.runAtEnd();
    else audit.run();
    for (const key of Object.keys(this.met) as (keyof Met)[]) this.met[key] += audit.met[key];
  }

  #lookAtHeap(heaps: number[]): void {
    collectGarbage();
    heaps.push(process.memoryUsage().heapUsed);
  }

  /** The last poll of an instance that the running exporter has taken in, in the simulation's time. */
  #takenInUntil({ place: { account, regionId }, id }: TrueInstance): number {
    const state = this.#life?.app.fleet.get(instanceKey({ account, regionId, instanceId: id }));
    return (state?.lastGoodPollAt ?? -Infinity) - this.#startOffsetMs;
  }
}

function regExp(pattern: string | undefined): RegExp | undefined {
  return pattern === undefined ? undefined : new RegExp(pattern);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

export async function soak(options: SoakOptions): Promise<{ figures: Figures; violations: readonly string[] }> {
  const begun = performance.now();
  const one = new Soak(options);
  process.on('unhandledRejection', (reason) => one.wrong(`unhandled rejection: ${String(reason)}`));
  process.on('warning', (warning) => one.wrong(`warning: ${warning.message}`));
  await one.run();
  const figures = {
    ...options,
    calls: one.api.calls,
    polls: one.api.polls,
    jobs: one.cloud.outcomes,
    met: one.met,
    ...one.counts,
    faults: one.faults.troubles.length,
    storeFailures: one.faults.storeFailures.length,
    heapEarly: median(one.heaps.early),
    heapLate: median(one.heaps.late),
    seconds: Math.round((performance.now() - begun) / 1000),
    violations: one.violations.length,
  };
  return { figures, violations: one.violations };
}

/** Runs it, prints its figures as JSON and the first ways in which the exporter was wrong, and ends with 1 if it was. */
export async function report(options: SoakOptions): Promise<void> {
  const { figures, violations } = await soak(options);
  console.log(JSON.stringify(figures, undefined, 2));
  for (const violation of violations.slice(0, MAX_TOLD)) console.error(violation);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
