import { setMaxListeners } from 'node:events';
import type { RegionStatus } from '../domain/region-status.js';
import { instanceKey } from '../domain/model.js';
import type { Action, ApiError, Instance } from '../domain/model.js';
import { Discovery } from './discovery.js';
import { PollLoop } from './poll-loop.js';
import type { SkippedInstance } from './selection.js';
import { instanceFields, regionFields } from './event-log.js';
import { ApiLimiters } from './api-limiters.js';
import { isSameConfig, shardLimit } from './region-settings.js';
import type { RegionSettings } from './region-settings.js';
import type { CollectorContext } from './context.js';
import type { RdsClient } from './ports.js';
import { NOTHING_DISCOVERED, Inventory } from './inventory.js';

/** Data is served for at least this many of the intervals that are really reached. */
const STALE_INTERVALS = 3;

/** One account in one region: its connection, its discovery, its polling, and what is to be told of them. */
export class RegionCollector {
  readonly #context: CollectorContext;
  readonly #limiters: ApiLimiters;
  readonly #inventory: Inventory;
  readonly pollLoop: PollLoop;
  readonly #stop = new AbortController();
  #config: RegionSettings;
  #api: RdsClient;
  #discovery: Discovery | undefined;
  #discoveryStop = new AbortController();
  #failingCode: string | undefined;
  /** The same of the tags alone. */
  #tagsFailingCode: string | undefined;

