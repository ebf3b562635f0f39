import { createHash, createHmac } from 'node:crypto';
import { getEventListeners, once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { LookupFunction } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { createDispatcher } from '../../../dist/rds/dispatcher.js';
import { createRdsClient } from '../../../dist/rds/rds-client.js';
import { UsageError } from '../../../dist/errors.js';
import type { ApiError, ApiResult } from '../../../dist/domain/model.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { SECRET, fixedCredentials, http, portOf, startWire } from './wire.js';
import type { Respond, Wire, WireOptions } from './wire.js';

const IDLE = '{"RequestId":"R-1","Items":{"BackupJob":[]}}';
const NEVER = new AbortController().signal;

describe('the RDS API', () => {
  let wire: Wire;

  async function start(respond: Respond, options?: WireOptions): Promise<Wire> {
    wire = await startWire(respond, options);
    return wire;
  }

  const ask = (signal = NEVER): Promise<ApiResult<unknown>> =>
    wire.api.describeBackupTasks({ instanceId: 'rm-1' }, signal);

  async function errorOf(asked: Promise<ApiResult<unknown>>): Promise<ApiError> {
    const result = await asked;
    if (result.ok) throw new Error('it worked');
    return result.error;
  }

  /** The error of one call that is answered with `text`, after which the connection is closed if `end` says so. */
  async function errorFor(text: string | Buffer, end = false): Promise<ApiError> {
    await start((socket) => (end ? socket.end(text) : socket.write(text)));
    return errorOf(ask());
  }

  afterEach(async () => {
    await wire.close();
    expect(wire.clock.pendingTimers, 'timers left').to.equal(0);
  });

  describe('sends', () => {
    it('a signed POST with its parameters in the query and an empty body', async () => {
      await start((socket) => socket.write(http(200, IDLE)));
      wire.clock.wallOffsetMs = 3_600_000;
      expect(await wire.api.describeBackupTasks({ instanceId: "rm 1'é", backupJobId: '88' }, NEVER)).to.deep.equal({
        ok: true,
        value: [],
      });
      const [line, ...rest] = wire.requests[0]!.trimEnd().split('\r\n');
      expect(line).to.equal('POST /?BackupJobId=88&DBInstanceId=rm%201%27%C3%A9 HTTP/1.1');
      const headers = Object.fromEntries(rest.map((header) => header.split(': ', 2)));
      expect(headers).to.include({
        host: `127.0.0.1:${wire.port}`,
        'content-length': '0',
        accept: 'application/json',
        'accept-encoding': 'identity',
        'user-agent': 'alicloud-rds-backup-exporter/1.2.3',
        'x-acs-action': 'DescribeBackupTasks',
        'x-acs-version': '2014-08-15',
        // By the wall clock, an hour ahead of the steady one.
        'x-acs-date': '2026-01-15T09:30:00Z',
      });
      expect(headers['authorization']).to.match(new RegExp(`Signature=${signatureOf(line!, headers)}$`));
    });

    it('a new nonce and date on every attempt', async () => {
      await start((socket) => socket.write(http(200, IDLE)));
      await ask();
      await wire.clock.advance(1_000);
      await ask();
      const [nonces, dates] = ['x-acs-signature-nonce', 'x-acs-date'].map((name) =>
        wire.requests.map((head) => new RegExp(`${name}: (.*)\r`).exec(head)?.[1]),
      );
      expect(new Set(nonces).size).to.equal(2);
      expect(dates).to.deep.equal(['2026-01-15T08:30:00Z', '2026-01-15T08:30:01Z']);
    });

    it('many calls over connections that it keeps', async () => {
      const ports = new Set<number>();
      await start((socket) => {
        ports.add(socket.remotePort!);
        socket.write(http(200, IDLE));
      });
      for (let count = 0; count < 5; count++) await ask();
      // The first is still busy with its own end when the second call comes.
      expect(ports.size).to.be.at.most(2);
    });

    it('the listing of instances and of tags', async () => {
      await start((socket, head) =>
        socket.write(
          http(
            200,
            head.includes('DescribeDBInstances') ? '{"Items":{"DBInstance":[]},"NextToken":"n"}' : '{"Items":{}}',
          ),
        ),
      );
      expect(await wire.api.describeDBInstances({ nextToken: 'a' }, NEVER)).to.deep.equal({
        ok: true,
        value: { instances: [], nextToken: 'n', totalRecordCount: undefined },
      });
      expect(await wire.api.describeDBInstanceByTags({ pageNumber: 1 }, NEVER)).to.deep.equal({
        ok: true,
        value: { tags: [], totalRecordCount: undefined },
      });
      expect(wire.requests.map((head) => head.split(' ')[1])).to.deep.equal([
        '/?MaxResults=100&NextToken=a&RegionId=cn-hangzhou',
        '/?PageNumber=1&PageSize=100&RegionId=cn-hangzhou',
      ]);
    });

    it('nothing about a task that had no id', async () => {
      await start((socket) => socket.write(http(200, IDLE)));
      expect(await wire.api.describeBackupTasks({ instanceId: 'rm-1', backupJobId: '0' }, NEVER)).to.deep.equal({
        ok: true,
        value: [],
      });
      expect(wire.requests).to.deep.equal([]);
    });
  });

  describe('tells of every attempt', () => {
    it('with its duration, and its code when it failed', async () => {
      await start((socket) => {
        if (wire.requests.length > 1) socket.write(http(400, '{"Code":"Throttling.User"}'));
      });
      const slow = ask();
      await wire.received(1);
      await wire.clock.advance(10_000);
      await slow;
      await ask();
      expect(wire.observations).to.deep.equal([
        { action: 'DescribeBackupTasks', durationMs: 10_000, code: 'Timeout' },
        { action: 'DescribeBackupTasks', durationMs: 0, code: 'Throttling.User' },
      ]);
    });

    it('but not of one that was never sent for want of credentials', async () => {
      const error: ApiError = {
        kind: 'credentials',
        code: 'x',
        message: 'x',
        requestId: undefined,
        retryAfterMs: undefined,
      };
      await start(() => undefined, {
        credentials: {
          current: () => undefined,
          fetch: () => Promise.resolve({ ok: false, error }),
          review: (seen) => seen,
          state: () => ({ type: 'default', healthy: false, problem: 'x', expiresAt: undefined }),
          lookAgain: () => undefined,
        },
      });
      expect(await errorOf(ask())).to.equal(error);
      expect(wire.observations).to.deep.equal([]);
      expect(wire.requests).to.deep.equal([]);
    });
  });

  describe('takes a refusal of the API', () => {
    it('for its kind, code, message, request id and delay', async () => {
      const body =
        '{"Code":"Throttling.User","Message":"Request was denied due to user flow control.","RequestId":"5B1D-7C"}';
      expect(await errorFor(http(400, body, { 'x-acs-retry-after': '700' }))).to.deep.equal({
        kind: 'throttled',
        code: 'Throttling.User',
        message: 'Request was denied due to user flow control.',
        requestId: '5B1D-7C',
        retryAfterMs: 700,
      });
    });

    it('also with lower-case names, and inside a 200', async () => {
      expect(await errorFor(http(403, '{"code":"Forbidden.RAM","message":"no"}'))).to.include({
        kind: 'denied',
        message: 'no',
      });
      await wire.close();
      expect(await errorFor(http(200, '{"Code":"ServiceUnavailable","Message":"busy"}'))).to.include({
        kind: 'server',
      });
    });

    it('but not from a Code beside the list that was asked for', async () => {
      await start((socket) => socket.write(http(200, '{"Code":"200","Items":{"BackupJob":[]}}')));
      expect(await ask()).to.deep.equal({ ok: true, value: [] });
    });

    it('and asks the credentials what a retry is worth', async () => {
      const given = fixedCredentials();
      await start((socket) => socket.write(http(400, '{"Code":"InvalidSecurityToken.Expired"}')), {
        credentials: {
          ...given,
          review: (error, used) => ({ ...error, kind: used === given.current() ? 'key_rejected' : 'bug' }),
        },
      });
      expect(await errorOf(ask())).to.include({ kind: 'key_rejected', code: 'InvalidSecurityToken.Expired' });
    });

    it('and says what to do about a wrong clock', async () => {
      expect(
        await errorFor(http(400, '{"Code":"InvalidTimeStamp.Expired","Message":"Specified time stamp is expired."}')),
      ).to.include({
        kind: 'clock',
        message: 'the clock of this machine is off by more than 15 minutes, set it: Specified time stamp is expired.',
      });
    });

    it('without any secret in it', async () => {
      const signed = 'server StringToSign is [x plantedAccessKeyId]';
      const error = await errorFor(
        http(
          400,
          JSON.stringify({
            Code: 'SignatureDoesNotMatch',
            Message: `key plantedAccessKeyId plantedSecurityToken+/== bad\n${signed}`,
          }),
        ),
      );
      expect(error.message).to.equal("check the access key in the account's credentials: key <secret> <secret> bad");
      expect(JSON.stringify(error)).not.to.contain('planted');
    });
  });

  describe('takes for a bad response', () => {
    const bodies: readonly (readonly [string, string])[] = [
      ['an empty 200', ''],
      ['null', 'null'],
      ['an array', '[]'],
      ['a string', '"ok"'],
      ['a number', '5'],
      ['truncated JSON', '{"Items":{"BackupJob":[{"BackupJobId":"8'],
      ['HTML with 200', '<html><body>login</body></html>'],
      ['an Items of the wrong type', '{"Items":"none"}'],
    ];
    for (const [name, body] of bodies) {
      it(name, async () => {
        const error = await errorFor(http(200, body, { 'content-type': 'text/x' }));
        expect(error).to.include({ kind: 'bad_response', code: 'BadResponse' });
        expect(error.message).to.match(
          /^HTTP 200, text\/x, \d+ characters with no (JSON object|list of DescribeBackupTasks)$/,
        );
      });
    }

    it('a body beyond 4 MiB, of which it reads no more', async () => {
      let sent = 0;
      const error = await (async () => {
        await start((socket) => {
          socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${100 * 1024 * 1024}\r\n\r\n`);
          const block = Buffer.alloc(64 * 1024, 'x');
          const pump = (): void => {
            while (!socket.destroyed && sent < 100 * 1024 * 1024 && socket.write(block)) sent += block.length;
            if (!socket.destroyed) socket.once('drain', pump);
          };
          pump();
        });
        return errorOf(ask());
      })();
      expect(error).to.include({
        kind: 'bad_response',
        message: `127.0.0.1:${wire.port} answered with more than 4 MiB`,
      });
      expect(sent).to.be.below(20 * 1024 * 1024);
    });

    it('a gzip bomb, which it does not unpack', async () => {
      const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024));
      const head = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`;
      expect(await errorFor(Buffer.concat([Buffer.from(head), bomb]))).to.include({
        kind: 'bad_response',
        message: `127.0.0.1:${wire.port} answered in an encoding that was not asked for`,
      });
    });

    it('what is no HTTP', async () => {
      expect(await errorFor('SSH-2.0-OpenSSH_9.2\r\n\r\n', true)).to.include({
        kind: 'bad_response',
        code: 'BadResponse',
      });
    });

    it('a Content-Length that is too small for the body', async () => {
      expect(await errorFor(http(200, IDLE, { 'content-length': '9' }))).to.include({ kind: 'bad_response' });
    });

    it('headers without an end', async () => {
      expect(await errorFor(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(1024 * 1024)}`)).to.include({ kind: 'bad_response' });
    });
  });

  it('takes an HTML 502 for trouble at the server', async () => {
    const error = await errorFor(
      http(502, '<html>Bad Gateway</html>', { 'content-type': 'text/html', 'x-acs-request-id': 'R-9' }),
    );
    expect(error).to.deep.equal({
      kind: 'server',
      code: 'HTTP502',
      message: 'HTTP 502, text/html, 24 characters without a message of the API',
      requestId: 'R-9',
      retryAfterMs: undefined,
    });
  });

  it('follows no redirect', async () => {
    const error = await errorFor(http(302, '', { location: 'http://127.0.0.1:1/elsewhere' }));
    expect(error).to.include({ kind: 'bad_response', code: 'HTTP302' });
    expect(wire.requests).to.have.lengthOf(1);
  });

  describe('takes for a lost connection', () => {
    it('a reset in the middle of the body', async () => {
      await start((socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"Items":', () => socket.resetAndDestroy());
      });
      expect(await errorOf(ask())).to.include({ kind: 'connection', code: 'ConnectionError' });
    });

    it('an end before the announced length', async () => {
      expect(await errorFor('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"Items":', true)).to.include({
        kind: 'connection',
      });
    });

    it('an end without an answer', async () => {
      expect(await errorFor('', true)).to.include({ kind: 'connection' });
    });

    it('a refused connection', async () => {
      await start(() => undefined, { endpoint: 'http://127.0.0.1:1' });
      expect(await errorOf(ask())).to.include({
        kind: 'connection',
        message: 'connection to 127.0.0.1:1 failed: connect ECONNREFUSED 127.0.0.1:1',
      });
    });

    it('a name that does not resolve', async () => {
      await start(() => undefined, {
        endpoint: 'http://rds.cn-nowhere.aliyuncs.com',
        lookup: (hostname, _options, callback) =>
          callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' }), '', 0),
      });
      expect(await errorOf(ask())).to.include({
        kind: 'connection',
        code: 'ConnectionError',
        message: 'connection to rds.cn-nowhere.aliyuncs.com failed: getaddrinfo ENOTFOUND rds.cn-nowhere.aliyuncs.com',
      });
    });

    it('a server that speaks no TLS', async () => {
      await start((socket) => socket.end('no TLS here'));
      const { port } = wire;
      await wire.close();
      await start((socket) => socket.end('no TLS here'), { endpoint: `https://127.0.0.1:${port}` });
      expect(await errorOf(ask())).to.include({ kind: 'connection' });
    });
  });

  describe('gives up after the timeout', () => {
    const timedOut = (): object => ({
      kind: 'timeout',
      code: 'Timeout',
      message: `127.0.0.1:${wire.port} gave no whole answer within 10 s`,
    });

    it('on a server that accepts and never answers, whose connection it closes', async () => {
      let closed: Promise<unknown> | undefined;
      await start((socket) => {
        closed = once(socket, 'close');
      });
      const asked = ask();
      await wire.received(1);
      await wire.clock.advance(10_000);
      await closed;
      expect(await errorOf(asked)).to.include(timedOut());
    });

    it('on headers and then silence', async () => {
      await start((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n'));
      const asked = ask();
      await wire.received(1);
      await wire.clock.advance(10_000);
      expect(await errorOf(asked)).to.include(timedOut());
    });

    it('on a body that comes byte by byte', async () => {
      let write = (): unknown => undefined;
      await start((socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n');
        write = () => socket.write('{');
      });
      const asked = ask();
      await wire.received(1);
      for (let second = 1; second <= 10; second++) {
        write();
        await wire.clock.advance(1_000);
      }
      expect(await errorOf(asked)).to.include(timedOut());
    });

    it('on a name that never resolves', async () => {
      await start(() => undefined, { endpoint: 'http://rds.cn-nowhere.aliyuncs.com', lookup: () => undefined });
      const asked = ask();
      await wire.clock.advance(10_000);
      expect(await errorOf(asked)).to.include({ kind: 'timeout' });
    });

    it('of each call, counted from its own beginning', async () => {
      await start(() => undefined);
      const begun = wire.clock.now();
      const ended: string[] = [];
      for (const name of ['first', 'second', 'third']) {
        void ask().then(() => ended.push(`${name} at ${wire.clock.now() - begun} ms`));
        await wire.clock.advance(4_000);
      }
      await wire.clock.advance(10_000);
      expect(ended).to.deep.equal(['first at 10000 ms', 'second at 14000 ms', 'third at 18000 ms']);
    });

    it('and is fit for the next call', async () => {
      await start((socket) => wire.requests.length > 1 && socket.write(http(200, IDLE)));
      const asked = ask();
      await wire.received(1);
      await wire.clock.advance(10_000);
      await asked;
      expect((await ask()).ok).to.equal(true);
    });
  });

  describe('is aborted', () => {
    it('by its signal, at once, leaving no listener', async () => {
      await start(() => undefined);
      const controller = new AbortController();
      const asked = [ask(controller.signal), ask(controller.signal)];
      await wire.received(2);
      controller.abort();
      for (const each of asked) expect(await errorOf(each)).to.include({ kind: 'aborted' });
      expect(getEventListeners(controller.signal, 'abort')).to.deep.equal([]);
      expect(wire.observations).to.deep.equal([]);
    });

    it('alone, though many calls share one listener on one signal', async () => {
      let answer = (): unknown => undefined;
      await start((socket) => {
        if (wire.requests.length === 20) answer = () => socket.write(http(200, IDLE));
      });
      const [shared, own] = [new AbortController(), new AbortController()];
      const doomed = Array.from({ length: 19 }, () => ask(shared.signal));
      await wire.received(19);
      const kept = ask(own.signal);
      await wire.received(20);
      expect(getEventListeners(shared.signal, 'abort')).to.have.lengthOf(1);
      shared.abort();
      for (const each of doomed) expect(await errorOf(each)).to.include({ kind: 'aborted' });
      answer();
      expect((await kept).ok).to.equal(true);
      expect(getEventListeners(own.signal, 'abort')).to.deep.equal([]);
    });

    it('before it is sent when the signal is aborted already', async () => {
      await start(() => undefined);
      expect(await errorOf(ask(AbortSignal.abort()))).to.include({ kind: 'aborted' });
      expect(wire.requests).to.deep.equal([]);
    });

    it('by closing, and so is every later call', async () => {
      await start(() => undefined);
      const asked = ask();
      await wire.received(1);
      await wire.api.close();
      expect(await errorOf(asked)).to.include({ kind: 'aborted' });
      expect(await errorOf(ask())).to.include({ kind: 'aborted' });
    });
  });

  describe('that retires', () => {
    it('lets what is under way end, and nothing begin', async () => {
      let answer = (): unknown => undefined;
      let closed: Promise<unknown> | undefined;
      await start((socket) => {
        answer = () => socket.write(http(200, IDLE));
        closed = once(socket, 'close');
      });
      const asked = ask();
      await wire.received(1);
      const retired = wire.api.retire();
      expect(await errorOf(ask())).to.include({ kind: 'aborted' });
      answer();
      expect((await asked).ok).to.equal(true);
      await Promise.all([retired, closed]);
      expect(wire.requests).to.have.lengthOf(1);
      expect(wire.clock.pendingTimers).to.equal(0);
    });

    it('still gives up after the timeout', async () => {
      await start(() => undefined);
      const asked = ask();
      await wire.received(1);
      const retired = wire.api.retire();
      await wire.clock.advance(10_000);
      expect(await errorOf(asked)).to.include({ kind: 'timeout' });
      await retired;
    });
  });

  describe('behind a proxy', () => {
    /** Passes every tunnel on to the wire. */
    async function startProxy(): Promise<{ url: string; targets: string[]; close(): void }> {
      const targets: string[] = [];
      const server = createServer().on('connect', (request, client, head) => {
        targets.push(request.url ?? '');
        const upstream = connect(wire.port, '127.0.0.1', () => {
          client.write('HTTP/1.1 200 OK\r\n\r\n');
          upstream.write(head);
          upstream.pipe(client).pipe(upstream);
        });
        for (const socket of [upstream, client]) socket.on('error', () => undefined);
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      return { url: `http://user:plantedPassword@127.0.0.1:${portOf(server)}`, targets, close: () => server.close() };
    }
    const answer: Respond = (socket) => socket.write(http(200, IDLE));

    it('goes through it, but not to a host of NO_PROXY or this machine', async () => {
      await start(answer);
      const proxy = await startProxy();
      const common = {
        regionId: 'x',
        credentials: fixedCredentials(),
        timeoutMs: 10_000,
        version: '1',
        clock: wire.clock,
      };
      const lookup: LookupFunction = (_hostname, _options, callback) =>
        callback(null, [{ address: '127.0.0.1', family: 4 }]);
      const env = { HTTP_PROXY: proxy.url, no_proxy: 'localhost,.beside.example' };
      const through = createRdsClient({ ...common, env, endpoint: 'http://rds.cn-hangzhou.example' });
      const beside = createRdsClient({ ...common, env, lookup, endpoint: `http://rds.beside.example:${wire.port}` });
      const loopback = createRdsClient({ ...common, env, endpoint: `http://127.0.0.1:${wire.port}` });
      for (const api of [through, beside, loopback]) {
        expect(await api.describeBackupTasks({ instanceId: 'rm-1' }, NEVER)).to.deep.equal({ ok: true, value: [] });
        await api.close();
      }
      expect(proxy.targets).to.deep.equal(['rds.cn-hangzhou.example:80']);
      expect(wire.requests.map((head) => /host: (.*)\r/.exec(head)?.[1])).to.deep.equal([
        'rds.cn-hangzhou.example',
        `rds.beside.example:${wire.port}`,
        `127.0.0.1:${wire.port}`,
      ]);
      proxy.close();
    });

    it('is of the scheme of the endpoint, and is told a user without a password too', async () => {
      await start(answer);
      const logins: unknown[] = [];
      const proxy = createServer().on('connect', (request, client) => {
        logins.push(request.url, request.headers['proxy-authorization']);
        client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      });
      await once(proxy.listen(0, '127.0.0.1'), 'listening');
      const address = `http://plantedToken@127.0.0.1:${portOf(proxy)}`;
      const common = {
        regionId: 'x',
        credentials: fixedCredentials(),
        timeoutMs: 10_000,
        version: '1',
        clock: wire.clock,
      };
      const lookup: LookupFunction = (_hostname, _options, callback) =>
        callback(null, [{ address: '127.0.0.1', family: 4 }]);
      const through = createRdsClient({ ...common, env: { HTTPS_PROXY: address }, endpoint: 'https://rds.example' });
      const past = createRdsClient({
        ...common,
        lookup,
        env: { HTTP_PROXY: address },
        endpoint: 'https://rds.example:1',
      });
      const refused = await errorOf(through.describeBackupTasks({ instanceId: 'rm-1' }, NEVER));
      expect(refused).to.include({ kind: 'connection' });
      expect(refused.message).to.contain('407').and.not.to.contain('planted');
      await errorOf(past.describeBackupTasks({ instanceId: 'rm-1' }, NEVER));
      await through.close();
      await past.close();
      expect(logins).to.deep.equal(['rds.example:443', `Basic ${Buffer.from('plantedToken:').toString('base64')}`]);
      proxy.close();
    });

    it('fails as a connection when the proxy closes each, after one try', async () => {
      let opened = 0;
      const proxy = createServer()
        .on('connection', () => opened++)
        .on('connect', (_request, client) => client.destroy());
      await once(proxy.listen(0, '127.0.0.1'), 'listening');
      await start(answer, {
        endpoint: 'http://rds.example',
        env: { HTTP_PROXY: `http://127.0.0.1:${portOf(proxy)}` },
      });
      expect(await errorOf(ask())).to.include({
        kind: 'connection',
        message: 'connection to rds.example failed: proxy: other side closed',
      });
      expect(opened).to.equal(1);
      proxy.close();
    });

    it('lets go of a proxy that does not answer', async () => {
      const proxy = createServer().on('connect', (_request, client) => {
        client.on('error', () => undefined).resume();
        client.once('end', () => client.end()).once('close', () => proxy.emit('let go'));
      });
      await once(proxy.listen(0, '127.0.0.1'), 'listening');
      const letGo = once(proxy, 'let go');
      const api = createRdsClient({
        regionId: 'x',
        credentials: fixedCredentials(),
        timeoutMs: 50,
        version: '1',
        clock: new FakeClock(),
        endpoint: 'http://rds.example',
        env: { HTTP_PROXY: `http://127.0.0.1:${portOf(proxy)}` },
      });
      expect(await errorOf(api.describeBackupTasks({ instanceId: 'rm-1' }, NEVER))).to.include({ kind: 'connection' });
      await letGo;
      await api.close();
      proxy.close();
    });

    it('fails as a connection when the proxy is down, without its password in the message', async () => {
      await start(answer, {
        endpoint: 'http://rds.example',
        env: { HTTP_PROXY: 'user:plantedPassword@127.0.0.1:1' },
      });
      const error = await errorOf(ask());
      expect(error).to.include({ kind: 'connection' });
      expect(error.message).not.to.contain('planted');
    });

    it('says so when its address is none, without showing it', async () => {
      await start(answer);
      for (const address of ['planted:Password@', 'ftp://planted:Password@proxy', 'http://planted%zz:Password@proxy']) {
        expect(() =>
          createDispatcher({ endpoint: 'https://rds.example', timeoutMs: 1, env: { HTTPS_PROXY: address } }),
        ).to.throw(UsageError, /^HTTPS_PROXY: not an address such as http:\/\/proxy\.example\.com:3128$/);
      }
    });
  });

  it('reads an answer that comes in pieces, split within a character', async () => {
    const body = Buffer.from('{"Items":{"DBInstance":[{"DBInstanceId":"rm-1","DBInstanceDescription":"订单"}]}}');
    const cut = body.indexOf('订') + 1;
    let finish = (): unknown => undefined;
    await start((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`);
      socket.write(body.subarray(0, cut));
      finish = () => socket.write(body.subarray(cut));
    });
    const asked = wire.api.describeDBInstances({}, NEVER);
    await wire.received(1);
    await wire.clock.advance(1);
    finish();
    const result = await asked;
    expect(result.ok && result.value.instances[0]!.name).to.equal('订单');
  });
});

/** The signature as the specification describes it, over what came, by other code than the exporter's. */
function signatureOf(line: string, headers: Record<string, string | undefined>): string {
  const names = /SignedHeaders=([^,]+)/.exec(headers['authorization'] ?? '')![1]!;
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const canonical = [
    'POST',
    '/',
    line.split(' ')[1]!.slice(2),
    ...names.split(';').map((name) => `${name}:${headers[name]}`),
    '',
    names,
    hash(''),
  ].join('\n');
  return createHmac('sha256', SECRET)
    .update(`ACS3-HMAC-SHA256\n${hash(canonical)}`)
    .digest('hex');
}
