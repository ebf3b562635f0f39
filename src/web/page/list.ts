import type { InstanceAnswer, TaskAnswer } from '../instance-answer.js';
import type { StatusAnswer } from '../status-answer.js';
import type { SortKey } from '../status-query.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { badge } from './icons.js';
import { latestOutcome, outcomeElement } from './outcome-element.js';
import { openText, pageUrl } from './page-url.js';
import type { PageQuery } from './page-url.js';
import { pager } from './pager.js';
import { progressBar } from './progress-bar.js';
import { timeElement } from './time-element.js';

/** The list of instances with what sorts and pages it. */
export function instanceList(answer: StatusAnswer, query: PageQuery): Html {
  return html`<section class="list" id="list" aria-labelledby="list-title" tabindex="-1">
    <h2 id="list-title">Instances</h2>
    ${answer.instances.length === 0 ? nothing(answer, query) : table(answer, query)} ${pager(answer, query)}
  </section>`;
}

function nothing({ total }: StatusAnswer, query: PageQuery): Html {
  if (total > 0)
    return html`<p class="empty">
      This page is beyond the end of the list. <a href="${pageUrl(query, { offset: 0 })}">Go to its beginning</a>
    </p>`;
  return html`<p class="empty">No instance matches. <a href="?">Show all</a></p>`;
}

function table(answer: StatusAnswer, query: PageQuery): Html {
  return html`<table role="table">
    <thead role="rowgroup">
      <tr role="row">
        ${heading(query, [['name', 'Instance']])} ${heading(query, [['engine', 'Engine']])}
        ${heading(query, [
          ['account', 'Account'],
          ['region_id', 'Region'],
        ])}
        ${heading(query, [['attention', 'State']])} ${heading(query, [['progress', 'Progress']])}
        ${heading(query, [['last_progress', 'Last progress']])} ${heading(query, [['last_outcome', 'Last outcome']])}
        ${heading(query, [
          ['last_good_poll', 'Data age'],
          ['next_poll', 'Next poll'],
        ])}
        <th role="columnheader" scope="col">Last error</th>
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${answer.instances.map((instance) => row(instance, answer.now, query))}
    </tbody>
  </table>`;
}

type Sortable = readonly [key: SortKey, label: string];

function heading(query: PageQuery, sortables: readonly Sortable[]): Html {
  const isSorted = sortables.some(([key]) => key === query.sort);
  const direction = query.descending ? 'descending' : 'ascending';
  return html`<th role="columnheader" scope="col" aria-sort="${isSorted ? direction : 'none'}">
    ${sortables.map(([key, label]) => sortLink(query, key, label))}
  </th>`;
}

function sortLink(query: PageQuery, key: SortKey, label: string): Html {
  const isSorted = key === query.sort;
  const descending = isSorted && !query.descending;
  const arrow = query.descending ? '▼' : '▲';
  const href = pageUrl(query, { sort: key, descending, offset: 0 });
  return html`<a class="sort" href="${href}" data-key="sort-${key}"
    >${label}${isSorted ? html` <span aria-hidden="true">${arrow}</span>` : undefined}</a
  >`;
}

function row(instance: InstanceAnswer, now: string, query: PageQuery): Html {
  const key = openText(instance);
  const task = instance.tasks[0];
  return html`<tr
    role="row"
    class="row ${instance.state}"
    data-key="${key}"
    ${key === query.open ? html` aria-current="true"` : undefined}
  >
    <th role="rowheader" scope="row" class="c-name">
      <a href="${pageUrl(query, { open: key })}" data-key="open">${instance.name || instance.instance_id}</a
      >${instance.name ? html`<span class="minor id">${instance.instance_id}</span>` : undefined}
    </th>
    <td role="cell" class="c-engine" data-label="Engine">
      ${instance.engine} <span class="minor">${instance.engine_version}</span>
    </td>
    <td role="cell" class="c-place" data-label="Account, region">
      ${instance.account}<span class="minor">${instance.region_id}</span>
    </td>
    <td role="cell" class="c-state">${badge(instance.state)}${stateNote(instance, task)}</td>
    <td role="cell" class="c-progress" data-label="Progress">
      ${task && progressBar(task, { subject: instance.name || instance.instance_id, now })}
    </td>
    <td role="cell" class="c-moved" data-label="Last progress">
      ${task && timeElement(task.last_progress, 'ago', now)}
    </td>
    <td role="cell" class="c-outcome" data-label="Last outcome">${outcomeElement(latestOutcome(instance), now)}</td>
    <td role="cell" class="c-data" data-label="Data age, next poll">
      ${timeElement(instance.last_good_poll, 'ago', now) ?? 'never'}<span class="minor"
        >${timeElement(instance.next_poll, 'in', now)}</span
      >
    </td>
    <td role="cell" class="c-error" data-label="Last error">${errorNote(instance)}</td>
  </tr>`;
}

function stateNote(
  { tasks, unsupported, last_good_poll }: InstanceAnswer,
  task: TaskAnswer | undefined,
): Html | undefined {
  if (task) {
    const more = tasks.length > 1 ? ` and ${tasks.length - 1} more` : '';
    return html`<span class="minor">${task.mode}${more}</span>`;
  }
  if (unsupported !== null) return undefined;
  return last_good_poll === null ? html`<span class="minor">not polled yet</span>` : undefined;
}

function errorNote({ last_error: error }: InstanceAnswer): Html | undefined {
  if (error === null) return undefined;
  const request = error.request_id === null ? undefined : html`<span class="minor id">${error.request_id}</span>`;
  return html`<span class="error" title="${error.message}">${error.code}</span>${request}`;
}
