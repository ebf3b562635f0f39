import type { LookupFunction } from 'node:net';
import { createCredentialsProvider } from '../rds/credentials/credentials-provider.js';
import type { CredentialsProvider } from '../rds/credentials/credentials.js';
import type { Clock } from '../clock.js';
import type { AccountConfig, Config } from '../config/config.js';
import type { FleetOptions } from '../state/fleet.js';
import { Fleet } from '../state/fleet.js';
import { StateWriter } from '../state/writer.js';
import type { RegionStatus } from '../domain/region-status.js';
import type { InstanceState } from '../domain/instance-state.js';
import { StateStore } from '../state/store.js';
import type { LogFields, Logger } from '../log.js';
import { ExporterMetrics } from '../metrics/exporter-metrics.js';
import { accountRegionKey } from '../domain/model.js';
import type { Action, Instance, AccountRegion } from '../domain/model.js';
import { Scheduler } from '../collector/scheduler.js';
import { BudgetLog } from '../collector/budget-log.js';
import { internalErrorFields } from '../internal-error.js';
import { createFleetLog } from '../collector/event-log.js';
import { isSameConfig } from '../collector/region-settings.js';
import type { RegionSettings } from '../collector/region-settings.js';
import { endpointOf } from '../rds/endpoints.js';
import { createRdsClient } from '../rds/rds-client.js';
import { regionSettingsOf } from './region-settings.js';
import { RegionCollector } from '../collector/region-collector.js';
import type { CollectorContext } from '../collector/context.js';

export interface ExporterOptions {
  readonly config: Config;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  readonly version: string;
  readonly revision: string;
  /** Poll everything once and no more. */
  readonly isOnce: boolean;
  /** In place of the system's name resolution. */
  readonly lookup?: LookupFunction | undefined;
}

interface Account {
  config: AccountConfig;
  credentials: CredentialsProvider;
}

const BUDGET_CHECK_INTERVAL_MS = 10_000;
/** The exporter is ready after this time whatever the cloud does. */
const READY_AT_LAST_MS = 60_000;

/** The exporter without its web side: everything that is polled, and what is known of it. */
export class Exporter {
  readonly fleet: Fleet;
  readonly self: ExporterMetrics;
  readonly startedAt: number;
  readonly #options: ExporterOptions;
  readonly #context: CollectorContext;
  readonly #accounts = new Map<string, Account>();
  readonly #regions = new Map<string, RegionCollector>();
  readonly #budgetLog: BudgetLog;
  readonly #stateWriter: StateWriter | undefined;
  #config: Config;
  #isReady = false;
  #isStateSaved = true;
  #isStopping = false;
  #cancelBudgetLook: () => void = () => undefined;

  /**
   * Opens the state, if it is configured, and makes everything ready to start.
   * @throws UsageError when the state cannot be written, Error when another process holds it
   */
  static async open(options: ExporterOptions): Promise<Exporter> {
    const { config, clock, log, isOnce } = options;
    if (config.state === undefined || isOnce) return new Exporter(options);
    const store = await StateStore.open({ path: config.state.path, clock, log });
    const keeper = new StateWriter({ store, clock, log });
    return new Exporter(options, keeper, await keeper.load());
  }

