/** The configuration of the exporter under simulation, and what of it changes with reloads. */
import type { Config } from '../../dist/config/config.js';
import { parseConfig } from '../../dist/config/load.js';
import { PLACES } from './cloud.js';
import type { Limit } from './quota-watch.js';

export interface Settings {
  readonly idleMinutes: number;
  readonly limit: Limit;
  readonly stuckAfterMinutes: number;
  readonly timeoutSeconds: number;
  /** Instances whose id ends so are left out. */
  readonly excludedDigit: number | undefined;
  /** A place that is not configured for now. */
  readonly without: string | undefined;
}

export const FIRST_SETTINGS: Settings = {
  idleMinutes: 30,
  limit: { requestsPerSecond: 4, burst: 5 },
  stuckAfterMinutes: 30,
  timeoutSeconds: 10,
  excludedDigit: undefined,
  without: undefined,
};

export function excludePattern({ excludedDigit }: Settings): string | undefined {
  return excludedDigit === undefined ? undefined : `^rm-.*${excludedDigit}$`;
}

export function configOf(settings: Settings): Config {
  const { idleMinutes, limit, stuckAfterMinutes, timeoutSeconds, without } = settings;
  const exclude = excludePattern(settings);
  const account = (name: string): string => {
    const regions = PLACES.filter((place) => place.account === name && place.name !== without);
    return `
  - name: ${name}
    credentials: {type: access_key, access_key_id: soak-${name}, access_key_secret: soak-secret}
    regions: [${regions.map(({ regionId, origin }) => `{id: ${regionId}, endpoint: "${origin}"}`).join(', ')}]
    discovery: {refresh_interval: 10m${exclude === undefined ? '' : `, exclude: "${exclude}"`}}`;
  };
  const text = `
accounts: ${['production', 'staging'].map(account).join('')}
polling:
  idle_interval: ${idleMinutes}m
  active_interval: ${6 * idleMinutes}s
  stale_after: ${3 * idleMinutes}m
  stuck_after: ${stuckAfterMinutes}m
  timeout: ${timeoutSeconds}s
  rate_limit: {requests_per_second: ${limit.requestsPerSecond}, burst: ${limit.burst}}
state: {path: ./never-opened}
`;
  return parseConfig(text, { env: {}, file: 'soak.yaml' }).config;
}
