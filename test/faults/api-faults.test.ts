import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { answered, apiFaults } from './api-faults.js';
import type { ApiFault } from './api-faults.js';
import { ACCOUNT, ROLES, SICK, WELL } from './cloud.js';
import type { Page } from './page.js';
import { at, expectNoNews, expectNoTasks, expectSameTask, failures, isAt, isEnded, of } from './region.js';
import { TIMEOUT_MS, startWorld } from './world.js';
import type { World } from './world.js';

const MINUTE = 60_000;
/** Longer than stale_after. */
const LASTS_MS = 16 * MINUTE;
/** The longest pause of an outage, an idle interval and its retries. */
const RECOVERS_WITHIN_MS = 6 * MINUTE;
/** A refresh interval. */
const DISCOVERS_WITHIN_MS = 10 * MINUTE;

describe('a region with', function () {
  this.timeout(TIMEOUT_MS);
  let world: World;

  beforeEach(async () => {
    world = await startWorld();
  });

  afterEach(() => world.close());

  async function lastsAndEnds(fault: ApiFault): Promise<void> {
    const { cloud, exporter } = world;
    const before = await exporter.passUntil('all polls', (page) => isAt(page, WELL, 40) && isAt(page, SICK, 40), {
      withinMs: MINUTE,
    });
    const lift = await fault.inflict(cloud);
    cloud.progress(WELL, 50);
    cloud.progress(SICK, 70);
    cloud.end(SICK);
    for (let passed = 0; passed < LASTS_MS; passed += MINUTE) {
      await exporter.pass(MINUTE);
      const page = await exporter.page();
      expectNoNews(page, before, SICK);
      expect(isAt(page, WELL, 50), 'the other region goes on').to.equal(true);
    }
    const dark = await exporter.page();
    expectNoTasks(dark, SICK);
    expect(failures(dark, SICK)).to.have.all.keys(fault.code);
    expect(failures(dark, WELL)).to.deep.equal({});
    expect(dark.all('instance_poll_success', at(SICK)).map(({ value }) => value)).to.deep.equal(ROLES.map(() => 0));
    expect(dark.value('exporter_discovery_success', at(SICK))).to.equal(0);
    expect(dark.value('exporter_targets', at(SICK))).to.equal(ROLES.length);
    const { instances } = JSON.parse(await exporter.get(`/api/v1/status?region_id=${SICK}`)) as {
      instances: readonly { state: string }[];
    };
    expect(instances.map(({ state }) => state)).to.deep.equal(ROLES.map(() => 'unknown'));
    if (fault.said !== undefined) expect(exporter.log.join('')).to.match(fault.said);

    await lift();
    const after = await exporter.passUntil('the recovery', (page) => isAt(page, SICK, 70) && isEnded(page, SICK), {
      withinMs: RECOVERS_WITHIN_MS,
    });
    expectSameTask(after, before, SICK);
    expect(after.value('tasks', { ...of(SICK, 'ending'), mode: 'Automated' })).to.equal(0);
    expect(after.all('last_completion_duration_seconds', at(SICK)), 'a duration that nobody saw').to.deep.equal([]);
    await exporter.passUntil('discovery', (page) => page.value('exporter_discovery_success', at(SICK)) === 1, {
      withinMs: DISCOVERS_WITHIN_MS,
      everyMs: MINUTE,
    });
  }

  for (const fault of apiFaults) {
    it(`${fault.name} holds up no other and comes back`, () => lastsAndEnds(fault));
  }

  it('a redirect is not followed: the other host receives nothing', async () => {
    let connections = 0;
    const other = createServer((_request, response) => response.end()).on('connection', () => connections++);
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    const redirect = answered('a redirect', 'HTTP307', { kind: 'raw', status: 307, body: '', headers: { location } });
    await lastsAndEnds(redirect).finally(() => other.close());
    expect(connections).to.equal(0);
  });
});

