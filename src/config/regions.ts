import type { RateLimitConfig, RegionConfig } from './config.js';
import { readRateLimit } from './polling.js';
import type { ConfigNode, Pattern } from './config-node.js';

/** It becomes a part of host names. */
const REGION_ID: Pattern = {
  pattern: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  rule: 'must be a region id: small letters, digits and hyphens, such as cn-hangzhou',
};
const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/;

/** A plain text is short for {id: ...}. */
export function readRegion(setting: ConfigNode, rateLimit: RateLimitConfig): RegionConfig {
  if (!setting.isMapping) {
    return { id: setting.text(REGION_ID) ?? '', network: 'public', endpoint: undefined, rateLimit };
  }
  const key = setting.section(['id', 'network', 'endpoint', 'rate_limit']);
  return {
    id: key('id').required().text(REGION_ID) ?? '',
    network: key('network').choice(['public', 'vpc'], 'public'),
    endpoint: readEndpoint(key('endpoint')),
    rateLimit: readRateLimit(key('rate_limit'), rateLimit),
  };
}

/** The origin of a URL that has nothing else. */
function readEndpoint(setting: ConfigNode): string | undefined {
  const text = setting.text();
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    return setting.problem('must be an address such as https://rds.aliyuncs.com');
  }
  if (url.username !== '' || url.password !== '') return setting.problem('must hold no user name or password');
  if (url.pathname !== '/' || /[?#]/.test(text)) return setting.problem('must hold no path, query or fragment');
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    return setting.problem('plain http is allowed to a loopback address only; use https');
  }
  return url.origin;
}
