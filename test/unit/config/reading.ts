import { UsageError } from '../../../dist/errors.js';
import { parseConfig } from '../../../dist/config/load.js';
import type { LoadedConfig, LoadOptions } from '../../../dist/config/load.js';

/** Three lines that need nothing else. */
export const ACCOUNT = 'accounts:\n  - name: a\n    regions: [cn-hangzhou]\n';

export function load(text: string, env: LoadOptions['env'] = {}, file = 'c.yaml'): LoadedConfig {
  return parseConfig(text, { env, file });
}

/** What a text or a reader is refused with. */
export function problemsOf(read: string | (() => unknown), env: LoadOptions['env'] = {}): readonly string[] {
  try {
    if (typeof read === 'string') load(read, env);
    else read();
    return [];
  } catch (error) {
    if (error instanceof UsageError) return error.problems;
    throw error;
  }
}
