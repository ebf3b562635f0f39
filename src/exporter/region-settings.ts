import type { AccountConfig, Config, RateLimitConfig, RegionConfig } from '../config/config.js';
import type { AccountRegion } from '../domain/model.js';
import { Secret } from '../secret.js';

/** What the configuration says of one account in one region. */
export interface RegionSettings extends AccountRegion {
  readonly account: string;
  readonly settings: AccountConfig;
  readonly region: RegionConfig;
  readonly polling: Config['polling'];
  readonly sharding: Config['sharding'];
}

export function regionSettingsOf(config: Config): readonly RegionSettings[] {
  const { polling, sharding } = config;
  return config.accounts.flatMap((settings) =>
    settings.regions.map((region) => ({
      account: settings.name,
      regionId: region.id,
      settings,
      region,
      polling,
      sharding,
    })),
  );
}

/** The part of a rate limit that is this shard's; a burst below 1 would let nothing through. */
export function shardLimit({ requestsPerSecond, burst }: RateLimitConfig, shards: number): RateLimitConfig {
  return { requestsPerSecond: requestsPerSecond / shards, burst: Math.max(1, burst / shards) };
}

/**
 * Whether two parts of configurations are the same. A secret in a file is compared by its path, since two files that hold
 * the same text today are rotated apart tomorrow; an inline one by its text.
 */
export function isSameConfig(one: unknown, other: unknown): boolean {
  return fingerprint(one) === fingerprint(other);
}

/** Holds secrets: not for keeping or showing. */
function fingerprint(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key: string, shown: unknown) {
    const raw = this[key];
    if (raw instanceof Secret) return raw.file === undefined ? { secret: raw.reveal() } : { file: raw.file };
    return raw instanceof RegExp ? { pattern: raw.source } : shown;
  });
}
