import { expect } from 'chai';
import { parseConfig } from '../../dist/config/load.js';
import { refusal } from '../../dist/simulator/refusal.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { Scratch } from '../helpers/program.js';
import { ACCOUNT, KEY, SICK, WELL, startCloud } from './cloud.js';
import type { Cloud } from './cloud.js';
import { Exporter } from './exporter.js';
import { at, failures, isAt } from './region.js';
import { TIMEOUT_MS } from './world.js';

const MINUTE = 60_000;
/** Two listings, then five instances in each region, within the limit. */
const AT_ONCE_MS = 3_000;
const OTHER_KEY = { accessKeyId: 'other-key-id', accessKeySecret: 'other-key-secret' };

describe('a reload that brings', function () {
  this.timeout(TIMEOUT_MS);
  let cloud: Cloud;
  let exporter: Exporter;
  let text: string;

  beforeEach(async () => {
    const clock = new FakeClock();
    cloud = await startCloud(clock);
    text = cloud.configuration();
    exporter = await Exporter.start(cloud, clock, '', {
      readConfig: () => parseConfig(text, { env: {}, file: 'config.yaml' }),
    });
    await exporter.pass(MINUTE);
  });

  afterEach(async () => {
    await exporter.stop();
    await cloud.close();
  });

  function useOtherKey(): void {
    text = text.replace(KEY.accessKeyId, OTHER_KEY.accessKeyId).replace(KEY.accessKeySecret, OTHER_KEY.accessKeySecret);
  }

  it('the right key after a wrong one polls and lists at once', async () => {
    const { simulator } = cloud;
    simulator.removeKey(KEY.accessKeyId);
    await exporter.pass(20 * MINUTE);
    const dark = await exporter.page();
    expect(dark.all('exporter_api_cooldown', at(SICK)).map(({ value }) => value)).to.deep.equal([1, 1]);
    expect(dark.value('exporter_discovery_success', at(SICK))).to.equal(0);

    simulator.addKey({ account: ACCOUNT, ...OTHER_KEY });
    cloud.progress(SICK, 70);
    cloud.progress(WELL, 70);
    useOtherKey();
    expect(exporter.reload()).to.deep.equal([]);
    await exporter.pass(AT_ONCE_MS);
    const page = await exporter.page();
    for (const regionId of [SICK, WELL]) {
      expect(isAt(page, regionId, 70), regionId).to.equal(true);
      expect(page.value('exporter_discovery_success', at(regionId))).to.equal(1);
      expect(page.all('exporter_api_cooldown', at(regionId)).map(({ value }) => value)).to.deep.equal([0, 0]);
    }
    const left = exporter.log.filter((line) => line.includes('cool-down left'));
    expect(left).to.have.lengthOf(4);
    expect(left.join('')).to.contain('the credentials or the endpoint changed');
  });

  it('a key that may do more asks the denied instances at once', async () => {
    const { simulator } = cloud;
    const denied = refusal('Forbidden.RAM');
    const lift = simulator.faults.inject({ regionId: SICK, effect: { kind: 'refuse', refusal: denied } });
    await exporter.pass(90 * MINUTE);
    lift();
    simulator.addKey({ account: ACCOUNT, ...OTHER_KEY });
    useOtherKey();
    exporter.reload();
    await exporter.pass(AT_ONCE_MS);
    expect(isAt(await exporter.page(), SICK, 40)).to.equal(true);
  });

  it("another account's key watches what that one holds, and nothing else", async () => {
    const { simulator } = cloud;
    for (let n = 0; n < 12; n++) simulator.fleet.addInstance({ account: 'b', regionId: SICK, instanceId: `rm-b${n}` });
    simulator.addKey({ account: 'b', ...OTHER_KEY });
    useOtherKey();
    exporter.reload();
    await exporter.pass(AT_ONCE_MS);
    const ids = (await exporter.page())
      .all('instance_poll_success', at(SICK))
      .map(({ labels }) => labels['instance_id']);
    expect(ids).to.have.members(Array.from({ length: 12 }, (_, n) => `rm-b${n}`));
  });

  it('another endpoint polls and lists there at once', async () => {
    const port = new URL(cloud.simulator.endpoints[SICK]!).port;
    text = text.replaceAll(`:${port}`, ':9');
    exporter.reload();
    await exporter.pass(20 * MINUTE);
    expect((await exporter.page()).value('exporter_discovery_success', at(SICK))).to.equal(0);
    cloud.progress(SICK, 70);
    text = cloud.configuration();
    exporter.reload();
    await exporter.pass(AT_ONCE_MS);
    const page = await exporter.page();
    expect(isAt(page, SICK, 70)).to.equal(true);
    expect(page.value('exporter_discovery_success', at(SICK))).to.equal(1);
  });

  it('nothing new of this kind disturbs nothing', async () => {
    const { stats } = cloud.simulator;
    stats.reset();
    text = cloud.configuration('polling: {timeout: 9s}\n');
    exporter.reload();
    await exporter.pass(AT_ONCE_MS);
    expect(stats.count({ action: 'DescribeDBInstances' })).to.equal(0);
  });

  it('another timeout alone lets the polls under way end, and holds for those after them', async () => {
    const { simulator } = cloud;
    const { stats, faults } = simulator;
    const lift = faults.inject({ regionId: SICK, effect: { kind: 'delay', delayMs: 5_000 } });
    cloud.progress(SICK, 70);
    for (let second = 0; second < 30 && stats.concurrency === 0; second++) await exporter.pass(1_000);
    expect(stats.concurrency).to.be.above(0);
    text = cloud.configuration('polling: {timeout: 3s}\n');
    expect(exporter.reload()).to.deep.equal([]);
    await exporter.pass(6_000);
    const page = await exporter.page();
    expect(isAt(page, SICK, 70)).to.equal(true);
    expect(failures(page, SICK)).to.deep.equal({});
    await exporter.pass(MINUTE);
    expect(failures(await exporter.page(), SICK)).to.have.all.keys('Timeout');
    lift();
  });
});

