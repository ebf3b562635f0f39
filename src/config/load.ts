import { dirname, resolve } from 'node:path';
import { readAccounts } from './accounts.js';
import type { Config } from './config.js';
import type { Env } from './expand.js';
import { readConfigFile } from './files.js';
import { readPolling } from './polling.js';
import { Problems } from './problems.js';
import { ConfigNode } from './config-node.js';
import { readSharding } from './sharding.js';
import { parseYaml } from './yaml.js';

/** Far beyond the values of a configuration with ten thousand static instances. */
const MAX_VALUES = 300_000;

export interface LoadOptions {
  readonly env: Env;
}

export interface LoadedConfig {
  readonly config: Config;
  /** One line each: what is allowed but probably not meant. */
  readonly warnings: readonly string[];
}

/** @throws UsageError with every problem of the file, one line each */
export function loadConfig(path: string, options: LoadOptions): LoadedConfig {
  return parseConfig(readConfigFile(path), { ...options, file: path });
}

/**
 * @param file how problems name the text; relative paths in it begin in its directory
 * @throws UsageError with every problem of the text, one line each
 */
export function parseConfig(text: string, options: LoadOptions & { readonly file: string }): LoadedConfig {
  const { env, file } = options;
  const problems = new Problems(file);
  const warnings = new Problems(file);
  const yaml = parseYaml(text, problems);
  const directory = dirname(resolve(file));
  const root = ConfigNode.root({ yaml, env, directory, problems, warnings, valuesLeft: MAX_VALUES });
  const key = root.section(['accounts', 'polling', 'sharding', 'state']);
  const polling = readPolling(key('polling'));
  const config = {
    accounts: readAccounts(key('accounts'), polling),
    polling,
    sharding: readSharding(key('sharding'), env),
    state: readState(key('state')),
  };
  problems.throwIfAny();
  return { config: freeze(config), warnings: warnings.lines() };
}

function readState(setting: ConfigNode): Config['state'] {
  if (!setting.given) return undefined;
  return { path: setting.section(['path'])('path').required().file() ?? '' };
}

/** Lists and plain objects, all the way down. */
function freeze<T>(value: T): T {
  if (Array.isArray(value) || (typeof value === 'object' && value !== null && isPlain(value))) {
    for (const inner of Object.values(value)) freeze(inner);
    Object.freeze(value);
  }
  return value;
}

function isPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype;
}
