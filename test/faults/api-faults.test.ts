import { expect } from 'chai';
import { FakeClock } from '../helpers/fake-clock.js';
import { apiFaults } from './api-faults.js';
import { ACCOUNT, SICK, WELL, idOf, startCloud } from './cloud.js';
import type { Cloud } from './cloud.js';
import { Exporter } from './exporter.js';
import type { Labels, Page } from './page.js';

const MINUTE = 60_000;
/** Longer than stale_after. */
const LASTS_MS = 20 * MINUTE;
/** The longest pause of an outage, an idle interval and its retries. */
const RECOVERS_WITHIN_MS = 7 * MINUTE;

const at = (regionId: string): Labels => ({ account: ACCOUNT, region_id: regionId });
const of = (regionId: string, role: Parameters<typeof idOf>[1]): Labels => ({
  ...at(regionId),
  instance_id: idOf(regionId, role),
});

/** Whether every instance of a region is polled and its running backup stands at this. */
function isAt(page: Page, regionId: string, ratio: number): boolean {
  const polls = page.all('instance_poll_success', at(regionId));
  return (
    polls.length === 3 &&
    polls.every(({ value }) => value === 1) &&
    page.value('task_progress_ratio', of(regionId, 'running')) === ratio
  );
}

/** The failures of a region by code. */
function failures(page: Page, regionId: string): ReadonlyMap<string, number> {
  const codes = new Map<string, number>();
  for (const { labels, value } of page.all('exporter_api_request_failures_total', at(regionId))) {
    const { code = '' } = labels;
    codes.set(code, (codes.get(code) ?? 0) + value);
  }
  return codes;
}

/** Nothing is shown of the instances of a region that was not shown before, but for polls that fail. */
function expectNoNews(page: Page, before: Page, regionId: string): void {
  const known = new Set(before.series.map((series) => JSON.stringify(series)));
  for (const series of page.series) {
    const { name, labels } = series;
    if (labels['region_id'] !== regionId || labels['instance_id'] === undefined) continue;
    if (!name.endsWith('_instance_poll_success')) expect(known).to.include(JSON.stringify(series));
  }
}

describe('while one region has', () => {
  let clock: FakeClock;
  let cloud: Cloud;
  let exporter: Exporter;

  beforeEach(async () => {
    clock = new FakeClock();
    cloud = await startCloud(clock);
    exporter = await Exporter.start(cloud, clock);
  });

  afterEach(async () => {
    await exporter.stop();
    await cloud.close();
  });

  for (const fault of apiFaults) {
    it(fault.name, async () => {
      const before = await exporter.passUntil(
        'the first polls',
        (page) => isAt(page, WELL, 0.4) && isAt(page, SICK, 0.4),
        {
          withinMs: MINUTE,
        },
      );
      expect(before.value('tasks', { ...of(SICK, 'running'), mode: 'Automated' })).to.equal(1);

      const lift = await fault.inflict(cloud);
      cloud.progress(WELL, 50);
      cloud.progress(SICK, 70);
      cloud.end(SICK);
      for (let passed = 0; passed < LASTS_MS; passed += MINUTE) {
        await exporter.pass(MINUTE);
        const page = await exporter.page();
        expectNoNews(page, before, SICK);
        expect(isAt(page, WELL, 0.5), 'the other region goes on').to.equal(true);
      }
      const dark = await exporter.page();
      expect([...failures(dark, SICK).keys()]).to.deep.equal([fault.code]);
      expect(failures(dark, WELL).size).to.equal(0);
      expect(dark.all('tasks', at(SICK))).to.deep.equal([]);
      expect(dark.all('task_status', at(SICK))).to.deep.equal([]);
      expect(dark.all('instance_poll_success', at(SICK)).map(({ value }) => value)).to.deep.equal([0, 0, 0]);
      expect(dark.value('exporter_discovery_success', at(SICK))).to.equal(0);
      expect(dark.value('exporter_targets', at(SICK))).to.equal(3);

      await lift();
      const ended = { ...of(SICK, 'ending'), mode: 'Automated' };
      const after = await exporter.passUntil(
        'the recovery',
        (page) => isAt(page, SICK, 0.7) && page.value('completed_tasks_total', { ...ended, outcome: 'Finished' }) === 1,
        { withinMs: RECOVERS_WITHIN_MS },
      );
      for (const family of ['task_first_seen_timestamp_seconds', 'task_running_since_timestamp_seconds']) {
        expect(after.value(family, of(SICK, 'running')), family).to.equal(before.value(family, of(SICK, 'running')));
      }
      expect(after.value('tasks', ended)).to.equal(0);
      expect(after.value('completed_tasks_total', { ...ended, outcome: 'Unknown' })).to.equal(0);
      expect(after.all('last_completion_duration_seconds', ended)).to.deep.equal([]);
      await exporter.passUntil('the discovery', (page) => page.value('exporter_discovery_success', at(SICK)) === 1, {
        withinMs: 11 * MINUTE,
      });
    });
  }
});
