import type { ShardingConfig } from './config.js';
import type { Env } from './expand.js';
import { quote } from './problems.js';
import type { ConfigNode } from './config-node.js';

const MAX_SHARDS = 1000;

export function readSharding(setting: ConfigNode, env: Env): ShardingConfig {
  const key = setting.section(['index', 'count']);
  const count = key('count').number(1, { min: 1, max: MAX_SHARDS, whole: true });
  const given = key('index').parsed(`must be a whole number from 0 to ${MAX_SHARDS - 1}, or auto`, parseIndex);
  const index = given === 'auto' ? podIndex(key('index'), env) : (given ?? 0);
  if (index >= count) {
    const source = given === 'auto' ? `the index ${index}, by POD_NAME,` : 'the index';
    key('index').problem(`${source} must be below count (${count}); indexes begin at 0`);
  }
  return { index, count };
}

function parseIndex(text: string): number | 'auto' | undefined {
  if (text === 'auto') return text;
  return /^\d{1,3}$/.test(text) ? Number(text) : undefined;
}

/** The ordinal that ends the name of a StatefulSet's pod. */
function podIndex(setting: ConfigNode, env: Env): number {
  const name = env.POD_NAME;
  if (name === undefined || name === '') {
    setting.problem('POD_NAME is not set; set it from metadata.name of a StatefulSet, or give the index as a number');
    return NaN;
  }
  const ordinal = /\d+$/.exec(name)?.[0];
  if (ordinal === undefined) {
    setting.problem(`POD_NAME is ${quote(name)}, which does not end in a number; give the index as a number`);
    return NaN;
  }
  return Number(ordinal);
}
