import { expect } from 'chai';
import { MALFORMED_JSON } from '../../dist/simulator/faults.js';
import type { FaultEffect } from '../../dist/simulator/faults.js';
import { refusal } from '../../dist/simulator/refusal.js';
import { ACCOUNT, idOf, ROLES, SICK, WELL } from './cloud.js';
import type { Page } from './page.js';
import { at, isAt } from './region.js';
import { TIMEOUT_MS, startWorld } from './world.js';
import type { World } from './world.js';

const MINUTE = 60_000;
const MORE = 130;
const ALL = ROLES.length + MORE;
/** An answer without any instance, as a changed condition of RAM gives it. */
const NOTHING: FaultEffect = { kind: 'raw', body: '{"RequestId":"R-1","Items":{"DBInstance":[]}}' };

describe('discovery that breaks', function () {
  this.timeout(TIMEOUT_MS);
  let world: World;

  beforeEach(async () => {
    world = await startWorld({
      prepare({ simulator: { fleet } }) {
        for (let id = 0; id < MORE; id++) {
          fleet.addInstance({ account: ACCOUNT, regionId: SICK, instanceId: `rm-more-${id}` });
        }
      },
    });
  });

  afterEach(() => world.close());

  function isComplete(page: Page, targets: number): boolean {
    const polls = page.all('instance_poll_success', at(SICK));
    return (
      page.value('exporter_discovery_success', at(SICK)) === 1 &&
      page.value('exporter_targets', at(SICK)) === targets &&
      polls.length === targets &&
      polls.every(({ value }) => value === 1)
    );
  }

  const midway: readonly (readonly [string, FaultEffect])[] = [
    ['an error', { kind: 'refuse', refusal: refusal('InternalError') }],
    ['a token that is no longer valid', { kind: 'refuse', refusal: refusal('Invalid.NextToken') }],
    ['half an answer', MALFORMED_JSON],
    ['no answer', { kind: 'hang' }],
  ];
  for (const [name, effect] of midway) {
    it(`midway with ${name} keeps every target, and takes in what came and went when it ends`, async () => {
      const { cloud, exporter } = world;
      const { faults, fleet } = cloud.simulator;
      await exporter.passUntil('all', (page) => isComplete(page, ALL), { withinMs: 2 * MINUTE });
      const lift = faults.inject({ regionId: SICK, action: 'DescribeDBInstances', page: 2, effect });
      fleet.addInstance({ account: ACCOUNT, regionId: SICK, instanceId: 'rm-new' });
      for (let passed = 0; passed < 12; passed++) {
        await exporter.pass(MINUTE);
        const page = await exporter.page();
        expect(page.value('exporter_targets', at(SICK))).to.equal(ALL);
        expect(page.all('instance_poll_success', at(SICK)).every(({ value }) => value === 1)).to.equal(true);
        expect(page.all('tasks', { ...at(SICK), mode: 'Automated' })).to.have.lengthOf(ALL);
        expect(isAt(page, WELL, 40)).to.equal(true);
      }
      const broken = await exporter.page();
      expect(broken.value('exporter_discovery_success', at(SICK))).to.equal(0);
      expect(broken.value('exporter_discovery_success', at(WELL))).to.equal(1);
      lift();
      await exporter.passUntil('the new one', (page) => isComplete(page, ALL + 1), { withinMs: 10 * MINUTE + MINUTE });
    });
  }

  it('with an empty listing, once, drops nothing', async () => {
    const { cloud, exporter } = world;
    await exporter.passUntil('all', (page) => isComplete(page, ALL), { withinMs: 2 * MINUTE });
    cloud.simulator.faults.inject({ regionId: SICK, action: 'DescribeDBInstances', times: 1, effect: NOTHING });
    await exporter.passUntil('the doubt', (page) => page.value('exporter_discovery_success', at(SICK)) === 0, {
      withinMs: 11 * MINUTE,
    });
    expect((await exporter.page()).all('instance_info', at(SICK))).to.have.lengthOf(ALL);
    await exporter.passUntil('the next', (page) => isComplete(page, ALL), { withinMs: 11 * MINUTE });
  });
});

describe('discovery that is broken from the start', function () {
  this.timeout(TIMEOUT_MS);
  let world: World;

  before(async () => {
    world = await startWorld({
      prepare({ simulator: { faults } }) {
        faults.inject({ regionId: SICK, action: 'DescribeDBInstances', effect: MALFORMED_JSON });
      },
    });
  });

  after(() => world.close());

  it('says so, holds up no other region, and begins when it works', async () => {
    const { cloud, exporter } = world;
    await exporter.pass(20 * MINUTE);
    const page = await exporter.page();
    expect(isAt(page, WELL, 40)).to.equal(true);
    expect(page.value('exporter_discovery_success', at(SICK))).to.equal(0);
    expect(page.value('exporter_targets', at(SICK))).to.equal(0);
    expect(page.all('instance_info', at(SICK))).to.deep.equal([]);
    cloud.simulator.faults.clear();
    await exporter.passUntil('all', (seen) => isAt(seen, SICK, 40), { withinMs: 10 * MINUTE + MINUTE });
  });
});

describe('tags that RAM denies', function () {
  this.timeout(TIMEOUT_MS);
  let world: World;

  before(async () => {
    world = await startWorld({
      prepare({ simulator: { faults, fleet } }) {
        for (const role of ['idle', 'running'] as const) {
          fleet.changeInstance(ACCOUNT, idOf(SICK, role), { tags: { env: 'prod', costCenter: '7' } });
        }
        faults.inject({
          regionId: SICK,
          action: 'DescribeDBInstanceByTags',
          effect: { kind: 'refuse', refusal: refusal('Forbidden.RAM') },
        });
        return '    discovery: {tags: {env: prod}, tag_labels: [costCenter]}\n';
      },
    });
  });

  after(() => world.close());

  const labelsOf = (page: Page): (string | undefined)[] =>
    page.all('instance_info', at(SICK)).map(({ labels }) => labels['tag_cost_center']);
  const told = (text: string): number => world.exporter.log.filter((line) => line.includes(text)).length;

  it('cost the labels, not the instances, and no filter; the labels come with the permission', async () => {
    const { cloud, exporter } = world;
    await exporter.pass(65 * MINUTE);
    const page = await exporter.page();
    expect(labelsOf(page)).to.deep.equal([undefined, undefined]);
    expect(page.value('exporter_targets', at(SICK))).to.equal(2);
    expect(page.all('instance_poll_success', at(SICK)).map(({ value }) => value)).to.deep.equal([1, 1]);
    expect(page.value('exporter_discovery_success', at(SICK))).to.equal(1);
    expect(told('listing instance tags is denied; watching the instances without tag labels')).to.equal(1);
    cloud.simulator.faults.clear();
    await exporter.passUntil('the labels', (seen) => labelsOf(seen).join() === '7,7', { withinMs: 11 * MINUTE });
    expect(told('listing instance tags recovered')).to.equal(1);
    cloud.simulator.faults.inject({
      regionId: SICK,
      action: 'DescribeDBInstanceByTags',
      effect: { kind: 'refuse', refusal: refusal('InternalError') },
    });
    await exporter.pass(25 * MINUTE);
    const failing = await exporter.page();
    expect(labelsOf(failing)).to.deep.equal(['7', '7']);
    expect(failing.value('exporter_discovery_success', at(SICK))).to.equal(1);
    expect(told('failed to list instance tags; keeping the last known tag labels')).to.equal(1);
  });
});
