import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';

const HOST = '127.0.0.1';
/** Longer than any client keeps an idle connection, so that none is closed under a request. */
const KEEP_ALIVE_MS = 120_000;

/** One region's endpoint: plain HTTP on loopback, on a port that it keeps. */
export class Listener {
  readonly #server: Server;
  #port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.#port = port;
  }

  /** Port 0 takes any that is free. */
  static async open(port: number, handle: RequestListener): Promise<Listener> {
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true }, handle);
    const listener = new Listener(server, port);
    await listener.listen();
    return listener;
  }

  get url(): string {
    return `http://${HOST}:${this.#port}`;
  }

  async listen(): Promise<void> {
    if (this.#server.listening) return;
    this.#server.listen(this.#port, HOST);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
  }

  /** Refuses new connections and cuts those that are open. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
