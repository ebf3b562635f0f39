import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { startHandshakesInTurns } from '../../../../dist/web/toolkit/handshakes.js';
import { serve } from '../helpers.js';
import { Certificates } from './certificates.js';

const CONNECTIONS = 40;
/** Other work has every 17th turn at least; without an order, as many turns as connections. */
const FEW = 10;

/** What a server did, in this order, for connections that are opened together, each with a request; by the client's port. */
async function flood(create: (listener: RequestListener) => Server, open: (port: number) => Socket): Promise<string[]> {
  const done: string[] = [];
  const answer: RequestListener = ({ socket }, response) => {
    done.push(`request ${socket.remotePort}`);
    response.end('hello');
  };
  const server = await serve(answer, {
    createServer: (_options, listener) =>
      create(listener)
        .on('connection', ({ remotePort }: Socket) => done.push(`connection ${remotePort}`))
        .on('secureConnection', ({ remotePort }: Socket) => done.push(`handshake ${remotePort}`)),
  });
  const sockets = Array.from({ length: CONNECTIONS }, () => open(server.port));
  await Promise.all(
    sockets.map(async (socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(socket, 'data');
      socket.destroy();
    }),
  );
  await server.close();
  return done;
}

/** How often something was done before the last connection was accepted. */
function early(done: readonly string[], what: string): number {
  const last = done.findLastIndex((one) => one.startsWith('connection'));
  return done.slice(0, last).filter((one) => one.startsWith(what)).length;
}

function portsOf(done: readonly string[], what: string): readonly (string | undefined)[] {
  return done.filter((one) => one.startsWith(what)).map((one) => one.split(' ')[1]);
}

describe('connections that are opened together', () => {
  const certificates = new Certificates();
  before(() => certificates.selfSigned('server', ['subjectAltName=IP:127.0.0.1']));
  after(() => certificates.remove());

  it('are accepted before their requests are begun, but for a few', async () => {
    const done = await flood(createServer, (port) => connect(port, '127.0.0.1'));
    expect(portsOf(done, 'request')).to.have.length(CONNECTIONS);
    expect(early(done, 'request')).to.be.at.most(FEW);
  });

  it('are accepted before their handshakes, and the newest and the oldest go first', async () => {
    const pair = { cert: certificates.text('server.pem'), key: certificates.text('server.key') };
    const done = await flood(
      (listener) => {
        const server = createTlsServer(pair, listener);
        startHandshakesInTurns(server, () => undefined);
        return server;
      },
      (port) => connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }),
    );
    const handshakes = portsOf(done, 'handshake');
    const accepted = portsOf(done, 'connection');
    expect(handshakes).to.have.length(CONNECTIONS);
    expect(early(done, 'handshake')).to.be.at.most(FEW);
    expect(handshakes.slice(0, FEW + 2)).to.include.members([accepted[0], accepted.at(-1)]);
  });
});
