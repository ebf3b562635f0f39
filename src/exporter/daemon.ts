import { sleep } from '../clock.js';
import { effectiveYaml } from '../config/effective.js';
import type { LoadedConfig } from '../config/load.js';
import type { ListenAddress } from '../http/server.js';
import { UsageError, messageOf } from '../errors.js';
import { Scrapes } from '../metrics/scrape.js';
import { createApp } from '../http/app.js';
import { formatAddress, startServers } from '../http/server.js';
import type { ServerLimits } from '../http/server.js';
import { openWebConfig } from '../http/web-config/web-security.js';
import type { StatusSnapshot } from '../status/snapshot.js';
import { Exporter } from './exporter.js';
import type { ExporterOptions } from './exporter.js';
import { needsRestart, warningsOf } from './configuration.js';

export interface DaemonOptions extends Omit<ExporterOptions, 'config' | 'isOnce'> {
  readonly name: string;
  /** Reads and checks the configuration; called at the start and for each reload. */
  readonly readConfig: () => LoadedConfig;
  readonly listenAddresses: readonly ListenAddress[];
  readonly telemetryPath: string;
  readonly enableLifecycle: boolean;
  /** TLS, logins and headers, in the format of Prometheus' exporter-toolkit. */
  readonly webConfigFile: string | undefined;
  /** What a client may take; the defaults are those of `startServers`. */
  readonly limits?: Partial<ServerLimits>;
}

export interface Daemon {
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** The problems that kept the old configuration in force; none when the new one is. */
  reload(): readonly string[];
  /** Logs and counts an exception that should not exist. */
  onBug(thrown: unknown): void;
  /** Ends within 5 s, whatever hangs. False if something did. */
  stop(): Promise<boolean>;
}

const STOP_MS = 4_000;
const SERVERS_MS = 3_000;

/**
 * Starts the exporter: it answers HTTP first and polls then.
 * @throws UsageError for a bad configuration, Error for an address that cannot be listened on
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { clock, log, readConfig } = options;
  const loaded = readConfig();
  log.info('starting', { version: options.version, revision: options.revision, node: process.version });
  for (const warning of warningsOf(loaded)) log.warn(warning);
  const security =
    options.webConfigFile === undefined ? undefined : await openWebConfig(options.webConfigFile, { log, clock });
  const app = await Exporter.open({ ...options, config: loaded.config, isOnce: false });
  if (security !== undefined) app.self.watchWebConfig(() => security.status().ok);
  const scrapes = new Scrapes({
    states: () => app.fleet.scrape(),
    regions: () => app.views(),
    self: app.self,
    clock,
    onBug: app.onBug,
  });
  const reloads = new Reloads(app, scrapes, options);
  const servers = await startServers({
    addresses: options.listenAddresses,
    clock,
    ...(options.limits && { limits: options.limits }),
    ...(security && { createServer: security.createServer.bind(security) }),
    listener: createApp({
      name: options.name,
      telemetryPath: options.telemetryPath,
      guard: security && ((request, response, next) => void security.middleware(request, response, next)),
      scrape: (request) => scrapes.answer(request),
      ready: () => app.ready(),
      configText: () => reloads.configText,
      snapshot: () => snapshotOf(app, options, reloads),
      reload: () => reloads.run(),
      reloads: () => reloads.count,
      lifecycle: options.enableLifecycle,
      onBug: app.onBug,
      clock,
      log,
    }),
  }).catch(async (thrown: unknown) => {
    // The state is let go of, and nothing is left running.
    await app.stop();
    throw thrown;
  });
  log.info('listening', { addresses: servers.addresses.map(({ host, port }) => formatAddress(host, port)).join(', ') });
  app.start();
  return {
    addresses: servers.addresses,
    reload: () => reloads.run(),
    onBug: app.onBug,
    async stop() {
      const late = new AbortController();
      const whole = Promise.all([app.stop(), servers.close(SERVERS_MS).then(() => security?.close())]);
      const isWhole = await Promise.race([
        whole.then(() => true),
        sleep(clock, STOP_MS, late.signal).then(() => false),
      ]);
      late.abort();
      return isWhole;
    },
  };
}

/** Takes over a changed configuration file, whole or not at all. */
class Reloads {
  readonly #app: Exporter;
  readonly #scrapes: Scrapes;
  readonly #options: DaemonOptions;
  /** Rendered once: with thousands of instances that takes longer than a request may block the others. */
  configText: Buffer;
  successful = true;
  /** So far, whatever came of them. */
  count = 0;
  lastSuccessAt: number;

  constructor(app: Exporter, scrapes: Scrapes, options: DaemonOptions) {
    this.#app = app;
    this.#scrapes = scrapes;
    this.#options = options;
    this.configText = configTextOf(app);
    this.lastSuccessAt = app.startedAt;
  }

  /** In one step: no other reload, and no stop, comes in between. */
  run(): readonly string[] {
    if (this.#app.isStopping) return ['the exporter is stopping'];
    const { log, clock } = this.#options;
    const problems = this.#takeOver();
    this.count++;
    this.successful = problems.length === 0;
    this.#app.self.configReloaded(this.successful);
    if (this.successful) {
      this.lastSuccessAt = clock.now();
      log.info('configuration reloaded');
    }
    for (const problem of problems) log.error('configuration not reloaded, the old one stays', { problem });
    return problems;
  }

  #takeOver(): readonly string[] {
    try {
      const loaded = this.#options.readConfig();
      const problems = needsRestart(this.#app.config, loaded.config);
      if (problems.length > 0) return problems;
      for (const warning of warningsOf(loaded)) this.#options.log.warn(warning);
      this.#app.configure(loaded.config);
      this.#scrapes.renew();
      this.configText = configTextOf(this.#app);
      return [];
    } catch (thrown) {
      return thrown instanceof UsageError ? thrown.problems : [messageOf(thrown)];
    }
  }
}

function configTextOf({ config }: Exporter): Buffer {
  return Buffer.from(effectiveYaml(config));
}

function snapshotOf(app: Exporter, { clock, version, revision }: DaemonOptions, reloads: Reloads): StatusSnapshot {
  const now = clock.now();
  return {
    version: app.fleet.version,
    states: app.fleet.states(),
    regions: app.views(),
    accounts: app.credentialStates().map(({ account, state: { type, problem } }) => ({
      account,
      credentialType: type,
      problem: problem === undefined ? undefined : { code: 'CredentialsError', message: problem, at: undefined },
    })),
    skipped: app.regions.flatMap(({ config: { account, regionId }, skipped }) =>
      skipped.map((instance) => ({ account, regionId, ...instance })),
    ),
    exporter: {
      version,
      revision,
      nodeVersion: process.version,
      startedAt: app.startedAt,
      shard: app.config.sharding,
      configReload: { successful: reloads.successful, lastSuccessAt: reloads.lastSuccessAt },
      stateSaved: app.isStateSaved,
    },
    now,
    toWall: (steadyMs) => clock.toWall(steadyMs),
    nextPollAt: (instance) => app.nextPollAt(instance),
    usedRequestsPerSecond: (place, action) => app.usedRequestsPerSecond(place, action),
  };
}
