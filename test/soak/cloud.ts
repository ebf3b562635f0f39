/** The simulated truth: instances that come and go, their backups, and what has been told of them to the exporter. */
import { OUTCOMES } from '../../dist/domain/model.js';
import type { Outcome } from '../../dist/domain/model.js';
import { seeded } from '../helpers/random.js';
import { JobStream, listedState, stateOf } from './jobs.js';
import type { Job, JobMode, JobState } from './jobs.js';

export interface CloudPlace {
  readonly account: string;
  readonly regionId: string;
  /** Each account and region has an origin of its own: DescribeBackupTasks names neither. */
  readonly origin: string;
  readonly name: string;
}

export const PLACES: readonly CloudPlace[] = ['production', 'staging'].flatMap((account, a) =>
  ['cn-hangzhou', 'eu-central-1'].map((regionId, r) => ({
    account,
    regionId,
    origin: `http://127.0.0.1:${4_000 + 10 * a + r}`,
    name: `${account}/${regionId}`,
  })),
);

/** One listing as the exporter got it. */
export interface Listing {
  readonly at: number;
  readonly states: readonly JobState[];
}

export type Tally = Record<JobMode, Record<Outcome, number>>;

const HOUR = 3_600_000;
/** The API knows a job by its id for longer than any trouble lasts. */
const KEPT_MS = 24 * HOUR;
/** What the exporter is told is on disk after this. */
const UNSAVED_MS = 3_000;

export class TrueInstance {
  readonly id: string;
  readonly place: CloudPlace;
  /** A replica has no backup tasks of its own. */
  readonly isReplica: boolean;
  /** Order of creation, by which listings page. */
  readonly order: number;
  description: string;
  onDecided: (outcome: Outcome, at: number) => void = () => undefined;
  /** The last two listings that the running exporter got; emptied when it ceases to watch the instance. */
  listings: Listing[] = [];
  /** When an answer about the instance last was an error, or never came. */
  failedAt = -Infinity;
  lastToldAt = -Infinity;
  watchedSince = Infinity;
  /** The counters that the exporter showed last, by mode and outcome. */
  readonly shown = new Map<string, number>();
  /** Of jobs with a decided outcome: all of them, and those of which the exporter may know nothing. */
  readonly decided = emptyTally();
  readonly doubtful = emptyTally();
  /** Until then the exporter may have forgotten what it was told last. */
  doubtfulUntil = -Infinity;
  readonly #streams: readonly JobStream[];

  constructor(
    { id, place, isReplica, order }: Pick<TrueInstance, 'id' | 'place' | 'isReplica' | 'order'>,
    from: number,
    seed: number,
  ) {
    this.id = id;
    this.place = place;
    this.isReplica = isReplica;
    this.order = order;
    this.description = `db-${id}`;
    this.#streams = [new JobStream('Automated', from, seed), new JobStream('Manual', from, seed ^ 0x5bd1e995)];
  }

  jobs(now: number, quietFrom: number): readonly Job[] {
    return this.#streams.flatMap((stream) => stream.jobs(now, quietFrom));
  }

  listed(now: number, quietFrom: number): readonly JobState[] {
    return this.jobs(now, quietFrom).flatMap((job) => listedState(job, now) ?? []);
  }

  byId(
    id: string,
    now: number,
    quietFrom: number,
  ): { readonly job: Job; readonly state: JobState | undefined } | undefined {
    const job = this.jobs(now, quietFrom).find((candidate) => candidate.id === id);
    return job && { job, state: stateOf(job, now) };
  }

  tellListing(states: readonly JobState[], at: number): void {
    this.lastToldAt = at;
    this.listings = [...this.listings.slice(-1), { at, states }];
    for (const state of states) this.#tell(state, at);
    for (const stream of this.#streams) {
      stream.forget(({ told, listedUntil }) => {
        const isOver = told.firstAt === Infinity ? listedUntil < at : told.decidedAt + KEPT_MS < at;
        return isOver && listedUntil + KEPT_MS < at;
      });
    }
  }

  tellById({ job, state }: { job: Job; state: JobState | undefined }, at: number): void {
    this.lastToldAt = at;
    if (state !== undefined) return this.#tell(state, at);
    job.told.lastAt = at;
    if (++job.told.emptyAnswers === 3) this.#decide(job, 'Unknown', at);
  }

