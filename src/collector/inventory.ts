import { isActive, pendingJobIds } from '../domain/activity.js';
import type { InstanceState } from '../domain/instance-state.js';
import { instanceKey } from '../domain/model.js';
import type { Instance, Lookup, PollResult } from '../domain/model.js';
import type { Discovered } from './discovery.js';
import type { NextPoll, PollLoop } from './poll-loop.js';
import { isSameInstance, targetsOf } from './selection.js';
import type { SkippedInstance, StaticTarget } from './selection.js';
import { shardOf } from './shard.js';
import { instanceFields, regionFields } from './event-log.js';
import type { RegionSettings } from './region-settings.js';
import type { CollectorContext } from './context.js';

/** More targets than this that come or go at once are one line in the log. */
const MAX_CHANGES_TOLD = 20;
const NOTHING_RUNS: NextPoll = { isActive: false, isUnsupported: false, pendingJobIds: [] };
export const NOTHING_DISCOVERED: Discovered = {
  selected: [],
  skipped: [],
  listed: [],
  tags: new Map(),
  tagsError: undefined,
};

/** What one account and region polls: the static and the discovered instances of this shard, kept in step with both. */
export class Inventory {
  readonly #context: CollectorContext;
  readonly #polling: () => PollLoop;
  #config: RegionSettings;
  #discovered = NOTHING_DISCOVERED;
  #statics: ReadonlyMap<string, StaticTarget> = new Map();
  #skipped: readonly SkippedInstance[] = [];
  readonly #keys = new Set<string>();
  /** Discovered instances that the API did not know when they were polled: left alone until discovery lists them again. */
  readonly #dropped = new Set<string>();

  constructor(config: RegionSettings, context: CollectorContext, polling: () => PollLoop) {
    this.#config = config;
    this.#context = context;
    this.#polling = polling;
  }

  /** Instances of this shard that match the rules but have no backup tasks. */
  get skipped(): readonly SkippedInstance[] {
    return this.#skipped;
  }

  configure(config: RegionSettings): void {
    this.#config = config;
    this.#apply();
  }

  discovered(discovered: Discovered): void {
    this.#discovered = discovered;
    this.#dropped.clear();
    this.#apply();
  }

  /** Takes in a poll; undefined when the instance is gone. */
  async settle(key: string, instance: Instance, result: PollResult): Promise<NextPoll | undefined> {
    if (!result.ok && result.error.kind === 'not_found' && !this.#isStatic(instance.instanceId)) {
      this.#dropped.add(instance.instanceId);
      this.#remove(key);
      this.#context.log.info('target gone: the API does not know it', {
        ...instanceFields(instance),
        code: result.error.code,
        request_id: result.error.requestId,
      });
      return undefined;
    }
    if (!result.ok && result.error.kind === 'bug') this.#context.metrics.internalError();
    const state = await this.#context.fleet.apply(key, result);
    return state && this.#outlook(state);
  }

  async settleLookup(key: string, lookup: Lookup): Promise<NextPoll | undefined> {
    if (!lookup.result.ok && lookup.result.error.kind === 'bug') this.#context.metrics.internalError();
    const state = await this.#context.fleet.lookedUp(key, lookup);
    return state && this.#outlook(state);
  }

  clear(): void {
    for (const key of this.#keys) this.#remove(key);
  }

  #apply(): void {
    const { fleet } = this.#context;
    const { settings, regionId } = this.#config;
    const statics = settings.instances.filter(({ region }) => region === regionId);
    this.#statics = new Map(statics.map((instance) => [instance.id, instance]));
    this.#skipped = this.#discovered.skipped.filter(
      ({ instanceId }) => this.#isOwn(instanceId) && !this.#isStatic(instanceId),
    );
    const wanted = new Map(this.#wanted().map((instance) => [instanceKey(instance), instance]));
    const gone = [...this.#keys].filter((key) => !wanted.has(key));
    const added = [...wanted].filter(([key]) => !this.#keys.has(key)).map(([, instance]) => instance);
    this.#logChanges(added, gone);
    for (const key of gone) this.#remove(key);
    const changed: (readonly [Instance, NextPoll])[] = [];
    for (const [key, instance] of wanted) {
      const known = fleet.get(key);
      if (known !== undefined && isSameInstance(known.instance, instance)) continue;
      this.#keys.add(key);
      changed.push([instance, this.#firstOutlook(fleet.watch(instance))]);
    }
    this.#polling().add(changed);
  }

  #wanted(): readonly Instance[] {
    const { settings } = this.#config;
    return targetsOf({
      accountRegion: this.#config,
      statics: [...this.#statics.values()],
      selected: this.#discovered.selected,
      listed: this.#discovered.listed,
      tags: this.#discovered.tags,
      tagLabels: settings.discovery?.tagLabels ?? [],
      stuckAfterMs: settings.stuckAfterMs,
    }).filter(
      ({ instanceId }) => this.#isOwn(instanceId) && (!this.#dropped.has(instanceId) || this.#isStatic(instanceId)),
    );
  }

  #isOwn(instanceId: string): boolean {
    const { account, sharding } = this.#config;
    return sharding.count === 1 || shardOf({ account, instanceId }, sharding.count) === sharding.index;
  }

  #isStatic(instanceId: string): boolean {
    return this.#statics.has(instanceId);
  }

  /** Whatever is remembered of an instance is looked at first. */
  #firstOutlook(state: InstanceState): NextPoll {
    return { isActive: state.tasks.length > 0, isUnsupported: false, pendingJobIds: [] };
  }

  #outlook(state: InstanceState): NextPoll {
    const isUnsupported = state.unsupported !== undefined;
    if (state.tasks.length === 0 && !isUnsupported) return NOTHING_RUNS;
    return { isActive: isActive(state), isUnsupported, pendingJobIds: pendingJobIds(state, this.#context.clock.now()) };
  }

  #remove(key: string): void {
    this.#keys.delete(key);
    this.#polling().remove(key);
    this.#context.fleet.unwatch(key);
  }

  #logChanges(added: readonly Instance[], gone: readonly string[]): void {
    const { log, fleet } = this.#context;
    const level = added.length + gone.length > MAX_CHANGES_TOLD ? 'debug' : 'info';
    if (level === 'debug') {
      log.info('targets changed', { ...regionFields(this.#config), added: added.length, gone: gone.length });
    }
    for (const instance of added) log[level]('target added', { ...instanceFields(instance), name: instance.name });
    for (const key of gone) {
      const state = fleet.get(key);
      if (state !== undefined) log[level]('target gone', instanceFields(state.instance));
    }
  }
}
