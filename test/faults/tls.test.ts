import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Server } from 'node:tls';
import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { createTestCa } from '../unit/rds/test-ca.js';
import type { KeyPair, TestCa } from '../unit/rds/test-ca.js';
import { portOf } from '../unit/rds/wire.js';
import { Scratch, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';
import { ROLES, WELL, startCloud } from './cloud.js';
import type { Cloud } from './cloud.js';
import { becomes } from './daemon.js';
import { at, failures, isAt } from './region.js';
import { TIMEOUT_MS } from './world.js';

/** TLS in front of a region of the simulator. */
class TlsFront {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** What arrived by TLS and was passed on. */
  bytes = 0;

  private constructor(upstreamPort: number, certificate: KeyPair) {
    this.#server = createServer(certificate, (client) => {
      const upstream = connect(upstreamPort, '127.0.0.1');
      client.on('data', (chunk: Buffer) => (this.bytes += chunk.length));
      client.pipe(upstream).pipe(client);
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.on('error', () => undefined).on('close', () => other.destroy());
      }
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async open(upstreamPort: number, certificate: KeyPair): Promise<TlsFront> {
    const front = new TlsFront(upstreamPort, certificate);
    await once(front.#server.listen(0, '127.0.0.1'), 'listening');
    return front;
  }

  get url(): string {
    return `https://localhost:${portOf(this.#server)}`;
  }

  /** Shows another certificate from now on, and ends what was agreed under the old one. */
  show(certificate: KeyPair): void {
    this.#server.setSecureContext(certificate);
    this.#cut();
    this.bytes = 0;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#cut();
    await closed;
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

describe('a certificate that', function () {
  this.timeout(TIMEOUT_MS);
  const scratch = new Scratch();
  const REGIONS = { expires: 'expired-1', 'is signed by nobody': 'self-signed-1' } as const;
  const fronts = new Map<string, TlsFront>();
  let ca: TestCa;
  let cloud: Cloud;
  let exporter: RunningExporter;

  before(async function () {
    ca = createTestCa(this);
    cloud = await startCloud(systemClock(), [WELL, ...Object.values(REGIONS)]);
    let config = cloud.configuration(
      'polling: {idle_interval: 2s, active_interval: 2s, timeout: 2s, max_attempts: 1, stale_after: 2s, rate_limit: {requests_per_second: 100, burst: 100}}\n',
    );
    for (const regionId of Object.values(REGIONS)) {
      const plain = cloud.simulator.endpoints[regionId]!;
      const front = await TlsFront.open(Number(new URL(plain).port), ca.valid);
      fronts.set(regionId, front);
      config = config.replace(plain, front.url);
    }
    exporter = await startExporter([`--config.file=${scratch.file('config.yaml', config)}`], {
      NODE_EXTRA_CA_CERTS: ca.caFile,
    });
  });

  after(async () => {
    await exporter?.program.stop('SIGKILL');
    for (const front of fronts.values()) await front.close();
    await cloud?.close();
    scratch.remove();
    ca?.remove();
  });

  for (const [what, regionId] of Object.entries(REGIONS)) {
    it(`${what} gets no request, holds up no other region, and is forgotten once it is replaced`, async () => {
      const front = fronts.get(regionId)!;
      await becomes(exporter, 'all polls', (page) => isAt(page, regionId, 40));
      front.show(what === 'expires' ? ca.expired : ca.selfSigned);
      cloud.progress(WELL, 50);
      cloud.progress(regionId, 70);
      const dark = await becomes(exporter, 'the failures', (page) => {
        const polls = page.all('instance_poll_success', at(regionId));
        return polls.length === ROLES.length && polls.every(({ value }) => value === 0) && isAt(page, WELL, 50);
      });
      expect(failures(dark, regionId)).to.have.all.keys('ConnectionError');
      expect(failures(dark, WELL)).to.deep.equal({});
      expect(front.bytes).to.equal(0);
      expect(exporter.program.stderr).to.match(
        what === 'expires' ? /certificate has expired/ : /self-signed certificate/,
      );

      front.show(ca.valid);
      await becomes(exporter, 'the recovery', (page) => isAt(page, regionId, 70));
    });
  }
});
