import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { Scratch, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';
import { TIMEOUT_MS } from './world.js';

const INSTANCES = 1_000;
const CONNECTIONS = 20;
const REQUESTS = 100;

describe('a flood of requests whose responses nobody reads', function () {
  this.timeout(TIMEOUT_MS);
  const scratch = new Scratch();
  const sockets: Socket[] = [];
  let exporter: RunningExporter;

  beforeEach(async () => {
    const instances = Array.from({ length: INSTANCES }, (_, n) => `{id: rm-${n}, region: cn-hangzhou}`).join(', ');
    const config = scratch.file(
      'config.yaml',
      `accounts:
  - name: a
    credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}
    regions: [{id: cn-hangzhou, endpoint: "http://127.0.0.1:9"}]
    instances: [${instances}]
`,
    );
    exporter = await startExporter([`--config.file=${config}`], { NODE_OPTIONS: '--max-old-space-size=384' });
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await exporter.program.stop('SIGKILL');
  });
  after(() => scratch.remove());

  async function scrape(): Promise<void> {
    const response = await fetch(`${exporter.url}/metrics`);
    expect(response.status).to.equal(200);
    expect(await response.text()).to.match(/exporter_targets\{.*\} 1000\n/);
  }

  /** The most memory that was ever resident. */
  function peakMb(): number {
    const status = readFileSync(`/proc/${exporter.program.child.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
  }

  for (const path of ['/api/v1/status?limit=1000', '/?limit=1000', '/metrics', '/config']) {
    it(`for ${path} costs less than 1.3 times the memory, and no scrape`, async () => {
      for (let n = 0; n < 3; n++) await scrape();
      await (await fetch(exporter.url + path)).text();
      const idleMb = peakMb();
      for (let n = 0; n < CONNECTIONS; n++) {
        const socket = connect(Number(new URL(exporter.url).port), '127.0.0.1');
        sockets.push(socket.on('error', () => undefined));
        await once(socket, 'connect');
        socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(REQUESTS));
      }
      for (let n = 0; n < 10; n++) await scrape();
      expect(peakMb() / idleMb).to.be.below(1.3);
    });
  }
});
