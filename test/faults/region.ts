import { expect } from 'chai';
import { ACCOUNT, ROLES, idOf } from './cloud.js';
import type { Role } from './cloud.js';
import type { Labels, Page } from './page.js';

/** What a page tells of one region of a cloud of cloud.ts. */

export function at(regionId: string): Labels {
  return { account: ACCOUNT, region_id: regionId };
}

export function of(regionId: string, role: Role): Labels {
  return { ...at(regionId), instance_id: idOf(regionId, role) };
}

/** Whether every instance is polled and the running backup stands at this. */
export function isAt(page: Page, regionId: string, percent: number): boolean {
  const polls = page.all('instance_poll_success', at(regionId));
  return (
    polls.length === ROLES.length &&
    polls.every(({ value }) => value === 1) &&
    page.value('task_progress_ratio', of(regionId, 'running')) === percent / 100
  );
}

/** Whether the backup that ended is counted, once, as finished. */
export function isEnded(page: Page, regionId: string): boolean {
  const ended = page.all('completed_tasks_total', of(regionId, 'ending'));
  return ended.every(({ labels, value }) => value === Number(labels['outcome'] === 'Finished')) && ended.length === 3;
}

/** Failed attempts by code. */
export function failures(page: Page, regionId: string): Readonly<Record<string, number>> {
  const codes: Record<string, number> = {};
  for (const { labels, value } of page.all('exporter_api_request_failures_total', at(regionId))) {
    const { code = '' } = labels;
    codes[code] = (codes[code] ?? 0) + value;
  }
  return codes;
}

function isOf(labels: Labels, regionId: string): boolean {
  return labels['account'] === ACCOUNT && labels['region_id'] === regionId;
}

/** Nothing is shown of the instances that was not shown before, but for polls that fail. */
export function expectNoNews(page: Page, before: Page, regionId: string): void {
  const known = new Set(before.series.map((series) => JSON.stringify(series)));
  for (const series of page.series) {
    const { name, labels } = series;
    if (!isOf(labels, regionId) || labels['instance_id'] === undefined) continue;
    if (!name.endsWith('_instance_poll_success')) expect(known).to.include(JSON.stringify(series));
  }
}

/** No task is shown, not even that there is none. */
export function expectNoTasks(page: Page, regionId: string): void {
  const shown = page.series.filter(({ name, labels }) => isOf(labels, regionId) && /_backup_tasks?(_|$)/.test(name));
  expect(shown).to.deep.equal([]);
}

/** What the exporter knew of the running backup before is what it still knows, however long it saw nothing. */
export function expectSameTask(page: Page, before: Page, regionId: string): void {
  for (const family of ['task_first_seen_timestamp_seconds', 'task_running_since_timestamp_seconds']) {
    expect(page.value(family, of(regionId, 'running')), family).to.equal(before.value(family, of(regionId, 'running')));
  }
}
