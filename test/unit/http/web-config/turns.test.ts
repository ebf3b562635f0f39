import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { Secret } from '../../../../dist/secret.js';
import { BodyWriter } from '../../../../dist/http/body-writer.js';
import { startHandshakesInTurns } from '../../../../dist/http/web-config/handshakes.js';
import { createTlsServer as createFollowingServer } from '../../../../dist/http/web-config/tls.js';
import type { TlsConfig } from '../../../../dist/http/web-config/tls-config.js';
import { QuietTurns, quietTurns } from '../../../../dist/http/web-config/turns.js';
import { FakeClock } from '../../../helpers/fake-clock.js';
import { ask, serve } from '../helpers.js';
import { Certificates } from './certificates.js';

const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** An event loop that turns when told to. */
class Loop {
  readonly turns = new QuietTurns((run) => this.#next.push(run));
  #next: (() => void)[] = [];

  turn(): void {
    for (const run of this.#next.splice(0)) run();
  }

  /** How many turns it takes until something is so, while a connection is accepted in each. */
  turnsUntil(isSo: () => boolean): number {
    for (let count = 0; ; count++) {
      if (isSo()) return count;
      this.turns.connectionAccepted();
      this.turn();
    }
  }
}

describe('work in quiet turns', () => {
  let loop: Loop;
  let done: string[];
  const work = (name: string) => (): void => void done.push(name);

  beforeEach(() => {
    loop = new Loop();
    done = [];
  });

  it('is done in the next turn while no connection comes, in order', () => {
    loop.turns.run(work('first'));
    loop.turns.run(() => {
      done.push('second');
      loop.turns.run(work('third'));
    });
    loop.turn();
    expect(done).to.deep.equal(['first', 'second']);
    loop.turn();
    expect(done).to.deep.equal(['first', 'second', 'third']);
  });

  it('waits for a turn in which no connection was accepted', () => {
    loop.turns.run(work('first'));
    loop.turns.connectionAccepted();
    loop.turn();
    expect(done).to.deep.equal([]);
    loop.turn();
    expect(done).to.deep.equal(['first']);
  });

  it('waits for sixteen turns at most, and then anew', () => {
    loop.turns.run(work('first'));
    expect(loop.turnsUntil(() => done.length === 1)).to.equal(17);
    loop.turns.run(work('second'));
    expect(loop.turnsUntil(() => done.length === 2)).to.equal(17);
  });
});

describe('handshakes', () => {
  it('start two a quiet turn, those of the newest and of the oldest connection that are open', () => {
    const started: number[] = [];
    const ports = new Map<Socket, number>();
    let prepared = 0;
    const server = createTlsServer();
    server.removeAllListeners('connection').on('connection', (socket: Socket) => started.push(ports.get(socket)!));
    const loop = new Loop();
    startHandshakesInTurns(server, () => prepared++, loop.turns);
    const accept = (): Socket => {
      const socket = new Socket();
      ports.set(socket, ports.size);
      server.emit('connection', socket);
      return socket;
    };
    const sockets = Array.from({ length: 7 }, accept);
    expect(started).to.deep.equal([]);
    loop.turn();
    expect(started).to.deep.equal([6, 0]);
    sockets[1]!.destroy();
    accept();
    loop.turn();
    expect(started).to.deep.equal([6, 0, 7]);
    for (let turns = 0; turns < 2; turns++) loop.turn();
    expect(started).to.deep.equal([6, 0, 7, 5, 2, 4, 3]);
    expect(prepared).to.equal(7);
    accept();
    loop.turn();
    expect(started.at(-1)).to.equal(8);
  });
});

describe('while connections come', () => {
  const certificates = new Certificates();
  let turns: number;

  before(() => certificates.selfSigned('server', ['subjectAltName=IP:127.0.0.1']));
  after(() => certificates.remove());
  beforeEach(() => {
    turns = 0;
  });

  /** As if connections were accepted in this turn of the event loop and in the four after it. */
  function acceptFive(): void {
    turns++;
    quietTurns.connectionAccepted();
    if (turns < 5) setImmediate(acceptFive);
  }

  for (const [path, waited] of [
    ['/', 5],
    ['/-/healthy', 1],
  ] as const) {
    it(`a request for ${path} is handed on in turn ${waited}`, async () => {
      let before: number | undefined;
      const answer: RequestListener = (_request, response) => {
        before = turns;
        response.end();
      };
      const server = await serve(answer, {
        createServer: (options, listener) =>
          createServer(options, listener).on('connection', (socket: Socket) => socket.once('data', acceptFive)),
      });
      await ask(server, path);
      await server.close();
      expect(before).to.equal(waited);
    });
  }

  it('a body waits', async () => {
    const writer = new BodyWriter({ clock: new FakeClock(), log });
    let before: number | undefined;
    const server = await serve((request, response) => {
      const write = response.write.bind(response);
      response.write = (chunk: Uint8Array) => {
        before ??= turns;
        return write(chunk);
      };
      writer.send(request, response, [Buffer.from('hello')]);
      acceptFive();
    });
    expect((await ask(server, '/')).body).to.equal('hello');
    await server.close();
    expect(before).to.equal(5);
  });

  it('a handshake waits', async () => {
    let before: number | undefined;
    const config: TlsConfig = {
      cert: certificates.text('server.pem'),
      key: new Secret(certificates.text('server.key')),
      clientCa: undefined,
      clientAuth: 'NoClientCert',
      allowedSans: undefined,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      ciphers: undefined,
      preferServerCiphers: true,
      curves: undefined,
    };
    const current = (): TlsConfig => {
      before = turns;
      return config;
    };
    const server = await serve((_request, response) => response.end('hello'), {
      createServer: (http, listener) =>
        createFollowingServer({ http, listener, current, log }).on('connection', acceptFive),
    });
    const socket = connectTls({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    socket.destroy();
    await server.close();
    expect(before).to.equal(5);
  });

  it('a connection makes other work wait for a turn', async () => {
    const order: string[] = [];
    const server = await serve(ignore, {
      createServer: (options, listener) =>
        createServer(options, listener).on('connection', () => {
          setImmediate(() => {
            order.push('this turn');
            setImmediate(() => order.push('the next turn'));
          });
          quietTurns.run(() => order.push('work'));
        }),
    });
    const socket = connect(server.port, '127.0.0.1');
    while (order.length < 3) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    await server.close();
    expect(order).to.deep.equal(['this turn', 'the next turn', 'work']);
  });
});
