import { get } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { hashSync } from 'bcryptjs';
import { expect } from 'chai';
import type { DaemonOptions } from '../../dist/exporter/daemon.js';
import { Scrapes } from '../../dist/metrics/scrape.js';
import { createApp } from '../../dist/http/app.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { Scratch } from '../helpers/program.js';
import { aFleet, aPlace, selfMetrics } from '../unit/metrics/fleet.js';
import { dialogue, parts, serve, untilClosed } from '../unit/http/helpers.js';
import { ACCOUNT, ROLES, SICK, WELL, idOf, startCloud } from './cloud.js';
import type { Cloud } from './cloud.js';
import { Exporter } from './exporter.js';

const INSTANCES = 2 * ROLES.length;
const HOST = 'Host: a\r\nConnection: close\r\n';
/** A second request, hidden in what a front end would take for the body of the first. */
const HIDDEN = `GET /config HTTP/1.1\r\n${HOST}\r\n`;

interface Got {
  readonly status: number | undefined;
  readonly length: string | undefined;
  readonly body: Buffer;
}

async function scrape(port: number, { headers = {}, from = '127.0.0.1', path = '/metrics' } = {}): Promise<Got> {
  const request = get({ host: '127.0.0.1', port, path, headers, localAddress: from, agent: false });
  const [response] = await once(request, 'response');
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(response, 'end');
  const { statusCode, headers: told } = response;
  return { status: statusCode, length: told['content-length'], body: Buffer.concat(chunks) };
}

