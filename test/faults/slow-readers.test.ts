import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import type { InstanceState } from '../../dist/domain/instance-state.js';
import { ChunkPool } from '../../dist/metrics/chunks.js';
import { Scrapes } from '../../dist/metrics/scrape.js';
import { SharedRender } from '../../dist/metrics/shared-render.js';
import { createApp } from '../../dist/http/app.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { eventually } from '../helpers/program.js';
import { aFleet, aPlace, NOW, selfMetrics } from '../unit/metrics/fleet.js';
import { parts, serve } from '../unit/http/helpers.js';
import type { TestServer } from '../unit/http/helpers.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** A page of 14 MB: more than the buffers of a connection take. */
const INSTANCES = 5_000;
const REQUEST = 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

function ignore(): void {}

describe('scrapers that do not read', function () {
  this.timeout(180_000);
  const clock = new FakeClock();
  const warnings: string[] = [];
  let states: readonly InstanceState[];
  let scrapes: Scrapes;
  let server: TestServer;
  let sockets: Socket[];
  /** Called when a render begins. */
  let onTaken: () => void;

  beforeEach(async () => {
    states = aFleet(INSTANCES);
    warnings.length = 0;
    sockets = [];
    onTaken = ignore;
    scrapes = new Scrapes({
      states: () => {
        onTaken();
        return states;
      },
      regions: () => [aPlace()],
      self: selfMetrics(),
      clock,
      onBug: ignore,
    });
    const log = { debug: ignore, info: ignore, warn: (msg: string) => warnings.push(msg), error: ignore };
    server = await serve(createApp(parts({ scrape: (request) => scrapes.answer(request), clock, log })));
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
  });

  /** Asks for a page of its own and takes in no more than what the connection holds. */
  async function stalled(): Promise<Socket> {
    await clock.advance(2_000);
    const before = scrapes.renders;
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', ignore);
    sockets.push(socket);
    socket.write(REQUEST);
    await once(socket, 'readable');
    // What the system takes in for the client counts as read. There are more turns than slices of a page.
    for (let turn = 0; turn < 1_000; turn++) await nextTurn();
    expect(scrapes.renders).to.equal(before + 1);
    return socket;
  }

  /** What comes until the connection closes: the length that was promised, and the page. */
  async function rest(socket: Socket): Promise<{ promised: number; page: string }> {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    if (!socket.closed) await once(socket, 'close');
    const [head = '', page = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
    return { promised: Number(/Content-Length: (\d+)/.exec(head)?.[1]), page };
  }

  /** All but what the exporter tells of itself. */
  function ofFleet(page: string): string {
    return page.split('# HELP alicloud_rds_backup_exporter_')[0]!;
  }

  async function plainPage(): Promise<string> {
    await clock.advance(2_000);
    const response = await fetch(`http://127.0.0.1:${server.port}/metrics`, { headers: { 'accept-encoding': '' } });
    return response.text();
  }

  it('get their page as it was, whatever is scraped meanwhile', async () => {
    const expected = ofFleet(await plainPage());
    const slow = await stalled();
    states = states.toReversed();
    for (let n = 0; n < 2; n++) expect(ofFleet(await plainPage()) === expected).to.equal(false);
    const { promised, page } = await rest(slow);
    expect(Buffer.byteLength(page)).to.equal(promised);
    expect(ofFleet(page) === expected).to.equal(true);
  });

  it('hold two pages of 14 MB at most: the slowest is cut off, and is told of', async () => {
    const slow: Socket[] = [];
    for (let n = 0; n < 3; n++) slow.push(await stalled());
    const cut = await rest(slow[0]!);
    expect(Buffer.byteLength(cut.page)).to.be.lessThan(cut.promised);
    expect(warnings).to.deep.equal(['closing the slowest connections: too many response bytes are unread']);
    const whole = await rest(slow[1]!);
    expect(Buffer.byteLength(whole.page)).to.equal(whole.promised);
  });

  it('and go away while theirs is rendered hold nothing', async () => {
    for (let n = 0; n < 6; n++) {
      const socket = connect(server.port, '127.0.0.1').on('error', ignore);
      const taken = new Promise<void>((resolve) => {
        onTaken = () => {
          socket.destroy();
          resolve();
        };
      });
      socket.write(REQUEST);
      await taken;
      onTaken = ignore;
      await plainPage();
    }
    expect(warnings).to.deep.equal([]);
  });

  it('leave the memory of one page behind, for the next', async () => {
    const view = { states, regions: [aPlace()], now: NOW, toWall: (steadyMs: number) => steadyMs };
    const pool = new ChunkPool();
    const renders = Array.from({ length: 3 }, () => new SharedRender(view, { format: 'text', pool }));
    const releases = renders.map((render) => render.hold());
    const pages: WeakRef<ArrayBufferLike>[][] = [];
    for (const render of renders) pages.push((await render.plain()).map(({ buffer }) => new WeakRef(buffer)));
    for (const release of releases) release();
    await eventually('the memory to be given back', () => {
      collect();
      const kept = pages.map((chunks) => chunks.filter((chunk) => chunk.deref() !== undefined).length);
      return kept.join() === [pages[0]!.length, 0, 0].join() ? true : undefined;
    });
  });

  it('keep nothing of instances that are gone', async () => {
    const gone = new WeakRef(states[0]!.instance);
    await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    states = [];
    await clock.advance(2_000);
    await eventually('the instance to be forgotten', () => {
      collect();
      return gone.deref() === undefined ? true : undefined;
    });
  });
});
