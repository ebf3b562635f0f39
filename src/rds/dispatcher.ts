import type { LookupFunction } from 'node:net';
import { EnvHttpProxyAgent, errors, Pool } from 'undici';
import type { buildConnector, Dispatcher } from 'undici';
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
 * Connections to one endpoint that are kept, directly or through the proxy of the environment: as in other tools,
 * HTTPS_PROXY is for endpoints of https, HTTP_PROXY for those of http.
 * @throws UsageError when the address of the proxy is none
 */
export function createDispatcher({ endpoint, timeoutMs, lookup, env = process.env }: DispatcherOptions): Dispatcher {
  const pool = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: timeoutMs, ...(lookup === undefined ? {} : { lookup }) },
  };
  const { protocol, hostname } = new URL(endpoint);
  const variable = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = proxyOf(env[variable.toLowerCase()] ?? env[variable] ?? '', variable);
  if (proxy === '' || isLoopback(hostname)) return new Pool(endpoint, pool);
  return new EnvHttpProxyAgent({
    ...pool,
    ...loginOf(new URL(proxy)),
    httpProxy: proxy,
    httpsProxy: proxy,
    noProxy: env['no_proxy'] ?? env['NO_PROXY'] ?? '',
    // Of the connections to the proxy: it may never answer to CONNECT.
    clientFactory: (origin, options) => new Pool(origin, { ...options, headersTimeout: timeoutMs }),
    factory: (origin, options) => new Pool(origin, failingTunnels(options)),
  });
}

/** undici itself leaves out a login without a password. */
function loginOf({ username, password }: URL): { readonly token?: string } {
  if (username === '') return {};
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return { token: `Basic ${login.toString('base64')}` };
}

/**
 * A socket that ends is no failure to undici, but a reason to connect anew at once: as long as a proxy closed every
 * connection, hundreds a second.
 */
function failingTunnels(options: Pool.Options): Pool.Options {
  const { connect } = options;
  if (typeof connect !== 'function') return options;
  return {
    ...options,
    connect: (target, callback) =>
      connect(target, (...[error, socket]: Parameters<buildConnector.Callback>) => {
        if (error === null) callback(null, socket);
        else callback(error instanceof errors.SocketError ? new Error(`proxy: ${error.message}`) : error, null);
      }),
  };
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
