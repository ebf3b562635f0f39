import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import collectGc from 'prom-client/lib/metrics/gc.js';
import collectHeap from 'prom-client/lib/metrics/heapSizeAndUsed.js';
import collectHeapSpaces from 'prom-client/lib/metrics/heapSpacesSizeAndUsed.js';
import collectMemory from 'prom-client/lib/metrics/osMemoryHeap.js';
import collectMaxFds from 'prom-client/lib/metrics/processMaxFileDescriptors.js';
import collectOpenFds from 'prom-client/lib/metrics/processOpenFileDescriptors.js';
import collectStartTime from 'prom-client/lib/metrics/processStartTime.js';
import collectVersion from 'prom-client/lib/metrics/version.js';
import Registry from 'prom-client/lib/registry.js';
import type { Clock } from '../clock.js';
import type { TaskField } from '../domain/model.js';
import { TASK_FIELDS } from '../domain/model.js';
import type { EventLoopLag } from './event-loop.js';
import { watchEventLoop } from './event-loop.js';
import type { FamilyHead } from './family.js';
import { EXPORTER_FAMILIES } from './exporter-families.js';
import { RequestMetrics } from './requests.js';
import type { PromClientFamily } from './prom-client-family.js';

export interface ExporterMetricsOptions {
  readonly version: string;
  readonly revision: string;
  readonly nodeVersion: string;
  readonly shard: { readonly index: number; readonly count: number };
  /** Whether state is kept. */
  readonly state: boolean;
  /** Whether `process_*` and `nodejs_*` are told too. */
  readonly processFamilies: boolean;
  readonly clock: Clock;
}

const PROCESS_SHARED_MS = 1_000;

/** What the program counts about itself. Everything about the fleet is read off its states instead. */
export class ExporterMetrics {
  readonly requests = new RequestMetrics();
  readonly #clock: Clock;
  readonly #registry = new Registry();
  readonly #process = new Registry();
  #processFamilies: Promise<readonly PromClientFamily[]> | undefined;
  readonly #unexpectedValues = this.#counter(EXPORTER_FAMILIES.unexpectedValues);
  readonly #internalErrors = this.#counter(EXPORTER_FAMILIES.internalErrors);
  readonly #reloadSuccessful = this.#gauge(EXPORTER_FAMILIES.reloadSuccessful);
  readonly #reloadTimestamp = this.#gauge(EXPORTER_FAMILIES.reloadTimestamp);
  readonly #saveSuccessful: Gauge | undefined;

  /** The configuration counts as loaded, and the state, if there is one, as saved: the program would not have started. */
  constructor({ version, revision, nodeVersion, shard, state, processFamilies, clock }: ExporterMetricsOptions) {
    this.#clock = clock;
    this.#gauge(EXPORTER_FAMILIES.buildInfo).set({ version, revision, nodeversion: nodeVersion }, 1);
    this.#gauge(EXPORTER_FAMILIES.shardIndex).set(shard.index);
    this.#gauge(EXPORTER_FAMILIES.shards).set(shard.count);
    this.#saveSuccessful = state ? this.#gauge(EXPORTER_FAMILIES.saveSuccessful) : undefined;
    this.stateSaved(true);
    this.configReloaded(true);
    for (const field of TASK_FIELDS) this.#unexpectedValues.inc({ field }, 0);
    if (processFamilies) collectProcess(this.#process, clock);
  }

  unexpectedValue(field: TaskField): void {
    this.#unexpectedValues.inc({ field });
  }

  internalError(): void {
    this.#internalErrors.inc();
  }

  /** The configuration was loaded anew, or was refused and the old one kept. */
  configReloaded(ok: boolean): void {
    this.#reloadSuccessful.set(Number(ok));
    if (ok) this.#reloadTimestamp.set(Math.round(this.#clock.toWall(this.#clock.now())) / 1000);
  }

  stateSaved(ok: boolean): void {
    this.#saveSuccessful?.set(Number(ok));
  }

  /** Tells of a web configuration from now on; `isInForce` is asked at each scrape. */
  watchWebConfig(isInForce: () => boolean): void {
    const gauge: Gauge = this.#gauge(EXPORTER_FAMILIES.webConfigSuccessful, () => gauge.set(Number(isInForce())));
  }

  /** Every family, also those without a sample. */
  async families(): Promise<readonly PromClientFamily[]> {
    return [...this.requests.families(), ...(await familiesOf(this.#registry)), ...(await this.#ofProcess())];
  }

  /** Asking the operating system costs more than all the rest: the answer is shared for a second. */
  #ofProcess(): Promise<readonly PromClientFamily[]> {
    if (this.#processFamilies === undefined) {
      this.#processFamilies = familiesOf(this.#process);
      this.#clock.after(PROCESS_SHARED_MS, () => (this.#processFamilies = undefined));
    }
    return this.#processFamilies;
  }

  #counter(head: FamilyHead): Counter {
    return new Counter({ ...headOf(head), registers: [this.#registry] });
  }

  #gauge(head: FamilyHead, collect?: () => void): Gauge {
    return new Gauge({ ...headOf(head), ...(collect && { collect }), registers: [this.#registry] });
  }
}

async function familiesOf(registry: Registry): Promise<readonly PromClientFamily[]> {
  const families = await registry.getMetricsAsJSON();
  // A word, although its type says a number.
  return families.map((family) => Object.assign(family, { type: String(family.type) }));
}

function headOf({ name, help, labels }: FamilyHead): { name: string; help: string; labelNames: string[] } {
  return { name, help, labelNames: [...labels] };
}

/**
 * The usual families of a Node.js process. Left out of prom-client's set: those that `promtool check metrics` objects to,
 * and the event loop's lag as it measures it, which takes the scrape's own work for lag.
 */
function collectProcess(registry: Registry, clock: Clock): void {
  for (const collect of [
    collectStartTime,
    collectMemory,
    collectOpenFds,
    collectMaxFds,
    collectHeap,
    collectHeapSpaces,
    collectVersion,
    collectGc,
  ]) {
    collect(registry);
  }
  collectCpu(registry);
  collectEventLoop(registry, clock);
}

function collectCpu(registry: Registry): void {
  const counter = (name: string, help: string, collect: () => void): Counter =>
    new Counter({ name, help, collect, registers: [registry] });
  const user = counter('process_cpu_user_seconds_total', 'Total user CPU time spent in seconds.', () => {
    const usage = process.cpuUsage();
    for (const [family, micros] of [
      [user, usage.user],
      [system, usage.system],
      [total, usage.user + usage.system],
    ] as const) {
      family.reset();
      family.inc(micros / 1e6);
    }
  });
  const system = counter(
    'process_cpu_system_seconds_total',
    'Total system CPU time spent in seconds.',
    () => undefined,
  );
  const total = counter(
    'process_cpu_seconds_total',
    'Total user and system CPU time spent in seconds.',
    () => undefined,
  );
}

function collectEventLoop(registry: Registry, clock: Clock): void {
  const lag = watchEventLoop(clock);
  const gauge = (part: keyof EventLoopLag, help: string): Gauge =>
    new Gauge({
      name: `nodejs_eventloop_lag_${part}_seconds`,
      help,
      collect() {
        this.set(lag()[part]);
      },
      registers: [registry],
    });
  gauge('mean', 'The mean lag of the event loop in the last whole window of 10 seconds.');
  gauge('max', 'The greatest lag of the event loop in the last whole window of 10 seconds.');
  gauge('p50', 'The median lag of the event loop in the last whole window of 10 seconds.');
  gauge('p99', 'The 99th percentile of the lag of the event loop in the last whole window of 10 seconds.');
}
