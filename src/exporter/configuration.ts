import { isKnownRegion } from '../rds/endpoints.js';
import type { Config } from '../config/config.js';
import type { LoadedConfig } from '../config/load.js';
import { UsageError } from '../errors.js';
import { checkWebConfig } from '../http/web-config/web-security.js';

/**
 * Reads the configuration and, if there is one, the web configuration; what they are probably not meant to say, one line each.
 * @throws UsageError with every problem of both
 */
export async function checkConfiguration(
  readConfig: () => LoadedConfig,
  webConfigFile: string | undefined,
): Promise<{ readonly config: Config; readonly warnings: readonly string[] }> {
  const problems: string[] = [];
  const note = (thrown: unknown): undefined => {
    if (!(thrown instanceof UsageError)) throw thrown;
    problems.push(...thrown.problems);
  };
  const loaded = await new Promise<LoadedConfig>((resolve) => resolve(readConfig())).catch(note);
  const webWarnings = webConfigFile === undefined ? [] : await checkWebConfig(webConfigFile).catch(note);
  if (loaded === undefined || webWarnings === undefined) throw new UsageError(problems);
  return { config: loaded.config, warnings: [...warningsOf(loaded), ...webWarnings] };
}

/** What a configuration is probably not meant to say, one line each. */
export function warningsOf({ config, warnings }: LoadedConfig): readonly string[] {
  const unknown = new Set(config.accounts.flatMap(({ regions }) => regions.filter(isUnknown).map(({ id }) => id)));
  return [
    ...warnings,
    ...[...unknown].map((id) => `region ${id} is not in the endpoint table: calling rds.${id}.aliyuncs.com`),
  ];
}

function isUnknown({ id, endpoint, network }: Config['accounts'][number]['regions'][number]): boolean {
  return endpoint === undefined && network === 'public' && !isKnownRegion(id);
}

/** What only a restart can change, and why; empty when the new configuration can be taken over as it is. */
export function needsRestart(before: Config, after: Config): readonly string[] {
  const problems: string[] = [];
  if (before.sharding.index !== after.sharding.index || before.sharding.count !== after.sharding.count) {
    problems.push('sharding: a change moves instances between shards and needs a restart');
  }
  if (before.state?.path !== after.state?.path) {
    problems.push('state: a change of the store needs a restart');
  }
  return problems;
}
