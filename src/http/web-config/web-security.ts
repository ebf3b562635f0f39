import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Clock } from '../../clock.js';
import { messageOf, UsageError } from '../../errors.js';
import type { Logger } from '../../log.js';
import { readRegularFile } from '../../regular-file.js';
import { refuse } from '../error-body.js';
import { BasicAuth } from './basic-auth.js';
import type { Compare } from './basic-auth.js';
import { BcryptThread } from './bcrypt-thread.js';
import { WatchedFile } from './watched-file.js';
import { RateLimit } from './rate-limit.js';
import type { TlsConfig } from './tls-config.js';
import { readWebConfig } from './web-config.js';
import type { WebConfig } from './web-config.js';

/** Whether the files as they are now are in force; if not, why the last good ones are. Holds no secret. */
export interface WebConfigStatus {
  readonly ok: boolean;
  readonly problem: string | undefined;
}

/** What `--web.config.file` asks for, in force. The file and those it names are followed without a restart. */
export interface WebSecurity {
  /** Whether its servers speak TLS. */
  readonly tls: boolean;
  createServer(options: ServerOptions, listener: RequestListener): Server;
  /** Sets the headers, then lets through, or answers 429, 401, or 503 while too many logins wait. */
  middleware(request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void>;
  status(): WebConfigStatus;
  close(): Promise<void>;
}

export interface WebSecurityOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** bcrypt, by default in a thread. */
  readonly compare?: Compare;
}

/**
 * The warnings of a file that could be opened.
 * @throws UsageError as `openWebConfig` does
 */
export async function checkWebConfig(path: string): Promise<readonly string[]> {
  const { tls, warnings } = readWebConfig(path, { readFile: readRegularFile, following: false });
  const problem = tls && (await import('./tls.js')).problemOf(tls);
  if (problem !== undefined) throw unusableTls(path, problem);
  return warnings;
}

/** @throws UsageError with every problem of the file, or that it cannot be read */
export async function openWebConfig(path: string, { log, clock, compare }: WebSecurityOptions): Promise<WebSecurity> {
  const thread = new BcryptThread(clock);
  const auth = new BasicAuth(compare ?? ((password, hash) => thread.compare(password, hash)));
  // Loaded only for a server that speaks it; whether it does is settled here once and for all.
  const tls = readWebConfig(path, { readFile: readRegularFile, following: false }).tls && (await import('./tls.js'));
  let limit: RateLimit | undefined;

  const adopt = (config: WebConfig): void => {
    limit = config.rateLimit && new RateLimit(config.rateLimit, clock);
    log.info('web configuration in force', { file: path, tls: config.tls !== undefined, users: config.users.size });
    for (const warning of config.warnings) log.warn('web configuration is doubtful', { file: path, warning });
  };
  const followed: WatchedFile<WebConfig> = new WatchedFile({
    load: (readFile, following) => {
      const config = readWebConfig(path, { readFile, following });
      const switched = (config.tls === undefined) !== (tls === undefined);
      const problem = switched
        ? 'TLS cannot be switched on or off without a restart'
        : config.tls && tls?.problemOf(config.tls);
      if (problem !== undefined) throw unusableTls(path, problem);
      return config;
    },
    changed: adopt,
    broken: (problem) => log.error('web configuration is broken, the last good one stays', { file: path, problem }),
  });
  adopt(followed.current());

  const judge = async (users: WebConfig['users'], request: IncomingMessage): Promise<Refusal | undefined> => {
    const attempt = { authorization: request.headers.authorization, from: request.socket.remoteAddress ?? '' };
    try {
      const verdict = await auth.check(users, attempt);
      if (verdict === 'granted') return undefined;
      return verdict === 'busy' ? 503 : 401;
    } catch (error) {
      log.error('password could not be compared', { error: messageOf(error) });
      return 500;
    }
  };

  return {
    tls: tls !== undefined,
    createServer(options, listener) {
      if (tls === undefined) return createServer(options, listener);
      return tls.createTlsServer({ http: options, listener, current: () => tlsOf(followed.current()), log });
    },
    async middleware(request, response, next) {
      const { headers, users } = followed.current();
      for (const [name, value] of Object.entries(headers)) {
        if (value === '') response.removeHeader(name);
        else response.setHeader(name, value);
      }
      if (limit?.allow() === false) return refuse(request, response, 429);
      const refusal = users.size === 0 ? undefined : await judge(users, request);
      return refusal === undefined ? next() : refuse(request, response, refusal, ADVICE[refusal]);
    },
    status() {
      followed.current();
      return { ok: followed.problem === undefined, problem: followed.problem };
    },
    close: () => thread.close(),
  };
}

function unusableTls(path: string, problem: string): UsageError {
  return new UsageError([`${path}:1: tls_server_config: ${problem}`]);
}

/** @throws never: `load` lets no configuration in that switches TLS off */
function tlsOf({ tls }: WebConfig): TlsConfig {
  if (tls === undefined) throw new Error('TLS was switched off');
  return tls;
}

type Refusal = 401 | 429 | 500 | 503;

/** How the client may do better next time. */
const ADVICE: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'WWW-Authenticate': 'Basic' },
  503: { 'Retry-After': '1' },
};
