import { expect } from 'chai';
import { ROLES, SICK, WELL } from './cloud.js';
import { KeptWorld, isAt as areAt } from './kept-world.js';
import type { Page } from './page.js';
import { at, expectNoTasks, expectSameTask, failures, isAt, isEnded, of } from './region.js';
import { TIMEOUT_MS, startWorld } from './world.js';
import type { World } from './world.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const TIMES = [
  'instance_first_seen_timestamp_seconds',
  'task_first_seen_timestamp_seconds',
  'task_last_progress_timestamp_seconds',
  'task_running_since_timestamp_seconds',
];

/** How long ago everything about the running backup was, by the exporter's wall clock. */
function ages(page: Page, { clock }: World): readonly number[] {
  const wall = clock.toWall(clock.now()) / 1_000;
  return TIMES.map((family) => Math.round(wall - page.value(family, of(SICK, 'running'))!));
}

/** What two seconds and a step of the wall clock make of every age. */
async function expectNoJump(world: World, stepMs: number): Promise<void> {
  const { clock, exporter } = world;
  const before = ages(await exporter.page(), world);
  clock.wallOffsetMs = stepMs;
  await exporter.pass(2_000);
  expect(ages(await exporter.page(), world)).to.deep.equal(before.map((age) => age + 2));
}

describe('a wall clock that steps', function () {
  this.timeout(TIMEOUT_MS);
  let world: World;

  beforeEach(async () => {
    world = await startWorld();
    await world.exporter.pass(MINUTE);
  });

  afterEach(() => world.close());

  for (const stepMs of [10 * MINUTE, -10 * MINUTE]) {
    it(`by ${stepMs / MINUTE} minutes changes no age, no duration and no schedule`, async () => {
      const { cloud, exporter } = world;
      const { stats } = cloud.simulator;
      await exporter.pass(4 * MINUTE);
      stats.reset();
      await exporter.pass(10 * MINUTE);
      const calls = stats.count();

      await expectNoJump(world, stepMs);
      stats.reset();
      for (let minute = 1; minute <= 10; minute++) {
        await exporter.pass(MINUTE);
        const page = await exporter.page();
        expect(isAt(page, SICK, 40) && isAt(page, WELL, 40)).to.equal(true);
      }
      expect(stats.count()).to.be.within(calls - 1, calls + 1);

      cloud.end(SICK);
      const after = await exporter.passUntil('the end', (page) => isEnded(page, SICK), { withinMs: 2 * MINUTE });
      const ranFor = { ...of(SICK, 'ending'), outcome: 'Finished' };
      expect(after.value('last_completion_duration_seconds', ranFor)).to.be.within(25 * 60, 27 * 60);
    });
  }

  for (const stepMs of [HOUR, -HOUR]) {
    it(`by ${stepMs / HOUR} h and back is refused by the API, ages nothing, and passes`, async () => {
      const { clock, cloud, exporter } = world;
      const before = await exporter.page();
      await expectNoJump(world, stepMs);
      cloud.end(SICK);
      await exporter.pass(10 * MINUTE);
      const page = await exporter.page();
      // As old as it is and not an hour older: it is still to be seen.
      expect(page.value('tasks', { ...of(SICK, 'running'), mode: 'Automated' })).to.equal(1);
      expect(page.value('tasks', { ...of(SICK, 'ending'), mode: 'Automated' })).to.equal(1);
      await exporter.pass(6 * MINUTE);
      const dark = await exporter.page();
      for (const regionId of [SICK, WELL]) {
        expectNoTasks(dark, regionId);
        expect(failures(dark, regionId)).to.have.all.keys('InvalidTimeStamp.Expired');
        expect(dark.value('exporter_api_cooldown', { ...at(regionId), action: 'DescribeBackupTasks' })).to.equal(1);
        expect(dark.value('exporter_targets', at(regionId))).to.equal(ROLES.length);
      }
      expect(exporter.log.join('')).to.contain('the clock of this machine is off by more than 15 minutes, set it');

      clock.wallOffsetMs = 0;
      const after = await exporter.passUntil(
        'the recovery',
        (seen) => isAt(seen, SICK, 40) && isAt(seen, WELL, 40) && isEnded(seen, SICK),
        { withinMs: 11 * MINUTE },
      );
      expectSameTask(after, before, SICK);
      expectSameTask(after, before, WELL);
    });
  }
});

describe('a wall clock that is wrong when the exporter starts again, and is set right later', function () {
  this.timeout(TIMEOUT_MS);
  let world: KeptWorld;

  beforeEach(async () => {
    world = await KeptWorld.open();
    await world.start();
    await world.pageOn('the first polls', (page) => areAt(page, 0.4));
    await world.pass(5 * MINUTE);
    await world.stop();
  });

  afterEach(async () => {
    await world.close();
    world.volume.remove();
  });

  it('by an hour back makes no duration up', async () => {
    const { clock, cloud } = world;
    clock.wallOffsetMs = -HOUR;
    await world.start();
    await world.pass(2 * MINUTE);
    expect((await world.exporter.page()).value('task_progress_ratio', of(SICK, 'running'))).to.equal(undefined);
    clock.wallOffsetMs = 0;
    await world.pageOn('the recovery', (seen) => areAt(seen, 0.4));
    await world.pass(MINUTE);
    cloud.end(SICK);
    const after = await world.pageOn('the end', (seen) => isEnded(seen, SICK));
    expect(after.all('last_completion_duration_seconds', of(SICK, 'ending'))).to.deep.equal([]);
  });
});
