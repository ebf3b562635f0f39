import { once } from 'node:events';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { Scratch, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';
import { SICK, WELL, startCloud } from './cloud.js';
import type { Cloud } from './cloud.js';
import { PATIENT, becomes, expectNoComplaint, expectWholeStop } from './daemon.js';
import { finished, isAt } from './kept-world.js';

describe('right after a write of the state', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  let cloud: Cloud;
  let config: string;
  let exporter: RunningExporter;
  let ended = 0;

  before(async () => {
    cloud = await startCloud(systemClock());
    config = scratch.file('config.yaml', cloud.configuration(PATIENT));
  });

  afterEach(() => exporter.program.stop('SIGKILL'));

  after(async () => {
    await cloud.close();
    scratch.remove();
  });

  async function start(): Promise<void> {
    exporter = await startExporter([`--config.file=${config}`]);
  }

  for (const [first, second, regionId] of [
    ['SIGHUP', 'SIGTERM', SICK],
    ['SIGTERM', 'SIGHUP', WELL],
  ] as const) {
    it(`a ${first} and a ${second} at once make a whole stop, and no outcome is lost`, async () => {
      await start();
      await becomes(exporter, 'the counter', (page) => isAt(page, 0.4) && finished(page, regionId) === 0);
      const log = watch(join(scratch.path, 'state/db'));
      cloud.end(regionId);
      await once(log, 'change');
      log.close();
      await expectWholeStop(exporter, () => {
        for (const signal of [first, second]) exporter.program.child.kill(signal);
      });
      const reloads = exporter.program.stderr.match(/msg="configuration reloaded"/g) ?? [];
      // Two threads of a process may take one signal each, so either may come first: test/unit/exporter has both orders.
      expect(reloads).to.have.length.within(0, 1);
      expectNoComplaint(exporter);

      await start();
      const page = await becomes(exporter, 'the outcome', (seen) => isAt(seen, 0.4) && finished(seen, regionId) !== 0);
      ended++;
      expect([SICK, WELL].map((id) => finished(page, id) ?? 0).reduce((sum, count) => sum + count)).to.equal(ended);
      expectNoComplaint(exporter);
    });
  }
});
