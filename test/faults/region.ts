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

/** The lines about the instances of a region. */
function linesOf(page: Page, regionId: string): readonly string[] {
  const labels = `{account="${ACCOUNT}",region_id="${regionId}",instance_id="`;
  return [...page.lines].filter((line) => line.includes(labels));
}

/** Nothing is shown of the instances that was not shown before, but for polls that fail. */
export function expectNoNews(page: Page, before: Page, regionId: string): void {
  const news = linesOf(page, regionId).filter((line) => !before.lines.has(line) && !/_poll_success\{.* 0$/.test(line));
  expect(news).to.deep.equal([]);
}

/** No task is shown, not even that there is none. */
export function expectNoTasks(page: Page, regionId: string): void {
  expect(linesOf(page, regionId).filter((line) => /_backup_tasks?[_{]/.test(line))).to.deep.equal([]);
}

/** What the exporter knew of the running backup before is what it still knows, however long it saw nothing. */
export function expectSameTask(page: Page, before: Page, regionId: string): void {
  for (const family of ['task_first_seen_timestamp_seconds', 'task_running_since_timestamp_seconds']) {
    expect(page.value(family, of(regionId, 'running')), family).to.equal(before.value(family, of(regionId, 'running')));
  }
}
