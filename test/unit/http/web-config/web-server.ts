import { once } from 'node:events';
import type { Server } from 'node:http';
import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import type { LogFields, Logger } from '../../../../dist/log.js';
import { openWebConfig } from '../../../../dist/http/web-config/web-security.js';
import type { WebSecurity } from '../../../../dist/http/web-config/web-security.js';
import { FakeClock } from '../../../helpers/fake-clock.js';
import type { Certificates } from './certificates.js';

/** `session` resumes a TLS session. */
export type ClientOptions = https.RequestOptions & { readonly session?: Buffer };

/** What a client got: an answer, or undefined because it was not let in. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: http.IncomingHttpHeaders;
  /** The subject of the server's certificate, when the handshake was this request's. */
  readonly certificate: string | undefined;
}

/** A server on loopback behind a web configuration, which answers `ok 1` to everything that is let through. Prometheus 3 takes no answer without a type. */
export class WebServer {
  readonly clock = new FakeClock();
  readonly logged: { level: string; msg: string; fields: LogFields }[] = [];
  /** Paths that were let through. */
  readonly served: string[] = [];
  /** Passwords compared; set `same` first to answer for bcrypt. */
  readonly compared: string[] = [];
  same: boolean | undefined;
  security!: WebSecurity;
  server!: Server;

  static async start(
    certificates: Certificates,
    yaml: string,
    compare: 'bcrypt' | 'faked' = 'faked',
  ): Promise<WebServer> {
    const started = new WebServer();
    certificates.write('web.yml', yaml);
    started.security = await openWebConfig(certificates.path('web.yml'), {
      log: started.#log(),
      clock: started.clock,
      ...(compare === 'faked' && { compare: (password: string) => started.#compare(password) }),
    });
    started.server = started.security.createServer({}, (request, response) => {
      void started.security.middleware(request, response, () => {
        started.served.push(request.url ?? '');
        response.setHeader('content-type', 'text/plain; version=0.0.4').end('ok 1\n');
      });
    });
    started.server.listen(0, '127.0.0.1');
    await once(started.server, 'listening');
    return started;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  }

  logs(level: string): { msg: string; fields: LogFields }[] {
    return this.logged.filter((entry) => entry.level === level).map(({ msg, fields }) => ({ msg, fields }));
  }

  /** Undefined when the connection fails, in the handshake or after it. */
  async get(path = '/', options: ClientOptions = {}): Promise<Answer | undefined> {
    const target = { host: '127.0.0.1', port: this.port, path, agent: false, rejectUnauthorized: false, ...options };
    const request = this.security.tls ? https.get(target) : http.get(target);
    let certificate: string | undefined;
    request.once('socket', (socket) => {
      socket.once('secureConnect', () => {
        if (socket instanceof TLSSocket) certificate = socket.getPeerX509Certificate()?.subject.replace('CN=', '');
      });
    });
    const response = await new Promise<http.IncomingMessage | undefined>((resolve) => {
      request.once('response', resolve).once('error', () => resolve(undefined));
    });
    if (response === undefined) return undefined;
    return { status: response.statusCode ?? 0, body: await text(response), headers: response.headers, certificate };
  }

  async stop(): Promise<void> {
    if (this.server.listening) {
      const closed = once(this.server, 'close');
      this.server.close();
      this.server.closeAllConnections();
      await closed;
    }
    await this.security.close();
  }

  #log(): Logger {
    const at =
      (level: string) =>
      (msg: string, fields: LogFields = {}): void => {
        this.logged.push({ level, msg, fields });
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }

  async #compare(password: string): Promise<boolean> {
    this.compared.push(password);
    if (this.same === undefined) throw new Error('bcrypt is out');
    return this.same;
  }
}
