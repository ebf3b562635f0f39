import type { RegionConfig, StaticInstanceConfig, TagLabel } from './config.js';
import { AGE } from './polling.js';
import { quote } from './problems.js';
import { VALUE } from './config-node.js';
import type { ConfigNode, Pattern } from './config-node.js';
import { snakeCase } from './snake-case.js';

const INSTANCE_ID: Pattern = {
  pattern: /^[^\s\p{Cc}]{1,128}$/u,
  rule: 'must be an instance id, without spaces, such as rm-bp1example01',
};
/** The labels that instance_info has by itself. */
const OWN_LABELS: ReadonlySet<string> = new Set([
  'account',
  'region_id',
  'instance_id',
  'name',
  'engine',
  'engine_version',
]);

export interface InstanceContext {
  readonly regions: readonly RegionConfig[];
  readonly tagLabels: readonly TagLabel[];
  readonly stuckAfterMs: number;
}

export function readInstance(setting: ConfigNode, context: InstanceContext): StaticInstanceConfig {
  const key = setting.section(['id', 'region', 'labels', 'stuck_after']);
  const region = key('region').required().text() ?? '';
  if (region !== '' && !context.regions.some(({ id }) => id === region)) {
    key('region').problem('the account does not list this region; add it to the regions of the account');
  }
  return {
    id: key('id').required().text(INSTANCE_ID) ?? '',
    region,
    labels: readLabels(key('labels'), context.tagLabels),
    stuckAfterMs: key('stuck_after').duration(context.stuckAfterMs, AGE),
  };
}

function readLabels(setting: ConfigNode, tagLabels: readonly TagLabel[]): Readonly<Record<string, string>> {
  const labels = [...setting.entries()].map(([name, value]) => {
    const problem = labelProblem(name, tagLabels);
    if (problem !== undefined) value.problem(problem);
    return [name, value.text(VALUE) ?? ''] as const;
  });
  return Object.fromEntries(labels);
}

function labelProblem(name: string, tagLabels: readonly TagLabel[]): string | undefined {
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
    return 'a label name must be letters, digits and underscores, and not begin with a digit';
  }
  if (name.startsWith('__')) return 'label names that begin with __ belong to Prometheus';
  if (/[a-z][A-Z]/.test(name)) return `a label name must be in snake case: ${snakeCase(name)}`;
  if (OWN_LABELS.has(name)) return 'instance_info has a label of this name already';
  const tag = tagLabels.find(({ label }) => label === name)?.tag;
  return tag === undefined ? undefined : `instance_info has a label of this name by tag_labels (${quote(tag)})`;
}
