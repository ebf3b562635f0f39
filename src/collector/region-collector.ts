import { setMaxListeners } from 'node:events';
import type { CredentialsProvider } from '../rds/credentials/credentials.js';
import { endpointOf } from '../rds/endpoints.js';
import { createRdsApi } from '../rds/rds-client.js';
import type { RdsApi } from '../rds/rds-client.js';
import type { PlaceView } from '../domain/region-status.js';
import { instanceKey } from '../domain/model.js';
import type { Action, ApiError, Instance } from '../domain/model.js';
import { Discovery } from './discovery.js';
import { Polling } from './poll-loop.js';
import type { LeftOut } from './selection.js';
import { instanceFields, placeFields } from './event-log.js';
import { Gates } from './api-limiters.js';
import { isSameConfig, shardLimit } from '../exporter/region-settings.js';
import type { PlaceConfig } from '../exporter/region-settings.js';
import type { Shared } from './context.js';
import { NOTHING_DISCOVERED, Targets } from './inventory.js';

/** Data is served for at least this many of the intervals that are really reached. */
const STALE_INTERVALS = 3;

/** One account in one region: its connection, its discovery, its polling, and what is to be told of them. */
export class PlaceRunner {
  readonly #shared: Shared;
  readonly #gates: Gates;
  readonly #targets: Targets;
  readonly polling: Polling;
  readonly #stop = new AbortController();
  #config: PlaceConfig;
  #api: RdsApi;
  #discovery: Discovery | undefined;
  #discoveryStop = new AbortController();
  #failingCode: string | undefined;
  /** The same of the tags alone. */
  #tagsFailingCode: string | undefined;

