import type { CredentialsSpec } from '../domain/credentials.js';

/** The checked configuration: every default filled in, every override resolved, frozen. Durations are milliseconds. */
export interface Config {
  readonly accounts: readonly AccountConfig[];
  readonly polling: PollingConfig;
  readonly sharding: ShardingConfig;
  /** Undefined: nothing is kept over a restart. */
  readonly state: { readonly path: string } | undefined;
}

export interface AccountConfig {
  readonly name: string;
  readonly credentials: CredentialsSpec;
  readonly regions: readonly RegionConfig[];
  readonly instances: readonly StaticInstanceConfig[];
  /** Undefined when discovery is off. */
  readonly discovery: DiscoveryConfig | undefined;
  /** The account's own threshold, or polling's: for the instances that discovery finds. */
  readonly stuckAfterMs: number;
}

export interface RegionConfig {
  readonly id: string;
  readonly network: 'public' | 'vpc';
  /** An origin without a path, such as `https://rds.aliyuncs.com`; undefined: by the endpoint table. */
  readonly endpoint: string | undefined;
  /** The region's, over the account's, over polling's; not yet divided by the shards. */
  readonly rateLimit: RateLimitConfig;
}

export interface RateLimitConfig {
  readonly requestsPerSecond: number;
  readonly burst: number;
}

export interface StaticInstanceConfig {
  readonly id: string;
  readonly region: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The instance's own, over the account's, over polling's. */
  readonly stuckAfterMs: number;
}

export interface DiscoveryConfig {
  readonly refreshIntervalMs: number;
  /** Empty: all engines. */
  readonly engines: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly resourceGroupId: string | undefined;
  readonly include: RegExp | undefined;
  readonly exclude: RegExp | undefined;
  readonly tagLabels: readonly TagLabel[];
}

/** An instance tag and the label it is shown as: `tag_` and the tag's name in snake case, made valid. */
export interface TagLabel {
  readonly tag: string;
  readonly label: string;
}

export interface PollingConfig {
  readonly idleIntervalMs: number;
  readonly activeIntervalMs: number;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  /** Requests in flight, whole process. */
  readonly concurrency: number;
  /** What accounts and regions without their own have; not yet divided by the shards. */
  readonly rateLimit: RateLimitConfig;
  readonly staleAfterMs: number;
  /** What accounts and instances without their own have. */
  readonly stuckAfterMs: number;
}

export interface ShardingConfig {
  readonly index: number;
  readonly count: number;
}
