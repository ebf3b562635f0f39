import type { CredentialsSpec } from '../domain/credentials.js';
import { stringify } from 'yaml';
import type {
  AccountConfig,
  Config,
  DiscoveryConfig,
  PollingConfig,
  RateLimitConfig,
  RegionConfig,
  StaticInstanceConfig,
} from './config.js';
import { formatDuration } from './duration.js';
import { unexpand } from './expand.js';

/**
 * The configuration in force, written as a file that would load again: defaults filled in, overrides resolved, paths
 * absolute, and secrets shown as `<secret>`.
 */
export function effectiveYaml({ accounts, polling, sharding, state }: Config): string {
  const file = { accounts: accounts.map(account), polling: pollingBlock(polling), sharding, state };
  const literal = (_key: unknown, value: unknown): unknown => (typeof value === 'string' ? unexpand(value) : value);
  return stringify(file, literal, { lineWidth: 0, aliasDuplicateObjects: false });
}

function account({ name, credentials, regions, instances, discovery, stuckAfterMs }: AccountConfig): object {
  return {
    name,
    credentials: credentialsBlock(credentials),
    regions: regions.map(region),
    instances: instances.map(instance),
    discovery: discovery === undefined ? { enabled: false } : discoveryBlock(discovery),
    stuck_after: formatDuration(stuckAfterMs),
  };
}

function credentialsBlock(credentials: CredentialsSpec): object {
  switch (credentials.type) {
    case 'default':
      return { type: credentials.type };
    case 'access_key':
    case 'sts':
      return {
        type: credentials.type,
        access_key_id: credentials.accessKeyId,
        access_key_secret: credentials.accessKeySecret,
        security_token: 'securityToken' in credentials ? credentials.securityToken : undefined,
      };
    case 'ram_role_arn':
      return {
        type: credentials.type,
        ...sessionKeys(credentials),
        external_id: credentials.externalId,
        source: credentialsBlock(credentials.source),
      };
    case 'oidc_role_arn':
      return {
        type: credentials.type,
        ...sessionKeys(credentials),
        oidc_provider_arn: credentials.oidcProviderArn,
        oidc_token_file: credentials.oidcTokenFile,
      };
    case 'ecs_ram_role':
      return { type: credentials.type, role_name: credentials.roleName };
    case 'credentials_uri':
    default:
      return { type: credentials.type, uri: credentials.uri };
  }
}

function sessionKeys(session: CredentialsSpec & { type: 'ram_role_arn' | 'oidc_role_arn' }): object {
  return {
    role_arn: session.roleArn,
    role_session_name: session.roleSessionName,
    duration: session.durationMs === undefined ? undefined : formatDuration(session.durationMs),
    sts_endpoint: session.stsEndpoint,
  };
}

function region({ id, network, endpoint, rateLimit }: RegionConfig): object {
  return { id, network, endpoint, rate_limit: rateLimitBlock(rateLimit) };
}

function rateLimitBlock({ requestsPerSecond, burst }: RateLimitConfig): object {
  return { requests_per_second: requestsPerSecond, burst };
}

function instance({ id, region: regionId, labels, stuckAfterMs }: StaticInstanceConfig): object {
  return { id, region: regionId, labels, stuck_after: formatDuration(stuckAfterMs) };
}

function discoveryBlock(discovery: DiscoveryConfig): object {
  return {
    enabled: true,
    refresh_interval: formatDuration(discovery.refreshIntervalMs),
    engines: discovery.engines,
    tags: discovery.tags,
    resource_group_id: discovery.resourceGroupId,
    include: discovery.include?.source,
    exclude: discovery.exclude?.source,
    tag_labels: discovery.tagLabels.map(({ tag }) => tag),
  };
}

function pollingBlock(polling: PollingConfig): object {
  return {
    idle_interval: formatDuration(polling.idleIntervalMs),
    active_interval: formatDuration(polling.activeIntervalMs),
    timeout: formatDuration(polling.timeoutMs),
    max_attempts: polling.maxAttempts,
    concurrency: polling.concurrency,
    rate_limit: rateLimitBlock(polling.rateLimit),
    stale_after: formatDuration(polling.staleAfterMs),
    stuck_after: formatDuration(polling.stuckAfterMs),
  };
}
