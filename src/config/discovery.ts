import { messageOf } from '../errors.js';
import type { DiscoveryConfig, TagLabel } from './config.js';
import { TIMER } from './polling.js';
import { quote } from './problems.js';
import { VALUE } from './config-node.js';
import type { ConfigNode } from './config-node.js';
import { snakeCase } from './snake-case.js';
import { unique } from './unique.js';

/** Engine of DescribeDBInstances (2014-08-15). */
export const ENGINES = ['MySQL', 'SQLServer', 'PostgreSQL', 'MariaDB'] as const;
/** What Tags of DescribeDBInstances takes. */
const MAX_TAGS = 5;
const TAG_NAME = /^[^\p{Cc}]{1,128}$/u;
export const DEFAULT_REFRESH_INTERVAL_MS = 10 * 60_000;

/** Undefined when discovery is off. */
export function readDiscovery(setting: ConfigNode, onByDefault: boolean): DiscoveryConfig | undefined {
  const key = setting.section([
    'enabled',
    'refresh_interval',
    'engines',
    'tags',
    'resource_group_id',
    'include',
    'exclude',
    'tag_labels',
  ]);
  const discovery = {
    refreshIntervalMs: key('refresh_interval').duration(DEFAULT_REFRESH_INTERVAL_MS, TIMER),
    engines: readEngines(key('engines')),
    tags: readTags(key('tags')),
    resourceGroupId: key('resource_group_id').text(),
    include: readPattern(key('include')),
    exclude: readPattern(key('exclude')),
    tagLabels: readTagLabels(key('tag_labels')),
  };
  return key('enabled').flag(setting.given || onByDefault) ? discovery : undefined;
}

function readEngines(setting: ConfigNode): readonly string[] {
  const engines = unique('duplicate engine', setting.items(), (item) => {
    const engine = item.choice(ENGINES, undefined);
    return { key: item, name: engine ?? '', value: engine };
  });
  return engines.filter((engine) => engine !== undefined);
}

function readTags(setting: ConfigNode): Readonly<Record<string, string>> {
  const tags = [...setting.entries()];
  if (tags.length > MAX_TAGS) setting.problem(`${tags.length} tags; the API filters by at most ${MAX_TAGS}`);
  const pairs = tags.map(([name, value]) => {
    if (!TAG_NAME.test(name))
      value.problem('a tag name must have 1 to 128 characters, none of them a control character');
    return [name, value.text(VALUE) ?? ''] as const;
  });
  return Object.fromEntries(pairs);
}

/** Unanchored, on instance id or description. */
function readPattern(setting: ConfigNode): RegExp | undefined {
  const text = setting.text();
  if (text === undefined) return undefined;
  try {
    return new RegExp(text);
  } catch (error) {
    const reason = messageOf(error).replace(/^Invalid regular expression: .*: /, '');
    return setting.problem(`not a regular expression (JavaScript syntax): ${reason}`);
  }
}

function remedyFor(tag: string): string {
  return /^\p{ASCII}*$/u.test(tag)
    ? '; list one of the two'
    : ': only ASCII letters, digits and _ stay as they are, all else becomes _; list one of the two, or give the instances a tag with another name';
}

function readTagLabels(setting: ConfigNode): readonly TagLabel[] {
  const taken = new Map<string, string>();
  return setting.items().flatMap((item) => {
    const tag = item.text();
    if (tag === undefined) return [];
    const label = `tag_${snakeCase(tag.replaceAll(/[^a-zA-Z0-9_]/gu, '_'))}`;
    const other = taken.get(label);
    if (other === tag) item.problem('this tag is listed already');
    else if (other !== undefined) item.problem(`its label ${label} is also that of ${quote(other)}${remedyFor(tag)}`);
    else taken.set(label, tag);
    return [{ tag, label }];
  });
}