describe('instances of one region, each with a fault of its own,', function () {
  this.timeout(TIMEOUT_MS);
  const faults = apiFaults.filter(({ isWide }) => isWide !== true);
  const ids = faults.map((_, index) => `rm-fault-${index}`);
  let world: World;

  before(async () => {
    world = await startWorld({
      prepare({ simulator: { fleet } }) {
        for (const instanceId of ids) fleet.addInstance({ account: ACCOUNT, regionId: SICK, instanceId });
      },
    });
  });

  after(() => world.close());

  it('hold up no other one and come back', async () => {
    const { cloud, exporter } = world;
    const polls = (page: Page): readonly (number | undefined)[] =>
      ids.map((id) => page.value('instance_poll_success', { instance_id: id }));
    await exporter.pass(MINUTE);
    expect(polls(await exporter.page())).to.deep.equal(ids.map(() => 1));

    const lifts = await Promise.all(faults.map((fault, index) => fault.inflict(cloud, { instanceId: ids[index]! })));
    for (let percent = 50; percent < 66; percent++) {
      cloud.progress(SICK, percent);
      cloud.progress(WELL, percent);
      await exporter.pass(MINUTE);
      const page = await exporter.page();
      for (const regionId of [SICK, WELL]) {
        expect(page.value('task_progress_ratio', of(regionId, 'running'))).to.equal(percent / 100);
        expect(page.value('exporter_poll_lag_seconds', at(regionId))).to.be.below(10);
      }
    }
    const page = await exporter.page();
    expect(polls(page)).to.deep.equal(ids.map(() => 0));
    for (const role of ROLES) expect(page.value('instance_poll_success', of(SICK, role)), role).to.equal(1);
    expect(ids.flatMap((id) => page.all('tasks', { instance_id: id }))).to.deep.equal([]);
    expect(failures(page, SICK)).to.have.all.keys([...new Set(faults.map(({ code }) => code))]);

    for (const lift of lifts) await lift();
    await exporter.pass(RECOVERS_WITHIN_MS);
    const after = await exporter.page();
    for (const id of ids) expect(after.value('tasks', { instance_id: id, mode: 'Manual' }), id).to.equal(0);
  });
});

describe('regions that have a fault, each its own, from the start', function () {
  this.timeout(TIMEOUT_MS);
  const faults = new Map(
    apiFaults
      .filter(({ inProcess }) => inProcess !== true)
      .map((fault, index) => [index === 0 ? SICK : `cold-${index}`, fault]),
  );
  const lifts: (() => Promise<void>)[] = [];
  let world: World;

  before(async () => {
    world = await startWorld({
      regions: [WELL, ...faults.keys()],
      async prepare(cloud) {
        for (const [regionId, fault] of faults) lifts.push(await fault.inflict(cloud, { regionId }));
      },
    });
  });

  after(() => world.close());

  it('show nothing, keep nobody waiting, and begin when it ends', async () => {
    const { cloud, exporter } = world;
    await exporter.pass(MINUTE);
    expect(await exporter.get('/-/ready')).to.be.a('string');
    for (let percent = 50; percent < 66; percent++) {
      cloud.progress(WELL, percent);
      await exporter.pass(MINUTE);
      expect(isAt(await exporter.page(), WELL, percent)).to.equal(true);
    }
    const dark = await exporter.page();
    for (const [regionId, { code, name }] of faults) {
      expect(dark.all('instance_info', at(regionId)), name).to.deep.equal([]);
      expect(dark.value('exporter_targets', at(regionId)), name).to.equal(0);
      expect(dark.value('exporter_discovery_success', at(regionId)), name).to.equal(0);
      expect(failures(dark, regionId), name).to.have.all.keys(code);
    }

    for (const lift of lifts) await lift();
    await exporter.pass(DISCOVERS_WITHIN_MS + MINUTE);
    const after = await exporter.page();
    for (const [regionId, { name }] of faults) expect(isAt(after, regionId, 40), name).to.equal(true);
  });
});