  /** Whatever the exporter was told after `from` it may have forgotten. */
  doubt(from: number, now: number): void {
    if (this.lastToldAt > from) this.doubtfulUntil = now + HOUR;
    for (const { told, mode, fate } of this.jobs(now, -Infinity)) {
      if (told.changedAt > from || told.isClockDoubtful) told.isProgressDoubtful = true;
      const isForgotten = told.firstAt > from || (fate === 'Lost' && told.lastAt > from);
      if (told.firstAt === Infinity || told.isDoubtful || !isForgotten) continue;
      told.isDoubtful = true;
      if (told.outcome !== undefined) this.doubtful[mode][told.outcome]++;
    }
  }

  #tell(state: JobState, at: number): void {
    const { job, status, percent, phase } = state;
    const { told } = job;
    told.firstAt = Math.min(told.firstAt, at);
    told.lastAt = at;
    const words = `${status} ${percent}`;
    if (words !== told.words) {
      told.words = words;
      told.changedAt = at;
      told.isProgressDoubtful = false;
      told.isClockDoubtful = false;
    }
    if (phase === 'ended') this.#decide(job, job.fate === 'Failed' ? 'Failed' : 'Finished', at);
  }

  #decide({ told, mode }: Job, outcome: Outcome, at: number): void {
    if (told.outcome !== undefined) return;
    told.outcome = outcome;
    told.decidedAt = at;
    this.decided[mode][outcome]++;
    this.onDecided(outcome, at);
    if (told.isDoubtful) this.doubtful[mode][outcome]++;
  }
}

function emptyTally(): Tally {
  const none = (): Record<Outcome, number> =>
    Object.fromEntries(OUTCOMES.map((o) => [o, 0])) as Record<Outcome, number>;
  return { Automated: none(), Manual: none() };
}

const REPLICA_SHARE = 0.01;

/** All instances of all accounts and regions. */
export class Cloud {
  readonly instances = new Map<string, TrueInstance>();
  /** Of each place, what discovery has told the exporter to watch: descriptions by instance id. */
  readonly targets = new Map<string, Map<string, string>>();
  /** No job begins after this. */
  quietFrom = Infinity;
  /** Jobs that were decided, as far as the exporter was told. */
  readonly outcomes: Record<string, number> = { Finished: 0, Failed: 0, Unknown: 0 };
  /** When the last one was. */
  decidedAt = -Infinity;
  readonly #random: () => number;
  #created = 0;
  /** The last poll of an instance that the exporter has taken in. */
  takenInUntil: (instance: TrueInstance) => number = () => Infinity;

  constructor(seed: number, size: number) {
    this.#random = seeded(seed);
    for (let n = 0; n < size; n++) this.create(0);
  }

  create(now: number): void {
    const order = ++this.#created;
    const place = PLACES[order % PLACES.length]!;
    const id = `rm-${String(order).padStart(6, '0')}`;
    const isReplica = this.#random() < REPLICA_SHARE;
    const seed = Math.floor(this.#random() * 2 ** 31);
    const instance = new TrueInstance({ id, place, isReplica, order }, now, seed);
    instance.onDecided = (outcome, at) => {
      this.outcomes[outcome]!++;
      this.decidedAt = at;
    };
    this.instances.set(id, instance);
  }

  any(): TrueInstance {
    const index = Math.floor(this.#random() * this.instances.size);
    return [...this.instances.values()][index]!;
  }

  targetOf(instance: TrueInstance): string | undefined {
    return this.targets.get(instance.place.name)?.get(instance.id);
  }

  /** What the exporter watches from now on: what it shows of an instance begins anew when that comes back. */
  setTargets(place: CloudPlace, targets: Map<string, string>, now: number): void {
    const before = this.targets.get(place.name) ?? new Map<string, string>();
    for (const id of before.keys()) if (!targets.has(id)) this.#unwatched(id, now, now);
    for (const id of targets.keys()) {
      const instance = this.instances.get(id);
      if (instance !== undefined && !before.has(id)) instance.watchedSince = now;
    }
    this.targets.set(place.name, targets);
  }

  /** The exporter ends, and may have forgotten what it was told after `savedUntil`. */
  exporterEnds(savedUntil: number, now: number): void {
    for (const targets of this.targets.values()) for (const id of targets.keys()) this.#unwatched(id, savedUntil, now);
    this.targets.clear();
  }

  #unwatched(id: string, savedUntil: number, now: number): void {
    const instance = this.instances.get(id);
    if (instance === undefined) return;
    instance.listings = [];
    instance.doubt(Math.min(savedUntil, now - UNSAVED_MS, this.takenInUntil(instance)), now);
  }
}
