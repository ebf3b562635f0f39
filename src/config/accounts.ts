import type { AccountConfig, PollingConfig, RateLimitConfig, RegionConfig, StaticInstanceConfig } from './config.js';
import { readCredentials } from './credentials.js';
import { readDiscovery } from './discovery.js';
import { readInstance } from './instances.js';
import type { InstanceContext } from './instances.js';
import { AGE, readRateLimit } from './polling.js';
import { readRegion } from './regions.js';
import type { ConfigNode, Pattern } from './config-node.js';
import { unique } from './unique.js';

const NAME: Pattern = {
  pattern: /^[^\s\p{Cc}](?:[^\p{Cc}]{0,126}[^\s\p{Cc}])?$/u,
  rule: 'must be 1 to 128 characters, without control characters and without spaces at the ends',
};

export function readAccounts(setting: ConfigNode, polling: PollingConfig): readonly AccountConfig[] {
  const items = setting.required().items('must list at least one account');
  return unique('duplicate account', items, (item) => {
    const account = readAccount(item, polling);
    return { key: item.nameKey('name'), name: account.name, value: account };
  });
}

function readAccount(setting: ConfigNode, polling: PollingConfig): AccountConfig {
  const key = setting.section([
    'name',
    'credentials',
    'regions',
    'instances',
    'discovery',
    'rate_limit',
    'stuck_after',
  ]);
  const stuckAfterMs = key('stuck_after').duration(polling.stuckAfterMs, AGE);
  const rateLimit = readRateLimit(key('rate_limit'), polling.rateLimit);
  const regions = readRegions(key('regions'), rateLimit);
  const discovery = readDiscovery(key('discovery'), !key('instances').given);
  const tagLabels = discovery?.tagLabels ?? [];
  const instances = readInstances(key('instances'), { regions, tagLabels, stuckAfterMs });
  if (discovery === undefined && instances.length === 0) {
    key('name').warning('lists no instances and discovery is off: nothing of this account is polled');
  }
  return {
    name: key('name').required().text(NAME) ?? '',
    credentials: readCredentials(key('credentials')),
    regions,
    instances,
    discovery,
    stuckAfterMs,
  };
}

function readRegions(setting: ConfigNode, rateLimit: RateLimitConfig): readonly RegionConfig[] {
  const items = setting.required().items('must list at least one region');
  return unique('duplicate region', items, (item) => {
    const region = readRegion(item, rateLimit);
    return { key: item.nameKey('id'), name: region.id, value: region };
  });
}

function readInstances(setting: ConfigNode, context: InstanceContext): readonly StaticInstanceConfig[] {
  return unique('duplicate instance', setting.items(), (item) => {
    const instance = readInstance(item, context);
    const name = instance.id === '' ? '' : `${instance.region}/${instance.id}`;
    return { key: item.nameKey('id'), name, value: instance };
  });
}
