import type { Instance, AccountRegion } from '../domain/model.js';
import type { ListedInstance } from '../domain/requests.js';

/** Engines that have backup tasks, in the API's own words. */
const ENGINES: ReadonlySet<string> = new Set(['MySQL', 'PostgreSQL', 'SQLServer', 'MariaDB']);
/** DBInstanceType of instances that the API refuses or whose backups are their primary's. */
const TYPES_WITHOUT_TASKS: ReadonlySet<string> = new Set(['Readonly', 'Guard', 'Temp']);

export interface SelectionRules {
  /** Empty: all. */
  readonly engines: readonly string[];
  /** Matched against instance id and description. */
  readonly include: RegExp | undefined;
  readonly exclude: RegExp | undefined;
}

/** An instance that matches the rules but has no backup tasks. */
export interface SkippedInstance {
  readonly instanceId: string;
  readonly name: string;
  readonly reason: string;
}

export interface Selection {
  readonly selected: readonly ListedInstance[];
  readonly skipped: readonly SkippedInstance[];
}

/** Of what the API lists, the instances to poll and those that have nothing to poll. */
export function select(listed: readonly ListedInstance[], rules: SelectionRules): Selection {
  const selected: ListedInstance[] = [];
  const skipped: SkippedInstance[] = [];
  for (const instance of listed) {
    if (!matches(instance, rules)) continue;
    const reason = reasonToLeaveOut(instance);
    if (reason === undefined) selected.push(instance);
    else skipped.push({ instanceId: instance.instanceId, name: instance.name, reason });
  }
  return { selected, skipped };
}

function matches({ instanceId, name, engine }: ListedInstance, { engines, include, exclude }: SelectionRules): boolean {
  const hits = (pattern: RegExp): boolean => pattern.test(instanceId) || pattern.test(name);
  return (
    (engines.length === 0 || engines.includes(engine)) &&
    (include === undefined || hits(include)) &&
    (exclude === undefined || !hits(exclude))
  );
}

function reasonToLeaveOut({ instanceType, engine }: ListedInstance): string | undefined {
  if (TYPES_WITHOUT_TASKS.has(instanceType))
    return `an instance of type ${instanceType} has no backup tasks of its own`;
  return ENGINES.has(engine) ? undefined : `the engine "${engine}" has no backup tasks`;
}

/** A target of the configuration file. */
export interface StaticTarget {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly stuckAfterMs: number;
}

export interface TargetSources {
  readonly accountRegion: AccountRegion;
  /** Of this place. Polled whatever the filters say. */
  readonly statics: readonly StaticTarget[];
  readonly selected: readonly ListedInstance[];
  /** Everything the API listed, to learn the names of static targets that the filters exclude. */
  readonly listed: readonly ListedInstance[];
  readonly tags: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly tagLabels: readonly { readonly tag: string; readonly label: string }[];
  /** For discovered instances that the configuration does not name. */
  readonly stuckAfterMs: number;
}

/** The instances to poll in one place: the discovered and the static, each once, static labels on top. */
export function targetsOf(sources: TargetSources): readonly Instance[] {
  const { accountRegion, statics, selected, listed, stuckAfterMs } = sources;
  const known = new Map(listed.map((instance) => [instance.instanceId, instance]));
  const targets = new Map<string, Instance>();
  for (const instance of selected) {
    const { instanceId } = instance;
    const own = { labels: tagLabelsOf(sources, instanceId), stuckAfterMs };
    targets.set(instanceId, describe(accountRegion, instanceId, instance, own));
  }
  for (const { id, labels, stuckAfterMs: ownMs } of statics) {
    const own = { labels: { ...tagLabelsOf(sources, id), ...labels }, stuckAfterMs: ownMs };
    targets.set(id, describe(accountRegion, id, known.get(id), own));
  }
  return [...targets.values()];
}

/** One literal: an object put together by spreads has a hidden class of its own, larger than the object. */
function describe(
  { account, regionId }: AccountRegion,
  instanceId: string,
  listed: ListedInstance | undefined,
  { labels, stuckAfterMs }: Pick<Instance, 'labels' | 'stuckAfterMs'>,
): Instance {
  const { name = '', engine = '', engineVersion = '' } = listed ?? {};
  return { account, regionId, instanceId, name, engine, engineVersion, labels, stuckAfterMs };
}

const NO_LABELS: Instance['labels'] = {};

/** Only the tags that the instance has: an empty label is no label. */
function tagLabelsOf({ tags, tagLabels }: TargetSources, instanceId: string): Readonly<Record<string, string>> {
  const own = tags.get(instanceId);
  if (own === undefined) return NO_LABELS;
  return Object.fromEntries(
    // An object's prototype has names too: `constructor` may be wanted as a tag.
    tagLabels.flatMap(({ tag, label }) => (Object.hasOwn(own, tag) ? [[label, own[tag] ?? '']] : [])),
  );
}

/** Whether two descriptions of an instance are the same, so that it need not be replaced. */
export function isSameInstance(one: Instance, other: Instance): boolean {
  return (
    one.name === other.name &&
    one.engine === other.engine &&
    one.engineVersion === other.engineVersion &&
    one.stuckAfterMs === other.stuckAfterMs &&
    JSON.stringify(one.labels) === JSON.stringify(other.labels)
  );
}
