import { expect } from 'chai';
import { runOnce } from '../../dist/exporter/once.js';
import { parseConfig } from '../../dist/config/load.js';
import { createLogger } from '../../dist/log.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { apiFaults } from './api-faults.js';
import { SICK, WELL, startCloud } from './cloud.js';
import type { Cloud } from './cloud.js';
import { pass } from './exporter.js';
import { Page } from './page.js';
import { at, failures, isAt } from './region.js';
import { TIMEOUT_MS } from './world.js';

/** Four attempts of 10 s each and their pauses. */
const ENDS_WITHIN_MS = 60_000;

describe('a single sweep while a region has', function () {
  this.timeout(TIMEOUT_MS);
  let clock: FakeClock;
  let cloud: Cloud;

  beforeEach(async () => {
    clock = new FakeClock();
    cloud = await startCloud(clock);
  });

  afterEach(() => cloud.close());

  for (const fault of apiFaults) {
    it(`${fault.name} ends, says that it failed, and tells of the other region`, async () => {
      await fault.inflict(cloud);
      const sweep = runOnce({
        config: parseConfig(cloud.configuration(), { env: {}, file: 'config.yaml' }).config,
        version: '1.2.3',
        revision: 'test',
        clock,
        random: () => 0.5,
        log: createLogger({ level: 'error', format: 'logfmt', wallNow: () => clock.now() }),
        lookup: cloud.lookup,
        onProgress: () => undefined,
      });
      await pass(clock, ENDS_WITHIN_MS);
      const swept = await Promise.race([sweep, Promise.resolve(undefined)]);
      expect(swept?.isGood).to.equal(false);
      const page = new Page(swept?.text ?? '');
      expect(isAt(page, WELL, 40)).to.equal(true);
      expect(page.all('instance_info', at(SICK))).to.deep.equal([]);
      expect(page.value('exporter_discovery_success', at(SICK))).to.equal(0);
      expect(failures(page, SICK)).to.have.all.keys(fault.code);
    });
  }
});
