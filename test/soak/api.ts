/** The API in front of the simulated cloud: answers calls, takes note of what was told, and watches the quota. */
import type { FakeClock } from '../helpers/fake-clock.js';
import { seeded } from '../helpers/random.js';
import type { WireAnswer, WireCall } from '../helpers/wire.js';
import { PLACES } from './cloud.js';
import type { Cloud, CloudPlace, TrueInstance } from './cloud.js';
import type { Faults } from './faults.js';
import { wireJob } from './jobs.js';
import { QuotaWatch } from './quota-watch.js';

const PAGE_SIZE = 100;

export interface ApiOptions {
  readonly cloud: Cloud;
  readonly faults: Faults;
  readonly seed: number;
  /** The simulation's time. */
  readonly now: () => number;
  /** Told of what must never happen. */
  readonly onViolation: (what: string) => void;
}

/** What the exporter that runs now has sent, by place and action. */
export interface Sent {
  count: number;
  inFlight: number;
  givenUp: number;
}

interface Flight {
  readonly sent: Sent;
  readonly hasEnded: boolean;
  end(): void;
}

export class Api {
  readonly quota: QuotaWatch;
  polls = 0;
  calls = 0;
  /** Ids that are excluded now, as the configuration has it. */
  excluded: RegExp | undefined;
  sent = new Map<string, Sent>();
  #clock: FakeClock | undefined;
  readonly #options: ApiOptions;
  readonly #random: () => number;
  readonly #pages = new Map<string, Map<string, string>>();
  #asked = new Set<TrueInstance>();

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
    this.quota = new QuotaWatch(options.onViolation);
  }

  /** An exporter starts, on this clock; without one it has ended, and whatever it had asked for is never answered. */
  serve(clock: FakeClock | undefined): void {
    this.#clock = clock;
    this.sent = new Map();
    this.#asked = new Set();
  }

  /** A place is no longer configured. */
  forget({ name }: CloudPlace): void {
    const isGone = (key: string): boolean => key.startsWith(`${name} `);
    this.quota.forget(isGone);
    for (const key of this.sent.keys()) if (isGone(key)) this.sent.delete(key);
  }

  readonly onCall = (call: WireCall): void => {
    const { onViolation, faults, now } = this.#options;
    const { origin, action, parameters } = call.request;
    const place = PLACES.find((one) => one.origin === origin);
    const clock = this.#clock;
    if (place === undefined || clock === undefined) return onViolation(`${action} to ${origin} while no exporter runs`);
    this.calls++;
    this.quota.sent(`${place.name} ${action}`, now());
    const instanceId = parameters.get('DBInstanceId') ?? undefined;
    const instance = instanceId === undefined ? undefined : this.#options.cloud.instances.get(instanceId);
    const flight = this.#begin(place, action, instance);
    call.onGivenUp = () => {
      flight.end();
      flight.sent.givenUp++;
      if (instance !== undefined) instance.failedAt = now();
    };
    const strike = faults.strike(place, instanceId, now());
    const delayMs = 20 + 60 * this.#random() + (strike === 'slow' ? 20_000 * this.#random() : 0);
    clock.after(delayMs, () => {
      if (this.#clock !== clock || flight.hasEnded || strike === 'silent') return;
      flight.end();
      if (strike === undefined || strike === 'slow') return this.#answer(call, place, instanceId);
      if (instance !== undefined) instance.failedAt = now();
      call.answer(faults.answer(strike));
    });
  };

  #begin(place: CloudPlace, action: string, instance: TrueInstance | undefined): Flight {
    const key = `${place.name} ${action}`;
    const sent = this.sent.get(key) ?? { count: 0, inFlight: 0, givenUp: 0 };
    this.sent.set(key, sent);
    sent.count++;
    sent.inFlight++;
    if (instance !== undefined && this.#asked.has(instance)) {
      this.#options.onViolation(`${instance.id} is polled twice at once`);
    }
    if (instance !== undefined) this.#asked.add(instance);
    const flight = {
      sent,
      hasEnded: false,
      end: () => {
        flight.hasEnded = true;
        sent.inFlight--;
        if (instance !== undefined) this.#asked.delete(instance);
      },
    };
    return flight;
  }

  /** What is told is noted first: answering runs the exporter. */
  #answer(call: WireCall, place: CloudPlace, instanceId: string | undefined): void {
    const { cloud } = this.#options;
    const { parameters } = call.request;
    if (instanceId === undefined) return this.#list(call, place, Number(parameters.get('NextToken') ?? 0));
    const instance = cloud.instances.get(instanceId);
    if (instance === undefined) {
      cloud.targets.get(place.name)?.delete(instanceId);
      return call.answer(json({ Code: 'InvalidDBInstanceName.NotFound', Message: 'gone' }, 404));
    }
    const jobId = parameters.get('BackupJobId');
    if (jobId === null) this.#tellListing(call, instance);
    else this.#tellById(call, instance, jobId);
  }

  #tellListing(call: WireCall, instance: TrueInstance): void {
    const { cloud, now } = this.#options;
    const states = instance.listed(now(), cloud.quietFrom);
    this.polls++;
    if (cloud.targetOf(instance) !== undefined) instance.tellListing(states, now());
    call.answer(json({ Items: { BackupJob: states.map((state) => wireJob(state, this.#random() < 0.5)) } }));
  }

  #tellById(call: WireCall, instance: TrueInstance, jobId: string): void {
    const { cloud, now } = this.#options;
    const found = instance.byId(jobId, now(), cloud.quietFrom);
    if (found !== undefined && cloud.targetOf(instance) !== undefined) instance.tellById(found, now());
    const state = found?.state;
    if (state === undefined && this.#random() < 0.3) {
      call.answer(json({ Code: 'InvalidParameters.Format', Message: 'no such job' }, 400));
      return;
    }
    const jobs = state === undefined ? [] : [wireJob(state, this.#random() < 0.5, `9${jobId}`)];
    call.answer(json({ Items: { BackupJob: jobs } }));
  }

  /** A page of the instances of a place, oldest first; a token is the order of the last one told. */
  #list(call: WireCall, place: CloudPlace, after: number): void {
    const { cloud, now } = this.#options;
    const rest = [...cloud.instances.values()].filter((one) => one.place === place && one.order > after);
    const page = rest.slice(0, PAGE_SIZE);
    const isLast = page.length === rest.length;
    const answer = json({
      ...(isLast ? {} : { NextToken: String(page.at(-1)?.order) }),
      TotalRecordCount: page.length,
      Items: { DBInstance: page.map(wireInstance) },
    });
    const told = after === 0 ? new Map<string, string>() : (this.#pages.get(place.name) ?? new Map<string, string>());
    for (const { id, description, isReplica } of page) {
      if (!isReplica && this.excluded?.test(id) !== true) told.set(id, description);
    }
    this.#pages.set(place.name, told);
    if (isLast) cloud.setTargets(place, new Map(told), now());
    call.answer(answer);
  }
}

function wireInstance({ id, description, isReplica }: TrueInstance): object {
  return {
    DBInstanceId: id,
    DBInstanceDescription: description,
    Engine: 'MySQL',
    EngineVersion: '8.0',
    DBInstanceType: isReplica ? 'Readonly' : 'Primary',
    DBInstanceStatus: 'Running',
  };
}

function json(body: object, status = 200): WireAnswer {
  return { status, body: JSON.stringify({ RequestId: 'R-1', ...body }) };
}
