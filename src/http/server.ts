import { createServer as createHttpServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, Server, ServerOptions } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import { answerClientErrors } from './client-error.js';
import { limitConnections } from './connection-limit.js';
import { refuse } from './error-body.js';
import { serveOneAtATime } from './one-at-a-time.js';
import { quietTurns } from './web-config/turns.js';

/** Where to listen; without a host on all interfaces, IPv4 and IPv6. */
export interface ListenAddress {
  readonly host: string | undefined;
  readonly port: number;
}

/** Makes the server of one address: `http.createServer`, or one that speaks TLS. */
export type CreateServer = (options: ServerOptions, listener: RequestListener) => Server | TlsServer;

export interface ServersOptions {
  /** At least one. */
  readonly addresses: readonly ListenAddress[];
  readonly listener: RequestListener;
  readonly clock: Clock;
  readonly createServer?: CreateServer;
  readonly limits?: Partial<ServerLimits>;
}

/** What a client may take, for each listen address. Milliseconds and bytes. */
export interface ServerLimits {
  /** From the first byte of a connection or request to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestTimeoutMs: number;
  /** A connection on which nothing moves while an answer is being sent. */
  readonly idleTimeoutMs: number;
  /** A connection between two requests: longer than the usual scrape interval, so that a scraper keeps its own. */
  readonly keepAliveTimeoutMs: number;
  /** Beyond it, the address that holds the most loses its newest. */
  readonly maxConnections: number;
  /** The last one's answer closes the connection: who sends many without waiting for an answer must not keep the exporter busy. */
  readonly maxRequestsPerConnection: number;
  /** Request line and headers together; more is answered with 431. */
  readonly maxHeaderBytes: number;
}

const LIMITS: ServerLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  idleTimeoutMs: 60_000,
  keepAliveTimeoutMs: 75_000,
  maxConnections: 512,
  maxRequestsPerConnection: 100,
  maxHeaderBytes: 16_384,
};

export interface Servers {
  /** The addresses really bound: a port 0 is resolved. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** Stops accepting, lets running requests finish, and cuts off what is left after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * Listens on every address.
 * @throws an Error with one line that names the address, after closing those that were open already
 */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const { addresses, clock } = options;
  const opened: OneServer[] = [];
  try {
    for (const address of addresses) opened.push(await openServer(address, options));
  } catch (error) {
    await Promise.all(opened.map((server) => server.close(clock, 0)));
    throw error;
  }
  return {
    addresses: opened.map((server) => server.bound),
    async close(deadlineMs) {
      await Promise.all(opened.map((server) => server.close(clock, deadlineMs)));
    },
  };
}

interface OneServer {
  readonly bound: { readonly host: string; readonly port: number };
  close(clock: Clock, deadlineMs: number): Promise<void>;
}

async function openServer(address: ListenAddress, options: ServersOptions): Promise<OneServer> {
  const limits = { ...LIMITS, ...options.limits };
  let closing = false;
  const requests = new WeakMap<Duplex, number>();
  const server = (options.createServer ?? createHttpServer)(serverOptions(limits), (request, response) => {
    response.once('close', () => {
      // The socket counts as idle only after this event.
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
    const count = (requests.get(request.socket) ?? 0) + 1;
    requests.set(request.socket, count);
    const isLast = closing || count >= limits.maxRequestsPerConnection || carriesBody(request.headers);
    if (isLast) response.setHeader('Connection', 'close');
    if (lacksHost(request)) refuse(request, response, 400);
    else options.listener(request, response);
  });
  const targetOf = serveOneAtATime(server);
  answerClientErrors(server, targetOf);
  // An expectation that nobody knows may be passed over.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('connection', () => quietTurns.connectionAccepted());
  server.on('connect', refuseTunnel);
  limitConnections(server, limits.maxConnections);
  server.timeout = limits.idleTimeoutMs;
  await listen(server, address);
  return {
    bound: boundTo(server),
    close(clock, deadlineMs) {
      closing = true;
      return closeServer(server, clock, deadlineMs);
    },
  };
}

const NO_TUNNEL =
  'HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD, OPTIONS\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** CONNECT never reaches the listener; unheard, it would be cut off without a word. */
function refuseTunnel(_request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => undefined);
  socket.end(NO_TUNNEL, () => socket.destroy());
}

function boundTo(server: Server | TlsServer): ListenAddress & { readonly host: string } {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server is not bound to a port');
  return { host: bound.address, port: bound.port };
}

function serverOptions(limits: ServerLimits): ServerOptions {
  return {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
    maxHeaderSize: limits.maxHeaderBytes,
    noDelay: true,
    requireHostHeader: false,
  };
}

/** What HTTP/1.1 asks for. Node.js' own refusal would have no body. */
function lacksHost({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion === '1.1' && headers.host === undefined;
}

/** No route reads a body: the connection that brings one is closed after the answer, not read to its end. */
function carriesBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function listen(server: Server | TlsServer, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      reject(new Error(`cannot listen on ${formatAddress(host, port)}: ${reasonOf(error)}`, { cause: error }));
    };
    server.once('error', fail);
    server.listen(host === undefined ? { port } : { host, port }, () => {
      server.removeListener('error', fail);
      resolve();
    });
  });
}

const LISTEN_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is already in use',
  EACCES: 'permission denied (ports below 1024 need a privilege)',
  EADDRNOTAVAIL: 'no interface of this machine has the address',
  ENOTFOUND: 'the host name does not resolve',
  EAI_AGAIN: 'the host name does not resolve',
};

/** As in a URL: an IPv6 address stands in brackets. */
export function formatAddress(host: string | undefined, port: number): string {
  return `${host?.includes(':') ? `[${host}]` : (host ?? '')}:${port}`;
}

function reasonOf(error: NodeJS.ErrnoException): string {
  return LISTEN_REASONS[error.code ?? ''] ?? messageOf(error);
}

function closeServer(server: Server | TlsServer, clock: Clock, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(deadlineMs, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}
