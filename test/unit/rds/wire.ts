/** A raw HTTP server on loopback that misbehaves as it is told, and an API that speaks to it. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { LookupFunction, Server, Socket } from 'node:net';
import { createRdsClient } from '../../../dist/rds/rds-client.js';
import type { RdsClient } from '../../../dist/rds/rds-client.js';
import type { CredentialsProvider } from '../../../dist/rds/credentials/credentials.js';
import { createCredentials } from '../../../dist/rds/sign.js';
import { FakeClock } from '../../helpers/fake-clock.js';

export const SECRET = 'plantedAccessKeySecret';
export const TOKEN = 'plantedSecurityToken+/==';

/** Called with each request's head, its end included, and the socket to answer on. */
export type Respond = (socket: Socket, head: string) => void;

export interface Observation {
  readonly action: string;
  readonly durationMs: number;
  readonly code: string | undefined;
}

export interface Wire {
  readonly api: RdsClient;
  readonly clock: FakeClock;
  readonly port: number;
  /** The heads of all requests so far. */
  readonly requests: string[];
  readonly observations: Observation[];
  /** Resolves when that many requests have come. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

export interface WireOptions {
  readonly endpoint?: string;
  readonly lookup?: LookupFunction;
  readonly credentials?: CredentialsProvider;
  readonly env?: Readonly<Record<string, string>>;
}

export function fixedCredentials(): CredentialsProvider {
  const credentials = createCredentials({
    accessKeyId: 'plantedAccessKeyId',
    accessKeySecret: SECRET,
    securityToken: TOKEN,
  });
  return {
    current: () => credentials,
    fetch: () => Promise.resolve({ ok: true, value: credentials }),
    review: (error) => error,
    state: () => ({ type: 'sts', healthy: true, problem: undefined, expiresAt: undefined }),
    lookAgain: () => undefined,
  };
}

export async function startWire(respond: Respond, options: WireOptions = {}): Promise<Wire> {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  const waiting = new Set<() => void>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    let buffered = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      buffered += String(chunk);
      for (let end = buffered.indexOf('\r\n\r\n'); end >= 0; end = buffered.indexOf('\r\n\r\n')) {
        const head = buffered.slice(0, end + 4);
        buffered = buffered.slice(end + 4);
        requests.push(head);
        respond(socket, head);
        for (const wake of waiting) wake();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  const clock = new FakeClock();
  const observations: Observation[] = [];
  const api = createRdsClient({
    regionId: 'cn-hangzhou',
    endpoint: options.endpoint ?? `http://127.0.0.1:${port}`,
    credentials: options.credentials ?? fixedCredentials(),
    timeoutMs: 10_000,
    version: '1.2.3',
    clock,
    observe: (action, durationMs, code) => observations.push({ action, durationMs, code }),
    lookup: options.lookup,
    env: options.env ?? {},
  });
  return {
    api,
    clock,
    port,
    requests,
    observations,
    received: (count) =>
      new Promise((resolve) => {
        const wake = (): void => {
          if (requests.length < count) return;
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
        wake();
      }),
    async close() {
      await api.close();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A whole, well-formed answer. */
export function http(status: number, body: string, headers: Record<string, string> = {}): string {
  const lines = Object.entries({ 'content-length': String(Buffer.byteLength(body)), ...headers });
  return `HTTP/1.1 ${status} x\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port');
  return address.port;
}
