import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { EventEmitter, once } from 'node:events';
import { expect } from 'chai';
import { systemClock } from '../../../dist/clock.js';
import { startServers } from '../../../dist/http/server.js';
import type { Servers } from '../../../dist/http/server.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { dialogue, serve, untilClosed } from './helpers.js';

const ok = { status: 200 };

describe('the HTTP servers', () => {
  const open: Servers[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((servers) => servers.close(0)));
  });
  const answer = (text: string) => (_request: unknown, response: { end(text: string): void }) => response.end(text);

  it('listen on several addresses, IPv4 and IPv6', async () => {
    const addresses = [
      { host: '127.0.0.1', port: 0 },
      { host: '::1', port: 0 },
    ];
    const servers = await startServers({ addresses, listener: answer('hello'), clock: systemClock() });
    open.push(servers);
    expect(servers.addresses.map(({ host }) => host)).to.deep.equal(['127.0.0.1', '::1']);
    for (const { host, port } of servers.addresses) {
      const url = host.includes(':') ? `http://[${host}]:${port}` : `http://${host}:${port}`;
      expect(await (await fetch(url)).text()).to.equal('hello');
    }
  });

  it('listen on every interface, dual-stack, without a host', async () => {
    const { servers, port } = await serve(answer('hello'), { addresses: [{ host: undefined, port: 0 }] });
    open.push(servers);
    for (const host of ['127.0.0.1', '[::1]']) {
      expect((await fetch(`http://${host}:${port}`)).status).to.equal(ok.status);
    }
  });

  it('name the address that is in use, and close those opened before', async () => {
    const first = await serve(answer('first'));
    open.push(first.servers);
    const free = await serve(answer('free'));
    await free.close();
    const addresses = [
      { host: '127.0.0.1', port: free.port },
      { host: '127.0.0.1', port: first.port },
    ];
    const failure = await startServers({ addresses, listener: answer('second'), clock: systemClock() }).catch(String);
    expect(failure).to.equal(`Error: cannot listen on 127.0.0.1:${first.port}: the address is already in use`);
    const again = await serve(answer('again'), { addresses: addresses.slice(0, 1) });
    open.push(again.servers);
  });

  it('name an address that no interface has, with IPv6 in brackets', async () => {
    const addresses = [{ host: '2001:db8::1', port: 10_525 }];
    const failure = await startServers({ addresses, listener: answer(''), clock: systemClock() }).catch(String);
    expect(failure).to.equal(
      'Error: cannot listen on [2001:db8::1]:10525: no interface of this machine has the address',
    );
  });

  it('are made by whoever puts in TLS', async () => {
    const made: number[] = [];
    const { servers, origin } = await serve(answer('hello'), {
      createServer: (options, listener) => {
        made.push(options.maxHeaderSize ?? 0);
        return createServer(options, listener);
      },
    });
    open.push(servers);
    expect(await (await fetch(origin)).text()).to.equal('hello');
    expect(made).to.deep.equal([16_384]);
  });
});