  constructor(config: PlaceConfig, credentials: CredentialsProvider, shared: Shared) {
    const { clock, random, scheduler, onBug, isOnce } = shared;
    this.#config = config;
    this.#shared = shared;
    // One listener for each call that waits or is under way; each is removed when its call ends.
    setMaxListeners(0, this.#stop.signal);
    this.#gates = new Gates({
      place: config,
      limit: limitOf(config),
      requisites: { atHand: () => this.#api.atHand(), prepare: () => this.#api.prepare(this.#stop.signal) },
      shared,
      polling: () => this.polling,
    });
    this.#targets = new Targets(config, shared, () => this.polling);
    this.#api = this.#connect(credentials);
    this.polling = new Polling({
      scheduler,
      gate: this.#gates.get('DescribeBackupTasks'),
      source: { describeBackupTasks: (request, signal) => this.#api.describeBackupTasks(request, signal) },
      settings: config.polling,
      settle: (key, instance, result) => this.#targets.settle(key, instance, result),
      settleLookup: (key, lookup) => this.#targets.settleLookup(key, lookup),
      onBug: (instance, thrown) => onBug(thrown, instanceFields(instance)),
      clock,
      random,
      signal: this.#stop.signal,
      isOnce,
    });
  }

  get config(): PlaceConfig {
    return this.#config;
  }

  /** Requests a second that polling may make, as configured for this shard. */
  get limit(): number {
    return limitOf(this.#config).requestsPerSecond;
  }

  get leftOut(): readonly LeftOut[] {
    return this.#targets.leftOut;
  }

  /** Why the first look at this place is not over; undefined once it is. */
  get pending(): string | undefined {
    const where = `${this.#config.account} in ${this.#config.regionId}`;
    if (this.#discovery?.hasBegun === false) return `the first discovery of ${where} has not ended`;
    const { size, untried } = this.polling;
    const isHeldBack = this.#gates.get('DescribeBackupTasks').cooldown.cooling !== undefined;
    return untried === 0 || isHeldBack ? undefined : `${untried} of ${size} instances of ${where} have not been polled`;
  }

  /** Begins to discover and poll. `phase`, in (0, 1], spreads the refreshes of several places. */
  start(phase: number): void {
    this.#discovery = this.#createDiscovery(phase);
    void this.#discovery?.run();
    this.#targets.configure(this.#config);
  }

  /** Discovers once and polls once. True if discovery, where it is on, worked. */
  async startOnce(): Promise<boolean> {
    this.#discovery = this.#createDiscovery(1);
    await this.#discovery?.refresh();
    this.#targets.configure(this.#config);
    return this.#discovery?.success ?? true;
  }

  /** Takes over a new configuration of the same place. What has not changed goes on undisturbed. */
  configure(config: PlaceConfig, credentials: CredentialsProvider): void {
    const before = this.#config;
    this.#config = config;
    const isMoved = !isSameConfig(cloudOf(before), cloudOf(config));
    if (isMoved || before.polling.timeoutMs !== config.polling.timeoutMs) {
      void (isMoved ? this.#api.close() : this.#api.retire());
      this.#api = this.#connect(credentials);
    }
    this.#gates.configure(limitOf(config));
    this.polling.configure(config.polling);
    if (isMoved) this.beginAnew();
    else if (isSameConfig(before.settings.discovery, config.settings.discovery)) this.#targets.configure(config);
    else this.#discoverAnew();
  }

  /** Another answers, or on another's behalf: what the answers so far showed is void. */
  beginAnew(): void {
    this.#gates.reset();
    this.polling.restart();
    this.#discoverAnew();
  }

  #discoverAnew(): void {
    this.#discoveryStop.abort();
    this.#discoveryStop = new AbortController();
    if (this.#config.settings.discovery === undefined) this.#targets.discovered(NOTHING_DISCOVERED);
    this.start(1);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#discoveryStop.abort();
    this.#gates.close();
    await this.#api.close();
  }

  /** Stops, and forgets every instance. */
  remove(): void {
    this.#targets.clear();
    this.#shared.self.requests.remove(this.#config);
    void this.stop();
  }

  nextPollAt(instance: Instance): number | undefined {
    return this.polling.nextPollAt(instanceKey(instance));
  }

  usedRequestsPerSecond(action: Action): number | undefined {
    return this.#gates.usedPerSecond(action);
  }

  /** @param unsupported how many of the polled instances the API says have no backup tasks */
  view(nowMs: number, unsupported: number): PlaceView {
    const { account, regionId, polling } = this.#config;
    return {
      account,
      regionId,
      targets: this.polling.size - unsupported,
      targetsNeverPolled: this.polling.untried,
      targetsUnsupported: unsupported + this.#targets.leftOut.length,
      staleAfterMs: Math.max(polling.staleAfterMs, STALE_INTERVALS * this.polling.reachedIntervalMs(nowMs)),
      discovery: this.#discovery && {
        success: this.#discovery.success,
        lastSuccessAt: this.#discovery.lastSuccessAt,
        problem: this.#discovery.problem?.message,
      },
      calls: this.#gates.views(nowMs),
      pollLagMs: this.polling.lagMs(nowMs),
    };
  }

  #connect(credentials: CredentialsProvider): RdsApi {
    const { region, regionId, polling } = this.#config;
    const { clock, version, lookup } = this.#shared;
    return createRdsApi({
      regionId,
      endpoint: endpointOf(region),
      credentials,
      timeoutMs: polling.timeoutMs,
      version,
      clock,
      lookup,
      observe: (action, durationMs, code) => this.#gates.attempted(action, durationMs, code),
    });
  }

  #createDiscovery(phase: number): Discovery | undefined {
    const config = this.#config.settings.discovery;
    if (config === undefined) return undefined;
    const { engines, include, exclude, tags, resourceGroupId, tagLabels, refreshIntervalMs } = config;
    const { clock, random } = this.#shared;
    const { signal } = this.#discoveryStop;
    const maxAttempts = (): number => this.#config.polling.maxAttempts;
    return new Discovery({
      source: {
        describeDBInstances: (request) => this.#api.describeDBInstances(request, signal),
        describeDBInstanceByTags: (request) => this.#api.describeDBInstanceByTags(request, signal),
      },
      callInstances: this.#gates.caller('DescribeDBInstances', { maxAttempts, signal }),
      callTags:
        tagLabels.length > 0 ? this.#gates.caller('DescribeDBInstanceByTags', { maxAttempts, signal }) : undefined,
      filter: { tags, resourceGroupId },
      rules: { engines, include, exclude },
      refreshIntervalMs,
      phase,
      clock,
      random,
      signal,
      onDiscovered: (discovered) => {
        if (this.#failingCode !== undefined) this.#shared.log.info('discovery recovered', placeFields(this.#config));
        this.#failingCode = undefined;
        this.#logTags(discovered.tagsError);
        this.#targets.discovered(discovered);
      },
      onFailure: (error) => this.#logFailure(error),
    });
  }

  #logFailure(error: ApiError): void {
    if (error.kind === 'bug') this.#shared.self.internalError();
    if (error.code === this.#failingCode) return;
    this.#failingCode = error.code;
    this.#warn('discovery failing: the last complete list of instances stays', error);
  }

  #logTags(error: ApiError | undefined): void {
    if (error?.kind === 'bug') this.#shared.self.internalError();
    if (error?.code === this.#tagsFailingCode) return;
    this.#tagsFailingCode = error?.code;
    if (error === undefined) this.#shared.log.info('listing instance tags recovered', placeFields(this.#config));
    else if (error.kind === 'denied')
      this.#warn('listing instance tags is denied; watching the instances without tag labels', error);
    else this.#warn('failed to list instance tags; keeping the last known tag labels', error);
  }

  #warn(text: string, { code, message, requestId }: ApiError): void {
    this.#shared.log.warn(text, { ...placeFields(this.#config), code, request_id: requestId, error: message });
  }
}

function limitOf({ region, sharding }: PlaceConfig): { requestsPerSecond: number; burst: number } {
  return shardLimit(region.rateLimit, sharding.count);
}

/** What decides who answers, and on whose behalf: another one may know other instances and allow other requests. */
function cloudOf({ region: { endpoint, network }, settings: { credentials } }: PlaceConfig): unknown {
  return [endpoint, network, credentials];
}
