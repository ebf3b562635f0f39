import { NOT_RENDERED } from '../instance-body.js';
import type { InstanceBody } from '../instance-body.js';
import { isolate } from '../isolate.js';
import type { StatusBody } from '../status-body.js';
import type { SortKey } from '../query.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { COLUMNS } from './list-columns.js';
import type { Column } from './list-columns.js';
import { openText, pageUrl } from './page-url.js';
import type { PageQuery } from './page-url.js';
import { pager } from './pager.js';

/** The list of instances with what sorts and pages it. */
export function instanceList(answer: StatusBody, query: PageQuery, onBug: (error: unknown) => void): Html {
  return html`<section class="list" id="list" aria-labelledby="list-title" tabindex="-1">
    <h2 id="list-title">Instances</h2>
    ${answer.instances.length === 0 ? nothing(answer, query) : table(answer, query, onBug)} ${pager(answer, query)}
  </section>`;
}

function nothing({ total }: StatusBody, query: PageQuery): Html {
  if (total > 0)
    return html`<p class="empty">
      This page is beyond the end of the list. <a href="${pageUrl(query, { offset: 0 })}">Go to its beginning</a>
    </p>`;
  return html`<p class="empty">No instance matches. <a href="?">Show all</a></p>`;
}

function table(answer: StatusBody, query: PageQuery, onBug: (error: unknown) => void): Html {
  const rows = answer.instances.map((instance) =>
    isolate(
      () => row(instance, answer.now, query),
      () => bareRow(instance, query, NOT_RENDERED),
      onBug,
    ),
  );
  return html`<table role="table">
    <thead role="rowgroup">
      <tr role="row">
        ${heading(query, { style: 'c-name', heads: [['Instance', 'name']] })}${COLUMNS.map((column) => heading(query, column))}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows}
    </tbody>
  </table>`;
}

function heading(query: PageQuery, { style, heads }: Pick<Column, 'style' | 'heads'>): Html {
  const direction = query.descending ? 'descending' : 'ascending';
  const order = heads.some(([, key]) => key === query.sort) ? html`aria-sort="${direction}"` : undefined;
  const parts = heads.map(([label, key]) =>
    key ? sortLink(query, key, label) : html`<span class="head">${label}</span>`,
  );
  return html`<th role="columnheader" scope="col" class="${style}" ${order}>${parts}</th>`;
}

/** Sorts by the column; once more turns the order round. */
function sortLink(query: PageQuery, key: SortKey, label: string): Html {
  const isSorted = key === query.sort;
  const href = pageUrl(query, { sort: key, descending: isSorted && !query.descending, offset: 0 });
  const arrow = isSorted ? html` <span aria-hidden="true">${query.descending ? '▼' : '▲'}</span>` : undefined;
  return html`<a class="sort" href="${href}" data-key="sort-${key}">${label}${arrow}</a>`;
}

function row(instance: InstanceBody, now: string, query: PageQuery): Html {
  if (instance.problem !== null) return bareRow(instance, query, instance.problem);
  const cells = COLUMNS.map((column) => {
    const content = column.cell(instance, now);
    const style = content === undefined ? `${column.style} none` : column.style;
    return html`<td role="cell" class="${style}">${content}</td>`;
  });
  return rowOf(instance, query, html`${cells}`);
}

/** What is left of a row that cannot be rendered. */
function bareRow(instance: InstanceBody, query: PageQuery, problem: string): Html {
  return rowOf(instance, query, html`<td role="cell" colspan="${COLUMNS.length}">${problem}</td>`);
}

function rowOf(instance: InstanceBody, query: PageQuery, cells: Html): Html {
  const key = openText(instance);
  const { name, instance_id, state } = instance;
  return html`<tr
    role="row"
    class="${state}"
    data-key="${key}"
    ${key === query.open ? html`aria-current="true"` : undefined}
  >
    <th role="rowheader" scope="row" class="c-name">
      <a href="${pageUrl(query, { open: key })}" data-key="open">${name || instance_id}</a>
      ${name ? html`<span class="minor id">${instance_id}</span>` : undefined}
    </th>
    ${cells}
  </tr>`;
}
