import { expect } from 'chai';
import { SICK, WELL } from './cloud.js';
import { INSTANCES, KeptWorld, REGIONS, finished, isAt, isSaved, of } from './kept-world.js';
import type { Page } from './page.js';
import { hang, nextClose, stateFaults } from './state-faults.js';

const FIRST_SEEN = ['instance_first_seen_timestamp_seconds', 'task_first_seen_timestamp_seconds'];

function firstSeen(page: Page): readonly unknown[] {
  return FIRST_SEEN.flatMap((family) => REGIONS.map((regionId) => page.value(family, of(regionId, 'running'))));
}

describe('the state of a running exporter, when', function () {
  this.timeout(180_000);
  let world: KeptWorld;

  beforeEach(async () => {
    world = await KeptWorld.open();
  });

  afterEach(async () => {
    await world.close();
    world.volume.remove();
  });

  for (const fault of stateFaults) {
    it(`${fault.name}, is told as not saved, hides what is not stored, and comes back whole`, async () => {
      fault.prepare?.(world.volume);
      await world.start();
      const before = await world.pageOn('the first polls', (page) => isAt(page, 0.4) && isSaved(page) === 1);

      const lift = fault.inflict(world.volume);
      let percent = 40;
      await world.pageOn('the failure', (page) => {
        // What mends itself shows from one look after the state to the next, if nothing else is to be written.
        if (lift !== undefined) world.progress(++percent);
        return isSaved(page) === 0;
      });
      world.cloud.end(SICK);
      if (lift !== undefined) {
        for (const last = percent + 2; percent < last;) {
          world.progress(++percent);
          const page = await world.pageOn('the polls', (seen) => isAt(seen, percent / 100));
          expect([isSaved(page), finished(page, SICK), finished(page, WELL)]).to.deep.equal([0, 0, 0]);
        }
        lift();
      }
      const after = await world.pageOn('the recovery', (page) => isSaved(page) === 1 && finished(page, SICK) === 1);
      expect(world.told(/level=error/)).to.have.length(1);
      expect(world.told('the state cannot be saved')[0]).to.match(fault.error);
      expect(world.told('the state is saved again')).to.have.length(1);
      expect(world.told('backup task ended')).to.have.length(1);
      expect(firstSeen(after)).to.deep.equal(firstSeen(before));

      const remembered = await world.restart();
      expect([finished(remembered, SICK), finished(remembered, WELL)]).to.deep.equal([1, 0]);
      const polled = await world.pageOn('the polls', (page) => isAt(page, percent / 100));
      expect(finished(polled, SICK)).to.equal(1);
      expect(polled.all('instance_first_seen_timestamp_seconds')).to.have.length(INSTANCES);
      expect(firstSeen(polled)).to.deep.equal(firstSeen(before));
      expect(world.told(/level=(warn|error)/)).to.deep.equal([]);
    });
  }

  it('its disk hangs, holds up no stop', async () => {
    await world.start();
    await world.pageOn('the first polls', (page) => isAt(page, 0.4) && isSaved(page) === 1);
    const lift = hang();
    const closed = nextClose();
    world.cloud.end(SICK);
    await world.exporter.pass(60_000);
    const stopping = world.stop();
    await world.exporter.pass(4_000);
    await stopping;
    lift();
    // The directory, removed under it, would be made anew.
    await closed;
  });
});
