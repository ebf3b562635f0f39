import { expect } from 'chai';
import { parseConfig } from '../../dist/config/load.js';
import { Scratch } from '../helpers/program.js';
import { ACCOUNT, KEY, ROLES, SICK, WELL, runningTask } from './cloud.js';
import { at, expectNoNews, expectNoTasks, expectSameTask, failures, isAt, isEnded } from './region.js';
import { TIMEOUT_MS, startWorld } from './world.js';
import type { World } from './world.js';

const MINUTE = 60_000;
const OTHER_KEY = { accessKeyId: 'other-key-id', accessKeySecret: 'other-key-secret' };
const OTHER = { account: 'b', region_id: SICK, instance_id: 'rm-other' };

describe('credentials that are revoked and restored', function () {
  this.timeout(TIMEOUT_MS);
  let world: World;

  before(async () => {
    world = await startWorld({
      prepare({ simulator }) {
        simulator.addKey({ account: OTHER.account, ...OTHER_KEY });
        simulator.fleet.addInstance({ account: OTHER.account, regionId: SICK, instanceId: OTHER.instance_id });
        return `  - name: ${OTHER.account}
    credentials: {type: access_key, access_key_id: ${OTHER_KEY.accessKeyId}, access_key_secret: ${OTHER_KEY.accessKeySecret}}
    regions: [{id: ${SICK}, endpoint: "${simulator.endpoints[SICK]}"}]
`;
      },
    });
  });

  after(() => world.close());

  it('stop one account with few calls and no other, and start it again', async () => {
    const { cloud, exporter } = world;
    const { simulator } = cloud;
    await exporter.pass(MINUTE);
    const before = await exporter.page();
    expect(isAt(before, SICK, 40) && isAt(before, WELL, 40)).to.equal(true);

    simulator.removeKey(KEY.accessKeyId);
    simulator.stats.reset();
    cloud.progress(SICK, 70);
    cloud.end(SICK);
    for (let minute = 1; minute <= 30; minute++) {
      simulator.fleet.setTasks(OTHER.account, OTHER.instance_id, { listed: [runningTask(7, minute)] });
      await exporter.pass(MINUTE);
      const page = await exporter.page();
      expectNoNews(page, before, SICK);
      if (minute > 5) expect(page.value('task_progress_ratio', OTHER)).to.equal(minute / 100);
    }
    const dark = await exporter.page();
    for (const regionId of [SICK, WELL]) {
      expectNoTasks(dark, regionId);
      expect(failures(dark, regionId)).to.have.all.keys('InvalidAccessKeyId.NotFound');
      expect(dark.all('exporter_api_cooldown', at(regionId)).map(({ value }) => value)).to.deep.equal([1, 1]);
      expect(dark.value('exporter_targets', at(regionId))).to.equal(ROLES.length);
    }
    // Two regions of two actions: a probe of each after 30 s, then after twice as long, up to 10 minutes.
    expect(simulator.stats.answers.get('InvalidAccessKeyId.NotFound')).to.be.below(36);
    expect(exporter.log.filter((line) => line.includes('cool-down entered'))).to.have.lengthOf(4);

    simulator.addKey({ account: ACCOUNT, ...KEY });
    const after = await exporter.passUntil(
      'the recovery',
      (page) => isAt(page, SICK, 70) && isAt(page, WELL, 40) && isEnded(page, SICK),
      { withinMs: 11 * MINUTE },
    );
    expectSameTask(after, before, SICK);
    await exporter.passUntil(
      'discovery',
      (page) => [SICK, WELL].every((regionId) => page.value('exporter_discovery_success', at(regionId)) === 1),
      { withinMs: 10 * MINUTE },
    );
    expect(exporter.log.filter((line) => line.includes('cool-down left'))).to.have.lengthOf(4);
    expect(exporter.log.join('')).not.to.match(/test-key-(id|secret)/);
  });
});

describe('credentials that a reload moves to another place, where they read the same', function () {
  this.timeout(TIMEOUT_MS);
  const scratch = new Scratch();
  after(() => scratch.remove());

  function secretAt(place: 'inline' | 'a' | 'b'): string {
    return place === 'inline'
      ? `access_key_secret: ${KEY.accessKeySecret}`
      : `access_key_secret_file: ${scratch.path}/${place}`;
  }

  for (const [from, to] of [
    ['inline', 'b'],
    ['a', 'b'],
  ] as const) {
    it(`are followed there when they are rotated: ${from} to ${to}`, async () => {
      for (const name of ['a', 'b']) scratch.file(name, KEY.accessKeySecret);
      let place: 'inline' | 'a' | 'b' = from;
      const world = await startWorld({
        over: (cloud) => ({
          readConfig: () =>
            parseConfig(cloud.configuration().replace(/access_key_secret: [^}]*/, secretAt(place)), {
              env: {},
              file: 'config.yaml',
            }),
        }),
      });
      const { cloud, exporter } = world;
      try {
        await exporter.passUntil('the first poll', (page) => isAt(page, SICK, 40), { withinMs: MINUTE });
        place = to;
        expect(exporter.reload()).to.deep.equal([]);
        // It lists and polls at once, with what the file holds by then.
        await exporter.pass(3_000);
        cloud.simulator.addKey({ account: ACCOUNT, ...KEY, accessKeySecret: 'rotated' });
        scratch.file(to, 'rotated');
        cloud.progress(SICK, 70);
        await exporter.pass(MINUTE);
        const page = await exporter.page();
        expect(failures(page, SICK)).to.deep.equal({});
        expect(isAt(page, SICK, 70)).to.equal(true);
      } finally {
        await world.close();
      }
    });
  }
});