  private constructor(options: ExporterOptions, keeper?: StateWriter, remembered?: ReadonlyMap<string, InstanceState>) {
    const { config, clock, random, log, version, revision, isOnce, lookup } = options;
    this.#options = options;
    this.#config = config;
    this.startedAt = clock.now();
    this.self = new ExporterMetrics({
      version,
      revision,
      nodeVersion: process.version,
      shard: config.sharding,
      state: config.state !== undefined,
      processFamilies: !isOnce,
      clock,
    });
    const logEvent = createFleetLog(log);
    this.#stateWriter = keeper;
    const fleetOptions: FleetOptions = {
      clock,
      activeIntervalMs: () => this.#config.polling.activeIntervalMs,
      onEvent: (instance, event) => {
        if (event.type === 'unexpected_value') this.self.unexpectedValue(event.value.field);
        logEvent(instance, event);
      },
      keeper,
    };
    this.fleet = new Fleet(fleetOptions, remembered);
    keeper?.start({
      forget: (key) => this.fleet.forget(key),
      onSaved: (ok) => {
        this.#isStateSaved = ok;
        this.self.stateSaved(ok);
      },
    });
    const scheduler = new Scheduler(clock, config.polling.concurrency);
    this.#context = {
      clock,
      random,
      log,
      fleet: this.fleet,
      scheduler,
      metrics: this.self,
      isOnce,
      connect: ({ account, regionId, region, polling }, observe) =>
        createRdsClient({
          regionId,
          endpoint: endpointOf(region),
          credentials: this.#credentialsOf(account),
          timeoutMs: polling.timeoutMs,
          version,
          clock,
          lookup,
          observe,
        }),
      onInternalError: this.onBug,
    };
    this.#budgetLog = new BudgetLog(log);
    for (const account of config.accounts) this.#openAccount(account);
    for (const place of regionSettingsOf(config)) this.#openPlace(place);
  }

  /** Logs and counts an exception that should not exist; whatever it broke off, the rest goes on. */
  readonly onBug = (thrown: unknown, fields?: LogFields): void => {
    this.self.internalError();
    this.#options.log.error('a bug in the exporter', { ...fields, ...internalErrorFields(thrown) });
  };

  get config(): Config {
    return this.#config;
  }

  /** Whether the last save worked; undefined when no state is kept. */
  get isStateSaved(): boolean | undefined {
    return this.#stateWriter && this.#isStateSaved;
  }

  get regions(): readonly RegionCollector[] {
    return [...this.#regions.values()];
  }

  start(): void {
    const places = this.regions;
    for (const [index, place] of places.entries()) place.start((index + 1) / places.length);
    this.#lookAtBudget();
  }

  /** What keeps the exporter from being ready. Once it is, it stays so until it stops. */
  ready(): { readonly ready: boolean; readonly reason: string } {
    if (this.#isStopping) return { ready: false, reason: 'it is stopping' };
    const pending = this.regions.map((place) => place.pending).find((reason) => reason !== undefined);
    const isLate = this.#context.clock.now() - this.startedAt >= READY_AT_LAST_MS;
    this.#isReady ||= pending === undefined || isLate;
    return { ready: this.#isReady, reason: this.#isReady ? '' : (pending ?? '') };
  }

  /** One row for each account and region. */
  views(): readonly RegionStatus[] {
    const nowMs = this.#context.clock.now();
    const unsupported = countUnsupported(this.fleet.states());
    return this.regions.map((place) => place.view(nowMs, unsupported.get(accountRegionKey(place.config)) ?? 0));
  }

  credentialStates(): readonly {
    readonly account: string;
    readonly state: ReturnType<CredentialsProvider['state']>;
  }[] {
    return [...this.#accounts].map(([account, { credentials }]) => ({ account, state: credentials.state() }));
  }

  nextPollAt(instance: Instance): number | undefined {
    return this.#regions.get(accountRegionKey(instance))?.nextPollAt(instance);
  }

  usedRequestsPerSecond(place: AccountRegion, action: Action): number | undefined {
    return this.#regions.get(accountRegionKey(place))?.usedRequestsPerSecond(action);
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Takes over a checked configuration. Accounts, regions and instances that have not changed go on undisturbed. */
  configure(config: Config): void {
    this.#config = config;
    this.#context.scheduler.concurrency = config.polling.concurrency;
    for (const account of config.accounts) this.#openAccount(account);
    const wanted = new Map(regionSettingsOf(config).map((place) => [accountRegionKey(place), place]));
    for (const [key, place] of this.#regions) {
      if (wanted.has(key)) continue;
      this.#regions.delete(key);
      place.remove();
    }
    for (const name of this.#accounts.keys()) {
      if (!config.accounts.some((account) => account.name === name)) this.#accounts.delete(name);
    }
    for (const [key, place] of wanted) {
      const known = this.#regions.get(key);
      if (known === undefined) this.#openPlace(place).start(1);
      else known.configure(place);
    }
    this.#budgetLog.reset();
  }

  /** Ends every poll and call, and writes the state. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#cancelBudgetLook();
    this.#context.scheduler.stop();
    await Promise.all(this.regions.map((place) => place.stop()));
    await this.#stateWriter?.close();
  }

  #openAccount(config: AccountConfig): void {
    const known = this.#accounts.get(config.name);
    if (known !== undefined && isSameConfig(known.config.credentials, config.credentials)) {
      known.config = config;
      known.credentials.lookAgain();
      return;
    }
    const { clock, log } = this.#options;
    const credentials = createCredentialsProvider(config.credentials, {
      account: config.name,
      clock,
      log,
      // Not amid the signing of a request, which the scheduler has just let out.
      onChanged: () => queueMicrotask(() => this.#credentialsChanged(config.name, credentials)),
    });
    this.#accounts.set(config.name, { config, credentials });
  }

  #credentialsChanged(account: string, credentials: CredentialsProvider): void {
    const { log, isOnce } = this.#options;
    if (isOnce || this.#isStopping || this.#accounts.get(account)?.credentials !== credentials) return;
    log.info('credentials changed: listing and polling anew', { account });
    for (const place of this.regions) if (place.config.account === account) place.beginAnew();
  }

  #openPlace(config: RegionSettings): RegionCollector {
    const place = new RegionCollector(config, this.#context);
    this.#regions.set(accountRegionKey(config), place);
    return place;
  }

  #credentialsOf(account: string): CredentialsProvider {
    const known = this.#accounts.get(account);
    if (known === undefined) throw new Error(`no account ${account}`);
    return known.credentials;
  }

  #lookAtBudget(): void {
    this.#budgetLog.look(this.#regions.values());
    this.#cancelBudgetLook = this.#context.clock.after(BUDGET_CHECK_INTERVAL_MS, () => this.#lookAtBudget());
  }
}

function countUnsupported(states: readonly InstanceState[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { instance, unsupported } of states) {
    if (unsupported === undefined) continue;
    const key = accountRegionKey(instance);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
