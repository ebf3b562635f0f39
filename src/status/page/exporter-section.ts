import type { RegionBody, StatusBody } from '../status-body.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { count } from './pager.js';
import { spanText } from './age-text.js';
import { timeElement } from './time-element.js';

type Budget = RegionBody['api'][number];

/** The exporter in one line: whether it works, and how much of the API quota it uses. */
export function exporterLine({ exporter, accounts, regions, skipped, now }: StatusBody): Html {
  const targets = regions.reduce((sum, place) => sum + place.targets, 0);
  const regionIds = new Set(regions.map(({ region_id }) => region_id));
  const { index, count: shards } = exporter.shard;
  return html`<p class="glance">
    <span
      ><strong>${exporter.ready ? 'Ready' : 'Not ready'}</strong>, up since
      ${timeElement(exporter.started, 'at', now)}</span
    >
    <span
      >${several(targets, 'instance')}, ${several(accounts.length, 'account')},
      ${several(regionIds.size, 'region')}${
        skipped.total > 0 ? html`, <a href="#skipped">${count(skipped.total)} more without backup tasks</a>` : undefined
      }</span
    >
    ${shards > 1 ? html`<span>Shard ${index} of ${shards}</span>` : undefined}
    <span>API budget used: ${budgets(regions)} <a href="#budget">by action</a></span>
  </p>`;
}

const BUDGETS_AT_A_GLANCE = 3;

/** Of each account and region the action that is nearest to its limit; those with the highest share. */
function budgets(regions: readonly RegionBody[]): Html[] {
  return regions
    .map(({ account, region_id, api }) => ({
      where: `${account} ${region_id}`,
      percent: Math.round(100 * Math.max(0, ...api.map((budget) => usedShare(budget) ?? 0))),
    }))
    .toSorted((one, other) => other.percent - one.percent)
    .slice(0, BUDGETS_AT_A_GLANCE)
    .map(({ where, percent }) => html`${where} <strong class="whole">${percent} %</strong>, `);
}

function several(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Each account and region: targets, budget, discovery; and what discovery left out. */
export function exporterSection(answer: StatusBody): Html {
  return html`<section class="exporter" id="budget" aria-labelledby="budget-title" tabindex="-1">
    <h2 id="budget-title">Accounts and regions</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Table of accounts and regions">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Account</th>
            <th scope="col">Region</th>
            <th scope="col" class="numeric">Instances</th>
            <th scope="col">API budget, requests a second</th>
            <th scope="col">Behind</th>
            <th scope="col">Discovery</th>
          </tr>
        </thead>
        <tbody>
          ${answer.regions.map((place) => placeRow(place, answer.now))}
        </tbody>
      </table>
    </div>
    ${skippedSection(answer.skipped)}
  </section>`;
}

function placeRow(place: RegionBody, now: string): Html {
  return html`<tr data-key="place ${place.account}/${place.region_id}">
    <th scope="row">${place.account}</th>
    <td>${place.region_id}</td>
    <td class="numeric">
      ${count(place.targets)}${note(place.targets_never_polled, 'not polled yet')}${note(place.targets_unsupported, 'without backup tasks')}
    </td>
    <td>${place.api.map((budget) => budgetLine(budget, `${place.account}, ${place.region_id}`))}</td>
    <td>${place.poll_lag_seconds < 1 ? 'on time' : spanText(place.poll_lag_seconds * 1_000)}</td>
    <td>${discoveryText(place, now)}</td>
  </tr>`;
}

function note(value: number, words: string): Html | undefined {
  return value === 0 ? undefined : html`<span class="minor">${count(value)} ${words}</span>`;
}

function usedShare({ used_requests_per_second: used, requests_per_second: limit }: Budget): number | undefined {
  return used === null || limit <= 0 ? undefined : Math.min(1, used / limit);
}

function budgetLine(budget: Budget, where: string): Html {
  const { action, used_requests_per_second: used, requests_per_second: limit } = budget;
  const share = usedShare(budget);
  const isSlowed = limit < budget.configured_requests_per_second;
  const slowed = isSlowed
    ? html`, slowed by throttling from ${rate(budget.configured_requests_per_second)}`
    : undefined;
  const held = budget.cooldown === null ? undefined : html`, <strong>held back</strong>`;
  const meter =
    share === undefined
      ? undefined
      : html`<meter
          min="0"
          max="100"
          high="80"
          value="${Math.round(share * 100)}"
          aria-label="Share of ${action} used, ${where}"
        ></meter> `;
  return html`<div class="budget">
    ${meter}<span>${action}: ${used === null ? '' : `${rate(used)} of `}${rate(limit)}${slowed}${held}</span>
  </div>`;
}

function rate(requestsPerSecond: number): string {
  return String(Math.round(requestsPerSecond * 100) / 100);
}

function discoveryText({ discovery }: RegionBody, now: string): Html {
  if (discovery === null) return html`off`;
  const time = timeElement(discovery.last_success, 'ago', now);
  if (discovery.success) return html`worked ${time}`;
  return time ? html`<strong>failing</strong>, worked ${time}` : html`<strong>has not worked yet</strong>`;
}

function skippedSection({ total, instances }: StatusBody['skipped']): Html | undefined {
  if (total === 0) return undefined;
  const more = total > instances.length ? html`<li>and ${count(total - instances.length)} more</li>` : undefined;
  return html`<details>
    <summary>Not polled: ${several(total, 'instance')} without backup tasks by type or engine</summary>
    <ul id="skipped">
      ${[
        ...instances.map(
          ({ account, region_id, instance_id, name, reason }) =>
            html`<li>
              <code>${instance_id}</code> ${name} <span class="minor">${account}, ${region_id}</span>: ${reason}
            </li>`,
        ),
        more,
      ]}
    </ul>
  </details>`;
}
