import type { CredentialsSpec } from '../domain/credentials.js';
import type { AccountRegion } from '../domain/model.js';
import { Secret } from '../secret.js';
import type { PollSettings } from './poll-loop.js';
import type { SelectionRules, StaticTarget } from './selection.js';
import type { RateLimit } from './token-bucket.js';

export interface DiscoverySettings extends SelectionRules {
  readonly refreshIntervalMs: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly resourceGroupId: string | undefined;
  readonly tagLabels: readonly { readonly tag: string; readonly label: string }[];
}

/** What is configured for one account in one region. */
export interface RegionSettings extends AccountRegion {
  readonly settings: {
    readonly credentials: CredentialsSpec;
    readonly instances: readonly (StaticTarget & { readonly region: string })[];
    /** Undefined when discovery is off. */
    readonly discovery: DiscoverySettings | undefined;
    /** For the instances that discovery finds. */
    readonly stuckAfterMs: number;
  };
  readonly region: {
    readonly id: string;
    readonly network: 'public' | 'vpc';
    /** An origin; undefined: by the endpoint table. */
    readonly endpoint: string | undefined;
    /** Not yet divided by the shards. */
    readonly rateLimit: RateLimit;
  };
  readonly polling: PollSettings & { readonly timeoutMs: number; readonly staleAfterMs: number };
  readonly sharding: { readonly index: number; readonly count: number };
}

/** The part of a rate limit that is this shard's; a burst below 1 would let nothing through. */
export function shardLimit({ requestsPerSecond, burst }: RateLimit, shards: number): RateLimit {
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
