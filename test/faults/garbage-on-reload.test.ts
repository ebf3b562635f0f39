import { rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { Scratch, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';
import { startCloud } from './cloud.js';
import type { Cloud } from './cloud.js';
import { HASTY, becomes } from './daemon.js';
import { REGIONS, isAt } from './kept-world.js';
import type { Page } from './page.js';

describe('a configuration that is replaced, before a reload, by', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  let cloud: Cloud;
  let whole: string;
  let config: string;
  let exporter: RunningExporter;
  let percent = 40;

  before(async () => {
    cloud = await startCloud(systemClock());
    whole = cloud.configuration(HASTY);
    config = scratch.file('config.yaml', whole);
    exporter = await startExporter([`--config.file=${config}`, '--web.enable-lifecycle']);
    await expectGoesOn(1);
  });

  after(async () => {
    await exporter.program.stop('SIGKILL');
    await cloud.close();
    scratch.remove();
  });

  function isReloaded(page: Page): number | undefined {
    return page.value('exporter_config_last_reload_successful');
  }

  /** Backups that move on now are seen to, whatever became of the last reload. */
  async function expectGoesOn(success: number): Promise<void> {
    percent++;
    for (const regionId of REGIONS) cloud.progress(regionId, percent);
    const page = await becomes(exporter, 'the progress', (seen) => isAt(seen, percent / 100));
    expect(isReloaded(page)).to.equal(success);
  }

  async function expectMended(): Promise<void> {
    writeFileSync(config, whole);
    expect(await reload()).to.deep.equal([200, 'Configuration reloaded.\n']);
    await becomes(exporter, 'the mended metric', (page) => isReloaded(page) === 1);
  }

  async function reload(): Promise<readonly [number, string]> {
    const response = await fetch(`${exporter.url}/-/reload`, { method: 'POST' });
    return [response.status, await response.text()];
  }

  const garbage: readonly (readonly [string, Buffer | undefined])[] = [
    ['noise', Buffer.from(Array.from({ length: 4_096 }, (_, index) => (index * index) % 251))],
    ['nothing', Buffer.alloc(0)],
    ['its first half', undefined],
    ['a page of HTML', Buffer.from('<html><body>Please log in</body></html>')],
    ['a list', Buffer.from('- a\n- b\n')],
  ];
  for (const [name, content] of garbage) {
    it(`${name} changes nothing, is told of, and is forgotten once it is mended`, async () => {
      writeFileSync(config, content ?? whole.slice(0, whole.length >> 1));
      const [status, text] = await reload();
      expect([status, text.split('\n')[0]]).to.deep.equal([500, 'The old configuration stays in force:']);
      expect(text).to.contain(config);
      await expectGoesOn(0);
      await expectMended();
    });
  }

  it('no file at all, by SIGHUP, likewise', async () => {
    rmSync(config);
    exporter.program.child.kill('SIGHUP');
    await exporter.program.output(/not reloaded, the old one stays" problem=.*no such file/);
    await expectGoesOn(0);
    await expectMended();
  });
});
