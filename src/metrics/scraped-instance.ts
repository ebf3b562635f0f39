import type { InstanceState, TrackedTask } from '../domain/instance-state.js';
import { displayedTasks, isFresh } from '../domain/task-status.js';
import type { Instance } from '../domain/model.js';
import { MODES } from '../domain/model.js';
import { labelBytes, moreLabelBytes } from './labels.js';

/** One instance as a scrape sees it: the subject of the families of instances, tasks and outcomes. */
export interface ScrapedInstance {
  readonly state: InstanceState;
  /** `account`, `region_id`, `instance_id`. */
  readonly labels: Uint8Array;
  /** What `instance_info` has beyond these. */
  readonly infoLabels: Uint8Array;
  /** Whether what is known of its tasks is recent enough to be shown. */
  readonly fresh: boolean;
  /** Of each mode that has tasks, the one that its value series show; empty when not fresh. */
  readonly shown: readonly TrackedTask[];
}

/** `staleAfterMs` is the limit in force at the instance's place; 0 when the place is gone. */
export function scrapedInstanceOf(state: InstanceState, nowMs: number, staleAfterMs: number): ScrapedInstance {
  const fresh = isFresh(state, nowMs, staleAfterMs);
  return {
    state,
    ...labelsOf(state.instance),
    fresh,
    shown: fresh && state.tasks.length > 0 ? firstOfEachMode(displayedTasks(state)) : NONE,
  };
}

const NONE: readonly TrackedTask[] = [];

function firstOfEachMode(tasks: readonly TrackedTask[]): readonly TrackedTask[] {
  return MODES.flatMap((mode) => tasks.find(({ task }) => task.mode === mode) ?? []);
}

type InstanceLabels = Pick<ScrapedInstance, 'labels' | 'infoLabels'>;

/** An instance is replaced when it changes, so its labels are written once and go when the instance goes. */
const cache = new WeakMap<Instance, InstanceLabels>();

function labelsOf(instance: Instance): InstanceLabels {
  const known = cache.get(instance);
  if (known !== undefined) return known;
  const { account, regionId, instanceId, name, engine, engineVersion, labels: others } = instance;
  const made = {
    labels: labelBytes({ account, region_id: regionId, instance_id: instanceId }),
    infoLabels: moreLabelBytes({ name, engine, engine_version: engineVersion, ...sorted(others) }),
  };
  cache.set(instance, made);
  return made;
}

/** Parsers cache label sets by their order. */
function sorted(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