describe('while strangers are at the port, the exporter is scraped and polls on:', function () {
  this.timeout(180_000);
  let cloud: Cloud;
  let exporter: Exporter;
  let percent = 0;

  async function begin(over: Partial<DaemonOptions> = {}): Promise<void> {
    const clock = new FakeClock();
    cloud = await startCloud(clock);
    exporter = await Exporter.start(cloud, clock, '', over);
    await expectGoesOn();
  }

  /** A backup that moves on now is seen to, by a scrape. */
  async function expectGoesOn(): Promise<void> {
    percent = (percent % 99) + 1;
    for (const regionId of [WELL, SICK]) cloud.progress(regionId, percent);
    await exporter.passUntil(
      'the polls',
      (page) =>
        [WELL, SICK].every(
          (regionId) =>
            page.value('task_progress_ratio', {
              account: ACCOUNT,
              region_id: regionId,
              instance_id: idOf(regionId, 'running'),
            }) ===
            percent / 100,
        ),
      { withinMs: 60_000 },
    );
  }

  afterEach(async () => {
    await exporter.stop();
    await cloud.close();
  });

  it('200 scrapers at once', async () => {
    await begin();
    const all = Array.from({ length: 200 }, (_, index) =>
      scrape(exporter.port, { headers: index % 2 === 0 ? {} : { 'Accept-Encoding': 'gzip' } }),
    );
    await expectGoesOn();
    for (const [index, { status, length, body }] of (await Promise.all(all)).entries()) {
      expect([status, length]).to.deep.equal([200, String(body.length)]);
      const text = (index % 2 === 0 ? body : gunzipSync(body)).toString();
      expect(text.match(/^alicloud_rds_backup_instance_poll_success\{/gm)).to.have.length(INSTANCES);
      expect(text).to.match(/\nprocess_start_time_seconds \S+\n/);
    }
  });

  it('slowloris: headers byte by byte, cut off at the limit', async () => {
    await begin({ limits: { headersTimeoutMs: 300 } });
    const told = Array.from({ length: 50 }, () => {
      const socket = connect(exporter.port, '127.0.0.1');
      socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: ');
      const drip = setInterval(() => socket.write('a'), 20);
      socket.once('close', () => clearInterval(drip));
      return untilClosed(socket);
    });
    await expectGoesOn();
    for (const text of await Promise.all(told)) expect(text).to.match(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    await expectGoesOn();
  });

  for (const { name, said } of [
    { name: 'before the first byte', said: '' },
    { name: 'within their headers', said: 'GET /metrics HTTP/1.1\r\nHost: a\r\nX-Half: ' },
    { name: 'after their request', said: 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n' },
  ]) {
    it(`clients that vanish without a word ${name}: no more are held than the bound, and no longer than the limit`, async () => {
      const bound = 8;
      await begin({ limits: { headersTimeoutMs: 400, keepAliveTimeoutMs: 400, maxConnections: bound } });
      const vanish = async (): Promise<Socket> => {
        const socket = connect(exporter.port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(said);
        socket.pause();
        await once(socket, 'connect');
        return socket;
      };
      const few = await Promise.all(Array.from({ length: bound - 2 }, vanish));
      await expectGoesOn();
      const many = await Promise.all(Array.from({ length: 2 * bound }, vanish));
      const told = await Promise.all(many.map((socket) => untilClosed(socket.resume())));
      expect(told.filter((text) => text.startsWith('HTTP/1.1 '))).to.have.length.within(1, bound);
      await Promise.all(few.map((socket) => untilClosed(socket.resume())));
      await expectGoesOn();
      expect((await scrape(exporter.port)).status).to.equal(200);
    });
  }

  it('500 scrapes at once on one connection, of which 100 are answered', async () => {
    await begin({ limits: { keepAliveTimeoutMs: 300 } });
    const told = dialogue(exporter.port, 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(500));
    await expectGoesOn();
    const answers = (await told).match(/^HTTP\/1\.1 \d+/gm);
    expect(answers).to.deep.equal(Array.from({ length: 100 }, () => 'HTTP/1.1 200'));
  });

  it('2,000 scrapes at once on one connection, which is closed', async () => {
    await begin();
    const told = dialogue(exporter.port, 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2_000));
    await expectGoesOn();
    expect((await told).match(/^HTTP\/1\.1 \d+/gm)?.length ?? 0).to.be.below(101);
  });

  for (const { name, said, answer } of [
    { name: '1 MB in one header', said: `GET / HTTP/1.1\r\nX: ${'a'.repeat(1 << 20)}\r\n${HOST}\r\n`, answer: 431 },
    { name: '1 MB of headers', said: `GET / HTTP/1.1\r\n${'X-Many: b\r\n'.repeat(1e5)}${HOST}\r\n`, answer: 431 },
    { name: 'a URL of 9 kB', said: `GET /${'a'.repeat(9_000)} HTTP/1.1\r\n${HOST}\r\n`, answer: 414 },
    { name: 'a URL of 1 MB', said: `GET /${'a'.repeat(1 << 20)} HTTP/1.1\r\n${HOST}\r\n`, answer: 431 },
    ...['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'CONNECT', 'PROPFIND'].map((method) => ({
      name: `the method ${method}`,
      said: `${method} /metrics HTTP/1.1\r\n${HOST}\r\n`,
      answer: 405,
    })),
    ...['FROB', 'get', 'G\u0000T', 'PRI'].map((verb) => ({
      name: `the verb ${JSON.stringify(verb)}`,
      said: `${verb} /metrics HTTP/1.1\r\n${HOST}\r\n`,
      answer: 400,
    })),
    { name: 'no HTTP at all', said: '\u0000\u0001 garbage\r\n\r\n', answer: 400 },
    { name: 'the first bytes of TLS', said: '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', answer: 400 },
    { name: 'the preface of HTTP/2', said: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', answer: 400 },
    { name: 'a version that is none', said: `GET /metrics HTTP/1.9\r\n${HOST}\r\n`, answer: 400 },
    { name: 'lines without CR', said: 'GET /metrics HTTP/1.1\nHost: a\n\n', answer: 400 },
    { name: 'no Host', said: 'GET /metrics HTTP/1.1\r\n\r\n', answer: 400 },
    { name: 'a NUL in a header', said: `GET /metrics HTTP/1.1\r\nX: a\u0000b\r\n${HOST}\r\n`, answer: 400 },
    { name: 'a folded header', said: `GET /metrics HTTP/1.1\r\nX: a\r\n b\r\n${HOST}\r\n`, answer: 400 },
    { name: 'a path that is no UTF-8', said: `GET /%ff HTTP/1.1\r\n${HOST}\r\n`, answer: 400 },
    { name: 'a way out of the root', said: `GET /../../etc/passwd HTTP/1.1\r\n${HOST}\r\n`, answer: 404 },
    ...[
      'Content-Length: 4\r\nTransfer-Encoding: chunked',
      'Transfer-Encoding: chunked\r\nContent-Length: 4',
      'Transfer-Encoding: chunked, identity',
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: cow',
      'Transfer-Encoding:\u000Bchunked',
      'Content-Length: 0\r\nContent-Length: 40',
      'Content-Length : 40',
      'Content-Length: +4',
      'Content-Length: -4',
      'Content-Length: 99999999999999999999',
    ].map((headers) => ({
      name: `a request within a request, by ${JSON.stringify(headers)}`,
      said: `POST /metrics HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n0\r\n\r\n${HIDDEN}`,
      answer: 400,
    })),
    ...['Content-Length: 5', 'Transfer-Encoding: chunked'].map((headers) => ({
      name: `a request behind the body of another, by ${JSON.stringify(headers)}`,
      said: `GET /metrics HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n0\r\n\r\n${HIDDEN}`,
      answer: 200,
    })),
  ]) {
    it(`${name}, answered with ${answer} and the connection closed`, async () => {
      await begin();
      const all = Array.from({ length: 10 }, () => dialogue(exporter.port, said));
      await expectGoesOn();
      for (const told of await Promise.all(all)) {
        expect(told).to.match(new RegExp(`^HTTP/1\\.1 ${answer} `));
        expect(told.match(/^HTTP\/1\.1 /gm)).to.have.length(1);
        expect(told).to.not.contain('access_key_id');
        if (answer === 405) expect(told).to.contain('\r\nAllow: GET, HEAD, OPTIONS\r\n');
      }
      await expectGoesOn();
    });
  }
});

describe('200 scrapers at once', function () {
  this.timeout(180_000);

  it('cost one render of the fleet for each format', async () => {
    const states = aFleet(20);
    const places = [aPlace()];
    const clock = new FakeClock();
    const scrapes = new Scrapes({
      states: () => states,
      regions: () => places,
      self: selfMetrics(),
      clock,
      onBug: ignore,
    });
    const server = await serve(createApp(parts({ scrape: (request) => scrapes.answer(request) })));
    const formats = ['text/plain', 'application/openmetrics-text'];
    const all = Array.from({ length: 200 }, (_, index) =>
      scrape(server.port, {
        headers: { Accept: formats[index % 2], 'Accept-Encoding': index % 3 === 0 ? 'gzip' : '' },
      }),
    );
    for (const { status, length, body } of await Promise.all(all))
      expect([status, length]).to.deep.equal([200, String(body.length)]);
    expect(scrapes.renders).to.equal(2);
    await clock.advance(1_000);
    await server.close();
  });
});

function ignore(): void {}

describe('while passwords are guessed', function () {
  this.timeout(180_000);

  it('those who know theirs are served, at once when they were served before, and polls go on', async () => {
    const scratch = new Scratch();
    const clock = new FakeClock();
    const cloud = await startCloud(clock);
    // So dear that a compare on the thread that serves would show.
    const hash = hashSync('right', 10);
    const exporter = await Exporter.start(cloud, clock, '', {
      webConfigFile: scratch.file('web.yml', `basic_auth_users: {prometheus: "${hash}", grafana: "${hash}"}\n`),
    });
    const login = (user: string, password: string, from?: string): Promise<Got> =>
      scrape(exporter.port, {
        headers: { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
        ...(from !== undefined && { from }),
      });
    expect((await login('prometheus', 'right')).status).to.equal(200);
    await exporter.pass(30_000);

    const answers: (number | undefined)[] = [];
    const guesses = ['127.0.0.1', '127.0.0.2'].flatMap((from) =>
      Array.from({ length: 20 }, async (_, index) => {
        const { status } = await login(index % 2 === 0 ? 'prometheus' : 'nobody', `guess ${index} of ${from}`, from);
        answers.push(status);
      }),
    );
    const newcomer = login('grafana', 'right', '127.0.0.3');
    let served = 0;
    for (; answers.length < guesses.length; served++) {
      const { status, body } = await login('prometheus', 'right');
      expect(status).to.equal(200);
      expect(body.toString().match(/^alicloud_rds_backup_instance_poll_success\{.*\} 1$/gm)).to.have.length(INSTANCES);
      if (served % 10 === 0) await exporter.pass(1_000);
    }
    expect(served, 'scrapes in the time of 9 compares').to.be.greaterThan(9);
    expect((await newcomer).status).to.equal(200);
    await Promise.all(guesses);
    expect([401, 503].map((code) => answers.filter((status) => status === code).length)).to.deep.equal([8, 32]);
    await exporter.stop();
    await cloud.close();
    scratch.remove();
  });
});
