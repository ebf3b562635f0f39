import type { InstanceAnswer } from '../instance-answer.js';
import { MODES, OUTCOMES } from '../../model.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { badge } from './icons.js';
import { outcomeBadge } from './outcome-element.js';
import { pageUrl } from './page-url.js';
import type { PageQuery } from './page-url.js';
import { spanText } from './age-text.js';
import { taskCard } from './task-card.js';
import { timeElement } from './time-element.js';

/** Everything that is known about one instance, beside the list. */
export function detailPanel(instance: InstanceAnswer | undefined, query: PageQuery, now: string): Html | undefined {
  if (query.open === '') return undefined;
  const close = html`<a class="close" href="${pageUrl(query, { open: '' })}" data-close aria-label="Close the detail"
    ><span aria-hidden="true">✕</span></a
  >`;
  if (instance === undefined) {
    return html`<aside
      class="detail"
      id="detail"
      aria-labelledby="detail-title"
      tabindex="-1"
      data-key="detail ${query.open}"
    >
      ${close}
      <h2 id="detail-title">${query.open}</h2>
      <p>The exporter does not watch this instance now.</p>
    </aside>`;
  }
  return html`<aside
    class="detail"
    id="detail"
    aria-labelledby="detail-title"
    tabindex="-1"
    data-key="detail ${query.open}"
  >
    ${close}
    <h2 id="detail-title">${instance.name || instance.instance_id}</h2>
    <p>${badge(instance.state)} ${instance.unsupported}</p>
    ${errorText(instance, now)}
    <h3>Tasks</h3>
    ${instance.tasks.length === 0 ? html`<p class="minor">The API lists no backup task.</p>` : instance.tasks.map((task) => taskCard(task, instance, now))}
    <h3>Outcomes seen</h3>
    ${outcomeTable(instance, now)}
    <h3>Instance</h3>
    ${facts(instance, now)}
    <h3>In the RDS console</h3>
    <ul class="links">
      ${consoleLinks(instance)}
    </ul>
  </aside>`;
}

function errorText({ last_error: error }: InstanceAnswer, now: string): Html | undefined {
  if (error === null) return undefined;
  const request = error.request_id === null ? undefined : html`<br />Request id <code>${error.request_id}</code>`;
  return html`<p class="notice bad">
    <strong>Last poll failed</strong> ${timeElement(error.at, 'ago', now)}: <code>${error.code}</code
    ><br />${error.message}${request}
  </p>`;
}

function outcomeTable({ outcomes }: InstanceAnswer, now: string): Html {
  const rows = MODES.flatMap((mode) => {
    const seen = outcomes[mode];
    if (seen === undefined) return [];
    return OUTCOMES.map((outcome) => {
      const last = seen.last[outcome];
      const took = typeof last?.duration_seconds === 'number' ? spanText(last.duration_seconds * 1_000) : undefined;
      const backup = last?.backup_id ? html`<br />backup ${last.backup_id}` : undefined;
      return html`<tr>
        <th scope="row">${mode}</th>
        <td>${outcomeBadge(outcome)}</td>
        <td class="numeric">${seen.counts[outcome]}</td>
        <td>${timeElement(last?.at, 'ago', now)}</td>
        <td>${took}</td>
        <td class="minor id">${last?.backup_job_id}${backup}</td>
      </tr>`;
    });
  });
  if (rows.length === 0) return html`<p class="minor">No task of this instance was seen to end yet.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Outcomes">
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">Mode</th>
          <th scope="col">Outcome</th>
          <th scope="col" class="numeric">Seen</th>
          <th scope="col">Last</th>
          <th scope="col">Took</th>
          <th scope="col">Job</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

function facts(instance: InstanceAnswer, now: string): Html {
  const labels = Object.entries(instance.labels).map(([name, value]) => html`<code>${name}=${value}</code> `);
  return html`<dl>
    <dt>Id</dt>
    <dd><code>${instance.instance_id}</code></dd>
    <dt>Engine</dt>
    <dd>${instance.engine || 'unknown'} ${instance.engine_version}</dd>
    <dt>Account, region</dt>
    <dd>${instance.account}, ${instance.region_id}</dd>
    ${
      labels.length > 0
        ? html`<dt>Labels</dt>
            <dd>${labels}</dd>`
        : undefined
    }
    <dt>Watched since</dt>
    <dd>${timeElement(instance.first_seen, 'at', now)}</dd>
    <dt>Last poll</dt>
    <dd>${timeElement(instance.last_poll, 'at', now) ?? 'none yet'}</dd>
    <dt>Last good poll</dt>
    <dd>${timeElement(instance.last_good_poll, 'at', now) ?? 'none yet'}</dd>
    <dt>Next poll</dt>
    <dd>${timeElement(instance.next_poll, 'in', now) ?? 'being polled'}</dd>
    <dt>Stuck after</dt>
    <dd>${spanText(instance.stuck_after_seconds * 1_000)} without progress</dd>
  </dl>`;
}

/** The China site and the international site know different accounts; which one it is, the API does not say. */
function consoleLinks({ instance_id, region_id }: InstanceAnswer): Html[] {
  const path = `detail/${encodeURIComponent(instance_id)}/basicInfo?region=${encodeURIComponent(region_id)}`;
  const link = (host: string, site: string): Html =>
    html`<li>
      <a href="https://${host}/${path}" rel="noreferrer" target="_blank"
        >${site} <span class="minor">(opens a new tab)</span></a
      >
    </li>`;
  return [
    link('rdsnext.console.aliyun.com', 'China site, aliyun.com'),
    link('rds.console.alibabacloud.com', 'International site, alibabacloud.com'),
  ];
}