describe('a slow or greedy client', () => {
  const hello = (_request: unknown, response: { end(text: string): void }) => response.end('hello');
  const limits = { headersTimeoutMs: 100, requestTimeoutMs: 200, idleTimeoutMs: 400, keepAliveTimeoutMs: 100 };

  it('that never ends its headers is cut off', async () => {
    const server = await serve(hello, { limits });
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ');
    const told = await untilClosed(socket);
    await server.close();
    expect(told).to.match(/^HTTP\/1\.1 408 Request Timeout/);
  });

  it('that says nothing at all is cut off', async () => {
    const server = await serve(hello, { limits });
    await untilClosed(connect(server.port, '127.0.0.1'));
    await server.close();
  });

  it('that never reads its answer is cut off', async () => {
    const endless = (_request: unknown, response: { write(chunk: Buffer): boolean }): void => {
      for (let written = 0; written < 64; written++) response.write(Buffer.alloc(1_048_576));
    };
    const dropped = new EventEmitter();
    const server = await serve(endless, {
      limits,
      createServer: (options, listener) =>
        createServer(options, listener).on('connection', (socket: Socket) =>
          socket.once('close', () => dropped.emit('it')),
        ),
    });
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(dropped, 'it');
    socket.destroy();
    await server.close();
  });

  it('gets 431 for too much of headers', async () => {
    const server = await serve(hello);
    const told = await dialogue(server.port, `GET / HTTP/1.1\r\nHost: a\r\nX-Big: ${'a'.repeat(20_000)}\r\n\r\n`);
    await server.close();
    expect(told).to.match(/^HTTP\/1\.1 431 /);
  });

  it('gets 400 for what is no HTTP', async () => {
    const server = await serve(hello);
    for (const text of ['\u0016\u0003\u0001', 'FROB / HTTP/1.1\r\n\r\n', 'GET /a b HTTP/1.1\r\n\r\n']) {
      expect(await dialogue(server.port, `${text}\r\n\r\n`)).to.match(/^HTTP\/1\.1 400 /);
    }
    await server.close();
  });

  it('is told what is wrong with what is no request, in JSON where it asks the API', async () => {
    const server = await serve(hello);
    const big = `X-Big: ${'a'.repeat(20_000)}`;
    const url =
      'Bad Request: the URL holds a character that must be percent-encoded, as curl does with -G --data-urlencode NAME=VALUE';
    const asked: [string, string, string][] = [
      ['GET /?q=数据平台 HTTP/1.1\r\nHost: a', '400 Bad Request', `${url}\n`],
      ['GET /api/v1/status?q=数据平台 HTTP/1.1\r\nHost: a', '400 Bad Request', `{"errors":["${url}"]}\n`],
      ['GET /api/v1/数据 HTTP/1.1\r\nHost: a', '400 Bad Request', `{"errors":["${url}"]}\n`],
      ['GET /api/v1/status HTTP/9.9\r\nHost: a', '400 Bad Request', '{"errors":["Bad Request"]}\n'],
      ['GET http://a/api/v1/status?q=数据平台 HTTP/1.1\r\nHost: a', '400 Bad Request', `{"errors":["${url}"]}\n`],
      ['get /api/v1/status HTTP/1.1\r\nHost: a', '400 Bad Request', '{"errors":["Bad Request"]}\n'],
      ['FROB / HTTP/1.1\r\nHost: a', '400 Bad Request', 'Bad Request\n'],
      [
        `GET /api/v1/status HTTP/1.1\r\nHost: a\r\n${big}`,
        '431 Request Header Fields Too Large',
        '{"errors":["Request Header Fields Too Large"]}\n',
      ],
    ];
    for (const [text, status, body] of asked) {
      const [head = '', told] = (await dialogue(server.port, `${text}\r\n\r\n`)).split('\r\n\r\n');
      const type = body.startsWith('{') ? 'application/json' : 'text/plain';
      expect([text.slice(0, 40), ...head.split('\r\n'), told]).to.deep.equal([
        text.slice(0, 40),
        `HTTP/1.1 ${status}`,
        `Content-Type: ${type}; charset=utf-8`,
        `Content-Length: ${Buffer.byteLength(body)}`,
        'X-Content-Type-Options: nosniff',
        'Connection: close',
        body,
      ]);
    }
    await server.close();
  });

  it('is told so in JSON however many packets its request comes in', async () => {
    for (const [first, rest] of [
      ['GET /ap', 'i/v1/status HTTP/9.9\r\nHost: a'],
      ['GET /api/v1/status HTTP/1.1\r\nHost: a\r\n', 'no header'],
      ['GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /api/v1/status HTTP/1.1\r\n', 'no header'],
    ] as const) {
      let client: Socket | undefined;
      const server = await serve(hello, {
        createServer: (options, listener) =>
          createServer(options, listener).on('connection', (socket: Socket) =>
            socket.once('data', () => client?.write(`${rest}\r\n\r\n`)),
          ),
      });
      client = connect(server.port, '127.0.0.1');
      client.write(first);
      const told = await untilClosed(client);
      await server.close();
      expect([first, told.slice(told.lastIndexOf('\r\n\r\n') + 4)]).to.deep.equal([
        first,
        '{"errors":["Bad Request"]}\n',
      ]);
    }
  });

  it('is told in JSON that HTTP/1.1 needs a Host header', async () => {
    const server = await serve(hello);
    const told = await dialogue(server.port, 'GET /api/v1/status HTTP/1.1\r\nConnection: close\r\n\r\n');
    expect(told).to.match(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/json; charset=utf-8\r\n/);
    expect(told).to.match(/\r\n\r\n\{"errors":\["Bad Request"\]\}\n$/);
    const old = await dialogue(server.port, 'GET /api/v1/status HTTP/1.0\r\n\r\n');
    expect(old).to.match(/^HTTP\/1\.1 200 OK\r\n/);
    await server.close();
  });

  it('is answered whatever it expects', async () => {
    const server = await serve(hello);
    const head = 'GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nConnection: close\r\n\r\n';
    expect(await dialogue(server.port, head)).to.match(/^HTTP\/1\.1 200 OK\r\n[^]*hello$/);
    await server.close();
  });

  it('is disconnected after its hundredth answer', async () => {
    const server = await serve(hello);
    const told = await dialogue(server.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(150));
    await server.close();
    const answers = told.split(/(?=HTTP\/1\.1)/);
    expect(answers.map((answer) => answer.slice(0, 15))).to.deep.equal(
      Array.from({ length: 100 }, () => 'HTTP/1.1 200 OK'),
    );
    expect(answers.map((answer) => /Connection: close/i.test(answer))).to.deep.equal([
      ...Array.from({ length: 99 }, () => false),
      true,
    ]);
  });

  it('that breaks off into nonsense while it is being answered is cut off, the answer unspoilt', async () => {
    const begun = new EventEmitter();
    const server = await serve((_request, response) => {
      response.write('half of it');
      begun.emit('it');
    });
    const socket = connect(server.port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await once(begun, 'it');
    socket.write('nonsense\r\n\r\n');
    const told = await untilClosed(socket);
    await server.close();
    expect(told).to.match(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\na\r\nhalf of it\r\n$/);
  });

  it('that sends a body is answered and disconnected, the body unread', async () => {
    const server = await serve(hello);
    const told = await dialogue(server.port, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc`);
    await server.close();
    expect(told).to.match(/^HTTP\/1\.1 200 /);
    expect(told).to.match(/\r\nConnection: close\r\n/i);
  });

  it('is one of a bounded number', async () => {
    const server = await serve(hello, { limits: { maxConnections: 2 } });
    const kept = [connect(server.port, '127.0.0.1'), connect(server.port, '127.0.0.1')];
    await Promise.all(kept.map((socket) => once(socket, 'connect')));
    const told = await dialogue(server.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    for (const socket of kept) socket.destroy();
    await server.close();
    expect(told).to.equal('');
  });

  it('loses its newest connection to a client of another address', async () => {
    const server = await serve(hello, { limits: { maxConnections: 3 } });
    const to = { host: '127.0.0.1', port: server.port };
    const greedy: Socket[] = [];
    for (let count = 0; count < 3; count++) {
      const socket = connect({ ...to, localAddress: '127.0.0.2' });
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(socket, 'data');
      greedy.push(socket);
    }
    const told = await dialogue(server.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(told).to.match(/hello$/);
    await untilClosed(greedy[2]!);
    for (const socket of greedy.slice(0, 2)) {
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(socket, 'data');
      socket.destroy();
    }
    await server.close();
  });
});

describe('closing the servers', () => {
  it('closes idle keep-alive connections at once and accepts no more', async () => {
    const server = await serve((_request, response) => response.end('hello'));
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    await server.servers.close(60_000);
    await untilClosed(socket);
    const refused = connect(server.port, '127.0.0.1');
    expect(await once(refused, 'error').then(([error]) => String(error))).to.include('ECONNREFUSED');
  });

  it('lets a running request finish, then closes its connection', async () => {
    let finish = (): void => undefined;
    const arrived = new EventEmitter();
    const requested = once(arrived, 'request');
    const server = await serve((_request, response) => {
      finish = () => response.end('late');
      response.flushHeaders();
      arrived.emit('request');
    });
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const told = untilClosed(socket);
    await requested;
    const closed = server.servers.close(60_000);
    finish();
    await closed;
    expect(await told).to.match(/\r\nlate\r\n/);
  });

  it('cuts off at the deadline whatever still runs', async () => {
    const clock = new FakeClock();
    const arrived = new EventEmitter();
    const requested = once(arrived, 'request');
    const server = await serve(() => arrived.emit('request'), { clock });
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const told = untilClosed(socket);
    await requested;
    let done = false;
    const closed = server.servers.close(4_000).then(() => (done = true));
    await clock.advance(3_999);
    expect(done).to.equal(false);
    await clock.advance(1);
    await closed;
    expect(await told).to.equal('');
    expect(clock.pendingTimers).to.equal(0);
  });
});
