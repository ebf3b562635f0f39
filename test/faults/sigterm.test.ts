import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { existsSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import pLimit from 'p-limit';
import { systemClock } from '../../dist/clock.js';
import { StateStore } from '../../dist/state/store.js';
import { refusal } from '../../dist/simulator/refusal.js';
import { eventually, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';
import { answered, apiFaults } from './api-faults.js';
import { ACCOUNT, SICK, startCloud } from './cloud.js';
import type { Cloud } from './cloud.js';
import { HASTY, becomes, expectWholeStop } from './daemon.js';
import { INSTANCES, KeptWorld, REGIONS, isAt, isSaved } from './kept-world.js';
import { failures } from './region.js';
import { Volume, stateFaults } from './state-faults.js';
import { TIMEOUT_MS } from './world.js';

/** Daemons side by side: most of the time one waits for another. */
const AT_ONCE = 4;
const HOUR = 3_600_000;

interface Scene {
  readonly cloud: Cloud;
  readonly volume: Volume;
  readonly config: string;
  readonly exporter: RunningExporter;
}

/** What befalls a daemon that has polled everything and saved it. */
interface Trouble {
  readonly name: string;
  prepare?(volume: Volume): void;
  /** Resolves when it has struck; the result is called after the stop. */
  begin(scene: Scene): Promise<(() => unknown) | undefined>;
  /** There is no state left afterwards. */
  readonly isLost?: boolean;
}

const apiTroubles: readonly Trouble[] = [
  ...apiFaults.filter(({ inProcess }) => inProcess !== true),
  answered('throttling', 'Throttling.User', { kind: 'refuse', refusal: refusal('Throttling.User') }),
].map((fault) => ({
  name: fault.name,
  async begin({ cloud, exporter }) {
    const lift = await fault.inflict(cloud);
    const { stats } = cloud.simulator;
    stats.reset();
    await becomes(
      exporter,
      'a call',
      (page) => stats.count({ regionId: SICK }) > 0 || failures(page, SICK)[fault.code] !== undefined,
    );
    return lift;
  },
}));

const stateTroubles: readonly Trouble[] = stateFaults
  .filter(({ inProcess }) => inProcess !== true)
  .map((fault) => ({
    name: `the state, when ${fault.name}`,
    isLost: fault.name === 'a file takes the place of its directory',
    prepare: (volume) => fault.prepare?.(volume),
    async begin({ volume, cloud, exporter }) {
      const lift = fault.inflict(volume);
      for (let percent = 41; !exporter.program.stderr.includes('the state cannot be saved'); percent++) {
        for (const regionId of REGIONS) cloud.progress(regionId, percent);
        await becomes(exporter, 'the progress', (page) => isAt(page, percent / 100));
      }
      return lift;
    },
  }));

/** Clients that say this, and then a byte from time to time, and read nothing. */
function clients(name: string, count: number, said: string, dripMs?: number): Trouble {
  return {
    name,
    async begin({ exporter }) {
      const sockets: Socket[] = [];
      for (let n = 0; n < count; n++) {
        const socket = connect(Number(new URL(exporter.url).port), '127.0.0.1').pause();
        socket.on('error', () => undefined).write(said);
        const drip = dripMs === undefined ? undefined : setInterval(() => socket.write('a'), dripMs);
        socket.once('close', () => clearInterval(drip));
        sockets.push(socket);
      }
      // Served after them.
      await becomes(exporter, 'a page', () => true);
      return () => sockets.forEach((socket) => socket.destroy());
    },
  };
}

const strangers: readonly Trouble[] = [
  clients('slowloris', 50, 'GET /metrics HTTP/1.1\r\nX-Slow: ', 20),
  clients('half-open sockets before the first byte', 50, ''),
  clients('half-open sockets after their request', 50, 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'),
  {
    name: '200 scrapers at once',
    async begin({ exporter }) {
      const scrapes = Array.from({ length: 200 }, async () => {
        const response = await fetch(`${exporter.url}/metrics`, { headers: { connection: 'close' } });
        return (await response.text()).endsWith('\n') && response.status === 200;
      });
      await Promise.race(scrapes);
      return async () => {
        const results = await Promise.allSettled(scrapes);
        for (const result of results) if (result.status === 'fulfilled') expect(result.value).to.equal(true);
      };
    },
  },
];

const others: readonly Trouble[] = [
  {
    name: 'a discovery that hangs midway',
    async begin({ cloud, exporter, config }) {
      const { fleet, faults, stats } = cloud.simulator;
      for (let id = 0; id < 130; id++) {
        fleet.addInstance({ account: ACCOUNT, regionId: SICK, instanceId: `rm-more-${id}` });
      }
      faults.inject({ regionId: SICK, action: 'DescribeDBInstances', page: 2, effect: { kind: 'hang' } });
      stats.reset();
      writeFileSync(config, cloud.configuration(`    discovery: {include: rm-}\n${HASTY}`));
      exporter.program.child.kill('SIGHUP');
      await eventually('the second page', () =>
        stats.count({ regionId: SICK, action: 'DescribeDBInstances' }) > 1 ? true : undefined,
      );
      return undefined;
    },
  },
  {
    name: 'a reload of garbage',
    async begin({ config, exporter }) {
      writeFileSync(config, '\u0000{garbage');
      exporter.program.child.kill('SIGHUP');
      await exporter.program.output(/configuration not reloaded, the old one stays/);
      return undefined;
    },
  },
];

/** The daemon runs, has the trouble, and is stopped; then its state is looked at. */
async function stopDuring(trouble: Trouble): Promise<void> {
  const volume = new Volume();
  trouble.prepare?.(volume);
  const cloud = await startCloud(systemClock());
  const config = join(volume.path, 'config.yaml');
  writeFileSync(config, cloud.configuration(HASTY));
  const exporter = await startExporter([`--config.file=${config}`]);
  try {
    await becomes(exporter, 'the polls', (page) => isAt(page, 0.4) && isSaved(page) === 1);
    const lift = await trouble.begin({ cloud, volume, config, exporter });
    await expectWholeStop(exporter);
    await lift?.();
    if (trouble.isLost === true) expect(existsSync(volume.state)).to.equal(false);
    else await expectWholeState(volume);
  } finally {
    await exporter.program.stop('SIGKILL');
    await cloud.close();
    volume.remove();
  }
}

async function expectWholeState(volume: Volume): Promise<void> {
  const complaints: string[] = [];
  const complain = (msg: string): void => void complaints.push(msg);
  const log = { debug: complain, info: complain, warn: complain, error: complain };
  const store = await StateStore.open({ path: volume.state, clock: systemClock(), log });
  const { size } = await store.readAll();
  await store.close();
  expect(complaints).to.deep.equal([]);
  expect(size).to.equal(INSTANCES);
}

describe('a SIGTERM ends a daemon whole, within 5 s, in the midst of', function () {
  this.timeout(TIMEOUT_MS);
  const troubles = [...apiTroubles, ...stateTroubles, ...strangers, ...others];
  const stops = new Map<string, Promise<void>>();

  before(() => {
    const limit = pLimit(AT_ONCE);
    for (const trouble of troubles) {
      const stop = limit(() => stopDuring(trouble));
      stop.catch(() => undefined);
      stops.set(trouble.name, stop);
    }
  });

  for (const { name } of troubles) it(name, () => stops.get(name));
});

describe('a stop ends a daemon whole, within 5 s, in the midst of', function () {
  this.timeout(TIMEOUT_MS);
  let world: KeptWorld;

  beforeEach(async () => {
    world = await KeptWorld.open();
  });

  afterEach(async () => {
    await world.close();
    world.volume.remove();
  });

  for (const { name, begin } of [
    ...apiFaults
      .filter(({ inProcess }) => inProcess === true)
      .map((fault) => ({ name: fault.name, begin: () => fault.inflict(world.cloud) })),
    ...[HOUR, -HOUR].map((stepMs) => ({
      name: `a clock that has stepped by ${stepMs / HOUR} h`,
      begin: () => Promise.resolve((world.clock.wallOffsetMs = stepMs)),
    })),
  ]) {
    it(name, async () => {
      await world.start();
      await world.pageOn('the polls', (page) => isAt(page, 0.4) && isSaved(page) === 1);
      await begin();
      // A poll of what runs is due in this time, and has not timed out.
      await world.pass(32_000);
      const before = world.exporter.log.length;
      const stopping = world.stop();
      await world.pass(5_000);
      await stopping;
      expect(world.exporter.log.slice(before)).to.deep.equal([]);
      await expectWholeState(world.volume);
    });
  }
});
