import type { LookupFunction } from 'node:net';
import { EnvHttpProxyAgent, Pool } from 'undici';
import type { Dispatcher } from 'undici';
import { UsageError } from '../errors.js';

export interface DispatcherOptions {
  /** An origin, such as `https://rds.aliyuncs.com`. */
  readonly endpoint: string;
  /** Covers a whole attempt: name, connection, TLS, request, headers and body. */
  readonly timeoutMs: number;
  /** In place of the system's name resolution. */
  readonly lookup?: LookupFunction | undefined;
  /** Where HTTPS_PROXY, HTTP_PROXY and NO_PROXY are read; the process's own environment unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Longer than the usual interval between two polls of a busy instance, so that a connection is there for the next. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Connections to one endpoint that are kept, directly or through the proxy of the environment.
 * @throws UsageError when the address of the proxy is none
 */
export function createDispatcher({ endpoint, timeoutMs, lookup, env = process.env }: DispatcherOptions): Dispatcher {
  const pool = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: timeoutMs, ...(lookup === undefined ? {} : { lookup }) },
  };
  const httpProxy = proxyOf(env['http_proxy'] ?? env['HTTP_PROXY'] ?? '', 'HTTP_PROXY');
  const httpsProxy = proxyOf(env['https_proxy'] ?? env['HTTPS_PROXY'] ?? '', 'HTTPS_PROXY');
  if ((httpProxy === '' && httpsProxy === '') || isLoopback(new URL(endpoint).hostname))
    return new Pool(endpoint, pool);
  return new EnvHttpProxyAgent({ ...pool, httpProxy, httpsProxy, noProxy: env['no_proxy'] ?? env['NO_PROXY'] ?? '' });
}

/** As other tools read it: `host:port` is short for `http://host:port`. The value may hold a password. */
function proxyOf(value: string, variable: string): string {
  const proxy = value === '' || value.includes('://') ? value : `http://${value}`;
  if (proxy !== '' && !(/^(https?|socks5):/i.test(proxy) && URL.canParse(proxy) && hasReadableLogin(new URL(proxy)))) {
    throw new UsageError([`${variable}: not an address such as http://proxy.example.com:3128`]);
  }
  return proxy;
}

/** undici would throw as late as at the first endpoint that is reached by it. */
function hasReadableLogin({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

/** What no proxy could reach. Go's tools, and so Prometheus, leave it out as well. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
