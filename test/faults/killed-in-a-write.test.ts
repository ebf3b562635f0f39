import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import { Scratch, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';
import { ACCOUNT, KEY, WELL, finishedTask, runningTask } from './cloud.js';
import { PATIENT, becomes, expectNoComplaint } from './daemon.js';
import type { Page } from './page.js';

/** Kills go on until so many have left half a write behind, which a busy machine may not let happen. */
const TORN = 3;
const MOST_KILLS = 12;
/** Jobs that have ended and are still listed, at first: the more, the larger a write. */
const LISTED = 30;
const INSTANCES = Array.from({ length: 100 }, (_, index) => `rm-${index}`);

/** Kills as soon as a file has begun to grow: a thread of its own looks without a pause. */
const KILLER = `
const { statSync } = require('node:fs');
const { parentPort, workerData: { file, pid } } = require('node:worker_threads');
const { size } = statSync(file);
parentPort.postMessage('looking');
while (statSync(file).size === size);
process.kill(pid, 'SIGKILL');
`;

/**
 * Whether a log of LevelDB ends within a write: its records come in fragments, each with its length and whether it is the
 * whole, the first, a middle or the last one. https://github.com/google/leveldb/blob/main/doc/log_format.md
 */
function isTorn(log: Buffer): boolean {
  const [BLOCK, HEADER, WHOLE, LAST] = [32_768, 7, 1, 4];
  let type = WHOLE;
  for (let at = 0; at < log.length;) {
    const left = BLOCK - (at % BLOCK);
    if (left < HEADER) {
      at += left;
      continue;
    }
    if (at + HEADER > log.length) return true;
    type = log.readUInt8(at + 6);
    at += HEADER + log.readUInt16LE(at + 4);
    if (at > log.length) return true;
  }
  return type !== WHOLE && type !== LAST;
}

function counts(page: Page): readonly number[] {
  return INSTANCES.map((instance_id) => page.value('completed_tasks_total', { instance_id, outcome: 'Finished' }) ?? 0);
}

function isWhole(page: Page): boolean {
  return page.all('instance_info').length === INSTANCES.length;
}

describe('a daemon that is killed in the middle of a write of its state', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  let simulator: Simulator;
  let config: string;
  let exporter: RunningExporter;

  before(async () => {
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [{ name: ACCOUNT, ...KEY }],
      regions: [WELL],
    });
    for (const instanceId of INSTANCES) simulator.fleet.addInstance({ account: ACCOUNT, regionId: WELL, instanceId });
    config = scratch.file(
      'config.yaml',
      `accounts:
  - name: ${ACCOUNT}
    credentials: {type: access_key, access_key_id: ${KEY.accessKeyId}, access_key_secret: ${KEY.accessKeySecret}}
    regions: [{id: ${WELL}, endpoint: "${simulator.url}"}]
    instances: [${INSTANCES.map((id) => `{id: ${id}, region: ${WELL}}`).join(', ')}]
${PATIENT.replaceAll('300ms', '1s')}`,
    );
  });

  afterEach(() => exporter.program.stop('SIGKILL'));

  after(async () => {
    await simulator.close();
    scratch.remove();
  });

  /** So many jobs of each instance have ended and are still listed; another one has begun. */
  function list(ended: number, percent: number): void {
    const listed = Array.from({ length: ended }, (_, job) => finishedTask(job + 1));
    for (const instanceId of INSTANCES)
      simulator.fleet.setTasks(ACCOUNT, instanceId, { listed: [...listed, runningTask(ended + 1, percent)] });
  }

  async function start(): Promise<void> {
    exporter = await startExporter([`--config.file=${config}`]);
  }

  /** The log that it was writing to. */
  async function killInWrite(begin: () => void): Promise<Buffer> {
    const folder = join(scratch.path, 'state/db');
    const file = join(
      folder,
      readdirSync(folder).findLast((name) => name.endsWith('.log'))!,
    );
    const { pid } = exporter.program.child;
    const killer = new Worker(KILLER, { eval: true, workerData: { file, pid } });
    await once(killer, 'message');
    begin();
    await exporter.program.exit;
    return readFileSync(file);
  }

  it('again and again never counts a job twice, loses none, and needs no repair', async () => {
    let shown: readonly number[] = INSTANCES.map(() => 0);
    let ended = LISTED;
    list(ended, 0);
    for (let kills = 1, torn = 0; torn < TORN && kills <= MOST_KILLS; kills++) {
      await start();
      const page = await becomes(exporter, 'what is remembered', isWhole);
      for (const [index, count] of counts(page).entries()) expect(count).to.be.within(shown[index]!, ended);
      shown = counts(page);
      // By turns one large write of all that progressed, and many with the outcomes in them.
      const log = await killInWrite(() => list(kills % 2 === 0 ? ++ended : ended, kills));
      if (isTorn(log)) torn++;
      expectNoComplaint(exporter);
    }
    await start();
    const page = await becomes(exporter, 'the outcomes', (seen) => counts(seen).every((count) => count >= ended));
    expect(counts(page)).to.deep.equal(INSTANCES.map(() => ended));
    expectNoComplaint(exporter);
  });
});
