import type { LookupFunction } from 'node:net';
import { createCredentialsProvider } from '../rds/credentials/credentials-provider.js';
import type { CredentialsProvider } from '../rds/credentials/credentials.js';
import type { Clock } from '../clock.js';
import type { AccountConfig, Config } from '../config/config.js';
import type { FleetOptions } from '../state/fleet.js';
import { Fleet } from '../state/fleet.js';
import { Keeper } from '../state/writer.js';
import type { PlaceView } from '../domain/region-status.js';
import type { InstanceState } from '../domain/instance-state.js';
import { Store } from '../state/store.js';
import type { LogFields, Logger } from '../log.js';
import { SelfMetrics } from '../metrics/exporter-metrics.js';
import { placeKey } from '../domain/model.js';
import type { Action, Instance, Place } from '../domain/model.js';
import { Scheduler } from '../collector/scheduler.js';
import { BudgetLog } from '../collector/budget-log.js';
import { bugFields } from '../internal-error.js';
import { createFleetLog } from '../collector/event-log.js';
import { isSameConfig, placesOf } from './region-settings.js';
import type { PlaceConfig } from './region-settings.js';
import { PlaceRunner } from '../collector/region-collector.js';
import type { Shared } from '../collector/context.js';

export interface AppOptions {
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

const BUDGET_LOOK_MS = 10_000;
/** The exporter is ready after this time whatever the cloud does. */
const READY_AT_LAST_MS = 60_000;

/** The exporter without its web side: everything that is polled, and what is known of it. */
export class App {
  readonly fleet: Fleet;
  readonly self: SelfMetrics;
  readonly startedAt: number;
  readonly #options: AppOptions;
  readonly #shared: Shared;
  readonly #accounts = new Map<string, Account>();
  readonly #places = new Map<string, PlaceRunner>();
  readonly #budgetLog: BudgetLog;
  readonly #keeper: Keeper | undefined;
  #config: Config;
  #isReady = false;
  #isStateSaved = true;
  #isStopping = false;
  #cancelBudgetLook: () => void = () => undefined;

  /**
   * Opens the state, if it is configured, and makes everything ready to start.
   * @throws UsageError when the state cannot be written, Error when another process holds it
   */
  static async open(options: AppOptions): Promise<App> {
    const { config, clock, log, isOnce } = options;
    if (config.state === undefined || isOnce) return new App(options);
    const store = await Store.open({ path: config.state.path, clock, log });
    const keeper = new Keeper({ store, clock, log });
    return new App(options, keeper, await keeper.load());
  }

  private constructor(options: AppOptions, keeper?: Keeper, remembered?: ReadonlyMap<string, InstanceState>) {
    const { config, clock, random, log, version, revision, isOnce, lookup } = options;
    this.#options = options;
    this.#config = config;
    this.startedAt = clock.now();
    this.self = new SelfMetrics({
      version,
      revision,
      nodeVersion: process.version,
      shard: config.sharding,
      state: config.state !== undefined,
      processFamilies: !isOnce,
      clock,
    });
    const logEvent = createFleetLog(log);
    this.#keeper = keeper;
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
    this.#shared = {
      version,
      clock,
      random,
      log,
      fleet: this.fleet,
      scheduler,
      self: this.self,
      isOnce,
      lookup,
      onBug: this.onBug,
    };
    this.#budgetLog = new BudgetLog(log);
    for (const account of config.accounts) this.#openAccount(account);
    for (const place of placesOf(config)) this.#openPlace(place);
  }

  /** Logs and counts an exception that should not exist; whatever it broke off, the rest goes on. */
  readonly onBug = (thrown: unknown, fields?: LogFields): void => {
    this.self.internalError();
    this.#options.log.error('a bug in the exporter', { ...fields, ...bugFields(thrown) });
  };

  get config(): Config {
    return this.#config;
  }

  /** Whether the last save worked; undefined when no state is kept. */
  get isStateSaved(): boolean | undefined {
    return this.#keeper && this.#isStateSaved;
  }

  get places(): readonly PlaceRunner[] {
    return [...this.#places.values()];
  }

  start(): void {
    const places = this.places;
    for (const [index, place] of places.entries()) place.start((index + 1) / places.length);
    this.#lookAtBudget();
  }

  /** What keeps the exporter from being ready. Once it is, it stays so until it stops. */
  ready(): { readonly ready: boolean; readonly reason: string } {
    if (this.#isStopping) return { ready: false, reason: 'it is stopping' };
    const pending = this.places.map((place) => place.pending).find((reason) => reason !== undefined);
    const isLate = this.#shared.clock.now() - this.startedAt >= READY_AT_LAST_MS;
    this.#isReady ||= pending === undefined || isLate;
    return { ready: this.#isReady, reason: this.#isReady ? '' : (pending ?? '') };
  }

  /** One row for each account and region. */
  views(): readonly PlaceView[] {
    const nowMs = this.#shared.clock.now();
    const unsupported = countUnsupported(this.fleet.states());
    return this.places.map((place) => place.view(nowMs, unsupported.get(placeKey(place.config)) ?? 0));
  }

  credentialStates(): readonly {
    readonly account: string;
    readonly state: ReturnType<CredentialsProvider['state']>;
  }[] {
    return [...this.#accounts].map(([account, { credentials }]) => ({ account, state: credentials.state() }));
  }

  nextPollAt(instance: Instance): number | undefined {
    return this.#places.get(placeKey(instance))?.nextPollAt(instance);
  }

  usedRequestsPerSecond(place: Place, action: Action): number | undefined {
    return this.#places.get(placeKey(place))?.usedRequestsPerSecond(action);
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Takes over a checked configuration. Accounts, regions and instances that have not changed go on undisturbed. */
  configure(config: Config): void {
    this.#config = config;
    this.#shared.scheduler.concurrency = config.polling.concurrency;
    for (const account of config.accounts) this.#openAccount(account);
    const wanted = new Map(placesOf(config).map((place) => [placeKey(place), place]));
    for (const [key, place] of this.#places) {
      if (wanted.has(key)) continue;
      this.#places.delete(key);
      place.remove();
    }
    for (const name of this.#accounts.keys()) {
      if (!config.accounts.some((account) => account.name === name)) this.#accounts.delete(name);
    }
    for (const [key, place] of wanted) {
      const known = this.#places.get(key);
      if (known === undefined) this.#openPlace(place).start(1);
      else known.configure(place, this.#credentialsOf(place));
    }
    this.#budgetLog.reset();
  }

  /** Ends every poll and call, and writes the state. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#cancelBudgetLook();
    this.#shared.scheduler.stop();
    await Promise.all(this.places.map((place) => place.stop()));
    await this.#keeper?.close();
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
    for (const place of this.places) if (place.config.account === account) place.beginAnew();
  }

  #openPlace(config: PlaceConfig): PlaceRunner {
    const place = new PlaceRunner(config, this.#credentialsOf(config), this.#shared);
    this.#places.set(placeKey(config), place);
    return place;
  }

  #credentialsOf({ account }: Place): CredentialsProvider {
    const known = this.#accounts.get(account);
    if (known === undefined) throw new Error(`no account ${account}`);
    return known.credentials;
  }

  #lookAtBudget(): void {
    this.#budgetLog.look(this.#places.values());
    this.#cancelBudgetLook = this.#shared.clock.after(BUDGET_LOOK_MS, () => this.#lookAtBudget());
  }
}

function countUnsupported(states: readonly InstanceState[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { instance, unsupported } of states) {
    if (unsupported === undefined) continue;
    const key = placeKey(instance);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