  constructor(config: RegionSettings, context: CollectorContext) {
    const { clock, random, scheduler, onInternalError: onBug, isOnce } = context;
    this.#config = config;
    this.#context = context;
    // One listener for each call that waits or is under way; each is removed when its call ends.
    setMaxListeners(0, this.#stop.signal);
    this.#limiters = new ApiLimiters({
      accountRegion: config,
      limit: limitOf(config),
      precondition: { isReady: () => this.#api.isReady(), ensure: () => this.#api.ensureReady(this.#stop.signal) },
      context,
      polling: () => this.pollLoop,
    });
    this.#inventory = new Inventory(config, context, () => this.pollLoop);
    this.#api = this.#connect();
    this.pollLoop = new PollLoop({
      scheduler,
      limiter: this.#limiters.get('DescribeBackupTasks'),
      source: { describeBackupTasks: (request, signal) => this.#api.describeBackupTasks(request, signal) },
      settings: config.polling,
      settle: (key, instance, result) => this.#inventory.settle(key, instance, result),
      settleLookup: (key, lookup) => this.#inventory.settleLookup(key, lookup),
      onInternalError: (instance, thrown) => onBug(thrown, instanceFields(instance)),
      clock,
      random,
      signal: this.#stop.signal,
      isOnce,
    });
  }

  get config(): RegionSettings {
    return this.#config;
  }

  /** Requests a second that polling may make, as configured for this shard. */
  get limit(): number {
    return limitOf(this.#config).requestsPerSecond;
  }

  get skipped(): readonly SkippedInstance[] {
    return this.#inventory.skipped;
  }

  /** Why the first look at this place is not over; undefined once it is. */
  get pending(): string | undefined {
    const where = `${this.#config.account} in ${this.#config.regionId}`;
    if (this.#discovery?.hasBegun === false) return `the first discovery of ${where} has not ended`;
    const { size, untried } = this.pollLoop;
    const isHeldBack = this.#limiters.get('DescribeBackupTasks').circuit.cooling !== undefined;
    return untried === 0 || isHeldBack ? undefined : `${untried} of ${size} instances of ${where} have not been polled`;
  }

  /** Begins to discover and poll. `phase`, in (0, 1], spreads the refreshes of several places. */
  start(phase: number): void {
    this.#discovery = this.#createDiscovery(phase);
    void this.#discovery?.run();
    this.#inventory.configure(this.#config);
  }

  /** Discovers once and polls once. True if discovery, where it is on, worked. */
  async startOnce(): Promise<boolean> {
    this.#discovery = this.#createDiscovery(1);
    await this.#discovery?.refresh();
    this.#inventory.configure(this.#config);
    return this.#discovery?.success ?? true;
  }

  /** Takes over a new configuration of the same place. What has not changed goes on undisturbed. */
  configure(config: RegionSettings): void {
    const before = this.#config;
    this.#config = config;
    const isMoved = !isSameConfig(cloudOf(before), cloudOf(config));
    if (isMoved || before.polling.timeoutMs !== config.polling.timeoutMs) {
      void (isMoved ? this.#api.close() : this.#api.retire());
      this.#api = this.#connect();
    }
    this.#limiters.configure(limitOf(config));
    this.pollLoop.configure(config.polling);
    if (isMoved) this.beginAnew();
    else if (isSameConfig(before.settings.discovery, config.settings.discovery)) this.#inventory.configure(config);
    else this.#discoverAnew();
  }

  /** Another answers, or on another's behalf: what the answers so far showed is void. */
  beginAnew(): void {
    this.#limiters.reset();
    this.pollLoop.restart();
    this.#discoverAnew();
  }

  #discoverAnew(): void {
    this.#discoveryStop.abort();
    this.#discoveryStop = new AbortController();
    if (this.#config.settings.discovery === undefined) this.#inventory.discovered(NOTHING_DISCOVERED);
    this.start(1);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#discoveryStop.abort();
    this.#limiters.close();
    await this.#api.close();
  }

  /** Stops, and forgets every instance. */
  remove(): void {
    this.#inventory.clear();
    this.#context.metrics.requests.remove(this.#config);
    void this.stop();
  }

  nextPollAt(instance: Instance): number | undefined {
    return this.pollLoop.nextPollAt(instanceKey(instance));
  }

  usedRequestsPerSecond(action: Action): number | undefined {
    return this.#limiters.usedPerSecond(action);
  }

  /** @param unsupported how many of the polled instances the API says have no backup tasks */
  view(nowMs: number, unsupported: number): RegionStatus {
    const { account, regionId, polling } = this.#config;
    return {
      account,
      regionId,
      targets: this.pollLoop.size - unsupported,
      targetsNeverPolled: this.pollLoop.untried,
      targetsUnsupported: unsupported + this.#inventory.skipped.length,
      staleAfterMs: Math.max(polling.staleAfterMs, STALE_INTERVALS * this.pollLoop.reachedIntervalMs(nowMs)),
      discovery: this.#discovery && {
        success: this.#discovery.success,
        lastSuccessAt: this.#discovery.lastSuccessAt,
        problem: this.#discovery.problem?.message,
      },
      calls: this.#limiters.views(nowMs),
      pollLagMs: this.pollLoop.lagMs(nowMs),
    };
  }

  #connect(): RdsClient {
    return this.#context.connect(this.#config, (action, durationMs, code) =>
      this.#limiters.attempted(action, durationMs, code),
    );
  }

  #createDiscovery(phase: number): Discovery | undefined {
    const config = this.#config.settings.discovery;
    if (config === undefined) return undefined;
    const { engines, include, exclude, tags, resourceGroupId, tagLabels, refreshIntervalMs } = config;
    const { clock, random } = this.#context;
    const { signal } = this.#discoveryStop;
    const maxAttempts = (): number => this.#config.polling.maxAttempts;
    return new Discovery({
      source: {
        describeDBInstances: (request) => this.#api.describeDBInstances(request, signal),
        describeDBInstanceByTags: (request) => this.#api.describeDBInstanceByTags(request, signal),
      },
      callInstances: this.#limiters.caller('DescribeDBInstances', { maxAttempts, signal }),
      callTags:
        tagLabels.length > 0 ? this.#limiters.caller('DescribeDBInstanceByTags', { maxAttempts, signal }) : undefined,
      filter: { tags, resourceGroupId },
      rules: { engines, include, exclude },
      refreshIntervalMs,
      phase,
      clock,
      random,
      signal,
      onDiscovered: (discovered) => {
        if (this.#failingCode !== undefined) this.#context.log.info('discovery recovered', regionFields(this.#config));
        this.#failingCode = undefined;
        this.#logTags(discovered.tagsError);
        this.#inventory.discovered(discovered);
      },
      onFailure: (error) => this.#logFailure(error),
    });
  }

  #logFailure(error: ApiError): void {
    if (error.kind === 'bug') this.#context.metrics.internalError();
    if (error.code === this.#failingCode) return;
    this.#failingCode = error.code;
    this.#warn('discovery failing: the last complete list of instances stays', error);
  }

  #logTags(error: ApiError | undefined): void {
    if (error?.kind === 'bug') this.#context.metrics.internalError();
    if (error?.code === this.#tagsFailingCode) return;
    this.#tagsFailingCode = error?.code;
    if (error === undefined) this.#context.log.info('listing instance tags recovered', regionFields(this.#config));
    else if (error.kind === 'denied')
      this.#warn('listing instance tags is denied; watching the instances without tag labels', error);
    else this.#warn('failed to list instance tags; keeping the last known tag labels', error);
  }

  #warn(text: string, { code, message, requestId }: ApiError): void {
    this.#context.log.warn(text, { ...regionFields(this.#config), code, request_id: requestId, error: message });
  }
}

function limitOf({ region, sharding }: RegionSettings): { requestsPerSecond: number; burst: number } {
  return shardLimit(region.rateLimit, sharding.count);
}

/** What decides who answers, and on whose behalf: another one may know other instances and allow other requests. */
function cloudOf({ region: { endpoint, network }, settings: { credentials } }: RegionSettings): unknown {
  return [endpoint, network, credentials];
}
