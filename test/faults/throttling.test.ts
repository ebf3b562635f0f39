import { expect } from 'chai';
import { refusal } from '../../dist/simulator/refusal.js';
import { ACCOUNT, SICK, WELL } from './cloud.js';
import type { Page } from './page.js';
import { at, expectNoNews, expectNoTasks, expectSameTask, failures, isAt, isEnded, of } from './region.js';
import { TIMEOUT_MS, startWorld } from './world.js';
import type { World } from './world.js';

const MINUTE = 60_000;
const FLOOR = 5 / 16;
/** From the floor up to 5 a second takes 150 s. */
const RATE_RECOVERS_WITHIN_MS = 3 * MINUTE;

describe('an hour of throttling', function () {
  this.timeout(TIMEOUT_MS);
  let world: World;

  before(async () => {
    world = await startWorld({
      // So many that the quota is what holds them up.
      prepare({ simulator: { fleet } }) {
        for (let id = 0; id < 100; id++) {
          fleet.addInstance({ account: ACCOUNT, regionId: SICK, instanceId: `rm-more-${id}` });
        }
      },
    });
  });

  after(() => world.close());

  it('slows the region down and no other, fails no poll, shows nothing old, and passes', async () => {
    const { cloud, exporter } = world;
    const { faults, stats } = cloud.simulator;
    await exporter.pass(MINUTE);
    const before = await exporter.page();
    const polls = (page: Page): ReadonlySet<number> =>
      new Set(page.all('instance_poll_success', at(SICK)).map(({ value }) => value));
    expect(polls(before)).to.deep.equal(new Set([1]));
    const lift = faults.inject({ regionId: SICK, effect: { kind: 'refuse', refusal: refusal('Throttling.User') } });
    cloud.progress(SICK, 70);
    cloud.end(SICK);
    for (let minute = 1; minute <= 60; minute++) {
      stats.reset();
      await exporter.pass(MINUTE);
      const page = await exporter.page();
      expectNoNews(page, before, SICK);
      expect(isAt(page, WELL, 40)).to.equal(true);
      expect(polls(page)).to.deep.equal(new Set([1]));
      const staleAfterMs = 1_000 * page.value('exporter_stale_after_seconds', at(SICK))!;
      expect(staleAfterMs).to.be.below(22 * MINUTE);
      if (minute * MINUTE > staleAfterMs) expectNoTasks(page, SICK);
      const tasks = { ...at(SICK), action: 'DescribeBackupTasks' };
      if (minute > 6) {
        expect(page.value('exporter_api_rate_limit_requests_per_second', tasks)).to.be.within(FLOOR, 2 * FLOOR);
        expect(stats.count({ regionId: SICK, action: tasks.action })).to.be.at.most(60 * 2 * FLOOR);
      }
    }
    const dark = await exporter.page();
    expect(failures(dark, SICK)).to.have.all.keys('Throttling.User');
    expect(dark.all('exporter_api_cooldown', at(SICK)).map(({ value }) => value)).to.deep.equal([0, 0]);
    expect(exporter.log.filter((line) => line.includes('msg="throttled: '))).to.have.lengthOf.below(30);

    lift();
    const after = await exporter.passUntil(
      'the recovery',
      (page) => page.value('task_progress_ratio', of(SICK, 'running')) === 0.7 && isEnded(page, SICK),
      {
        withinMs: 6 * MINUTE,
      },
    );
    expectSameTask(after, before, SICK);
    await exporter.passUntil(
      'the full rate',
      (page) =>
        page.all('exporter_api_rate_limit_requests_per_second', at(SICK)).every(({ value }) => value === 5) &&
        page.value('exporter_discovery_success', at(SICK)) === 1,
      { withinMs: 10 * MINUTE + RATE_RECOVERS_WITHIN_MS },
    );
  });
});
