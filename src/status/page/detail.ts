import { NOT_RENDERED } from '../instance-body.js';
import type { CompletionBody, InstanceBody, OutcomesBody } from '../instance-body.js';
import { isolate } from '../isolate.js';
import { MODES, OUTCOMES } from '../../domain/model.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { badge } from './icons.js';
import { outcomeBadge } from './outcome-element.js';
import { pageUrl } from './page-url.js';
import type { PageQuery } from './page-url.js';
import { spanText } from './age-text.js';
import { taskCard } from './task-card.js';
import { timeElement } from './time-element.js';

export interface DetailFacts {
  /** Undefined when the exporter watches no such instance. */
  readonly instance: InstanceBody | undefined;
  readonly query: PageQuery;
  readonly now: string;
  readonly onBug: (error: unknown) => void;
}

/** Everything that is known about one instance, beside the list. */
export function detailPanel({ instance, query, now, onBug }: DetailFacts): Html | undefined {
  if (query.open === '') return undefined;
  const title = instance === undefined ? query.open : instance.name || instance.instance_id;
  return html`<aside
    class="detail"
    id="detail"
    aria-labelledby="detail-title"
    tabindex="-1"
    data-key="detail ${query.open}"
  >
    <a class="close" href="${pageUrl(query, { open: '' })}" data-close aria-label="Close the detail"
      ><span aria-hidden="true">✕</span></a
    >
    <h2 id="detail-title">${title}</h2>
    ${isolate(
      () => body(instance, now),
      () => notice(NOT_RENDERED),
      onBug,
    )}
  </aside>`;
}

function notice(text: string): Html {
  return html`<p class="notice bad">${text}</p>`;
}

function body(instance: InstanceBody | undefined, now: string): Html {
  if (instance === undefined) return html`<p>The exporter does not watch this instance now.</p>`;
  if (instance.problem !== null) return notice(instance.problem);
  return html`<p>${badge(instance.state)} ${instance.unsupported}</p>
    ${errorText(instance, now)}
    <h3>Tasks</h3>
    ${instance.tasks.length === 0 ? html`<p class="minor">The API lists no backup task.</p>` : instance.tasks.map((task) => taskCard(task, instance, now))}
    <h3>Outcomes seen</h3>
    ${outcomeTables(instance, now)}
    <h3>Instance</h3>
    ${facts(instance, now)}
    <h3>In the RDS console</h3>
    <ul class="links">
      ${consoleLinks(instance)}
    </ul>`;
}

function errorText({ last_error: error }: InstanceBody, now: string): Html | undefined {
  if (error === null) return undefined;
  const request = error.request_id === null ? undefined : html`<br />Request id <code>${error.request_id}</code>`;
  return html`<p class="notice bad">
    <strong>Last poll failed</strong> ${timeElement(error.at, 'ago', now)}: <code>${error.code}</code
    ><br />${error.message}${request}
  </p>`;
}

function outcomeTables({ outcomes }: InstanceBody, now: string): Html {
  const tables = MODES.flatMap((mode) => {
    const seen = outcomes[mode];
    return seen === undefined ? [] : outcomeTable(mode, seen, now);
  });
  if (tables.length === 0) return html`<p class="minor">No task of this instance was seen to end yet.</p>`;
  return html`${tables}`;
}

function outcomeTable(mode: string, { counts, last }: OutcomesBody, now: string): Html {
  const rows = OUTCOMES.map(
    (outcome) =>
      html`<tr>
        <th scope="row">${outcomeBadge(outcome)}</th>
        <td class="numeric">${counts[outcome]}</td>
        <td>${completionText(last[outcome], now)}</td>
      </tr>`,
  );
  return html`<table class="plain outcomes">
    <caption>
      ${mode}
    </caption>
    <thead>
      <tr>
        <th scope="col">Outcome</th>
        <th scope="col" class="numeric">Seen</th>
        <th scope="col">Last</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

function completionText(completion: CompletionBody | undefined, now: string): Html | undefined {
  if (completion === undefined) return undefined;
  const { at, duration_seconds: seconds, backup_job_id, backup_id } = completion;
  const took = seconds === null ? undefined : html`, took ${spanText(seconds * 1_000)}`;
  const backup = backup_id === null ? undefined : html`, backup <code>${backup_id}</code>`;
  return html`${timeElement(at, 'ago', now)}${took}<br /><span class="minor"
      >job <code>${backup_job_id}</code>${backup}</span
    >`;
}

function facts(instance: InstanceBody, now: string): Html {
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
function consoleLinks({ instance_id, region_id }: InstanceBody): Html[] {
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