describe('new content of a key file', function () {
  this.timeout(TIMEOUT_MS);
  const scratch = new Scratch();
  let cloud: Cloud;
  let exporter: Exporter;

  beforeEach(async () => {
    const clock = new FakeClock();
    cloud = await startCloud(clock);
    write(KEY);
    const text = cloud
      .configuration()
      .replace(/access_key_id: [^,]+/, `access_key_id_file: ${scratch.path}/id`)
      .replace(/access_key_secret: [^}]+/, `access_key_secret_file: ${scratch.path}/secret`);
    exporter = await Exporter.start(cloud, clock, '', {
      readConfig: () => parseConfig(text, { env: {}, file: 'config.yaml' }),
    });
    await exporter.pass(MINUTE);
  });

  afterEach(async () => {
    await exporter.stop();
    await cloud.close();
  });
  after(() => scratch.remove());

  function write({ accessKeyId, accessKeySecret }: typeof KEY): void {
    scratch.file('id', accessKeyId);
    scratch.file('secret', accessKeySecret);
  }

  async function goDark(): Promise<void> {
    const { simulator } = cloud;
    simulator.removeKey(KEY.accessKeyId);
    await exporter.pass(20 * MINUTE);
    expect((await exporter.page()).value('exporter_discovery_success', at(SICK))).to.equal(0);
    simulator.addKey({ account: ACCOUNT, ...OTHER_KEY });
    cloud.progress(SICK, 70);
    cloud.progress(WELL, 70);
    write(OTHER_KEY);
  }

  async function expectLight(): Promise<void> {
    const page = await exporter.page();
    for (const regionId of [SICK, WELL]) {
      expect(isAt(page, regionId, 70), regionId).to.equal(true);
      expect(page.value('exporter_discovery_success', at(regionId))).to.equal(1);
      expect(page.all('exporter_api_cooldown', at(regionId)).map(({ value }) => value)).to.deep.equal([0, 0]);
    }
  }

  it('polls and lists at once when a reload comes with it', async () => {
    await goDark();
    expect(exporter.reload()).to.deep.equal([]);
    await exporter.pass(AT_ONCE_MS);
    await expectLight();
  });

  it('polls and lists everywhere as soon as one request is signed with it', async () => {
    await goDark();
    cloud.simulator.stats.reset();
    const { stats } = cloud.simulator;
    // Whatever is held back probes every 10 minutes at least.
    for (let second = 0; second < 600 && stats.count() === 0; second++) await exporter.pass(1_000);
    await exporter.pass(AT_ONCE_MS);
    await expectLight();
    expect(exporter.log.filter((line) => line.includes('credentials changed'))).to.have.lengthOf(1);
  });

  it("watches what another account holds, and nothing else, once it is that one's key", async () => {
    const { simulator } = cloud;
    for (let n = 0; n < 12; n++) simulator.fleet.addInstance({ account: 'b', regionId: SICK, instanceId: `rm-b${n}` });
    simulator.addKey({ account: 'b', ...OTHER_KEY });
    write(OTHER_KEY);
    exporter.reload();
    await exporter.pass(AT_ONCE_MS);
    const ids = (await exporter.page())
      .all('instance_poll_success', at(SICK))
      .map(({ labels }) => labels['instance_id']);
    expect(ids).to.have.members(Array.from({ length: 12 }, (_, n) => `rm-b${n}`));
  });

  it('that is no other key disturbs nothing', async () => {
    write(KEY);
    cloud.simulator.stats.reset();
    exporter.reload();
    await exporter.pass(AT_ONCE_MS);
    expect(cloud.simulator.stats.count({ action: 'DescribeDBInstances' })).to.equal(0);
  });
});
