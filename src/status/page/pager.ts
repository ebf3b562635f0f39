import type { StatusBody } from '../status-body.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { pageUrl } from './page-url.js';
import type { PageQuery } from './page-url.js';

/** Which part of the list is shown, and the way to the others. */
export function pager({ total, offset, limit, instances }: StatusBody, query: PageQuery): Html | undefined {
  if (instances.length === 0) return undefined;
  const last = offset + instances.length;
  const step = (label: string, to: number, isThere: boolean): Html =>
    isThere
      ? html`<a class="step" href="${pageUrl(query, { offset: to })}" data-key="${label}">${label}</a>`
      : html`<span class="step" aria-hidden="true" data-key="no-${label}">${label}</span>`;
  return html`<nav class="pager" aria-label="Pages of the list">
    <p>${count(offset + 1)} to ${count(last)} of ${count(total)}</p>
    ${step('First', 0, offset > 0)} ${step('Previous', Math.max(0, offset - limit), offset > 0)}
    ${step('Next', offset + limit, last < total)} ${step('Last', Math.floor((total - 1) / limit) * limit, last < total)}
  </nav>`;
}

/** 10,000 */
export function count(value: number): string {
  return String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}
