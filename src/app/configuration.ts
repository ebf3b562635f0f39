import { isKnownRegion } from '../alibaba/endpoints.js';
import type { Config } from '../config/config.js';
import type { LoadedConfig } from '../config/load.js';

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
