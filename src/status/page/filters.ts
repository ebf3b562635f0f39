import { PAGE_STATES } from '../../domain/page-state.js';
import type { PageState } from '../../domain/page-state.js';
import type { StatusBody } from '../status-body.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { STATE_MEANINGS, STATE_WORDS, icon } from './icons.js';
import { PAGE_ROWS, pageUrl, sortText } from './page-url.js';
import type { PageQuery } from './page-url.js';
import { count } from './pager.js';

/** How many instances are in each state; each count narrows the list to it, once more takes that back. */
export function stateCounts({ counts }: StatusBody, query: PageQuery): Html {
  const all = Object.values(counts).reduce((sum, value) => sum + value, 0);
  const isCurrent = (state: PageState): boolean => query.state.includes(state);
  const link = (state: PageState): Html => {
    const href = pageUrl(query, { state: isCurrent(state) && query.state.length === 1 ? [] : [state], offset: 0 });
    return html`<li>
      <a
        class="count ${state}${counts[state] === 0 ? ' none' : ''}"
        href="${href}"
        data-key="count-${state}"
        title="${STATE_MEANINGS[state]}"
        ${isCurrent(state) ? html` aria-current="true"` : undefined}
        >${icon(state)}<span class="number">${count(counts[state])}</span>
        <span class="word">${STATE_WORDS[state]}</span></a
      >
    </li>`;
  };
  const everything = html`<li>
    <a
      class="count all"
      href="${pageUrl(query, { state: [], offset: 0 })}"
      data-key="count-all"
      ${query.state.length === 0 ? html` aria-current="true"` : undefined}
      ><span class="number">${count(all)}</span> <span class="word">All</span></a
    >
  </li>`;
  return html`<nav class="counts" aria-label="Instances by state">
    <ul>
      ${[everything, ...PAGE_STATES.map(link)]}
    </ul>
  </nav>`;
}

/** Search and filters as a form that needs no script; what else the address says goes along. */
export function filterForm({ facets }: StatusBody, query: PageQuery): Html {
  const isNarrowed = query.q !== '' || query.account.length + query.regionId.length + query.engine.length > 0;
  return html`<form class="filters" method="get" action="" role="search" aria-label="Filter the instances">
    <label class="search"
      >Search
      <input
        type="search"
        name="q"
        value="${query.q}"
        placeholder="name, id, job id, error code"
        maxlength="200"
        autocomplete="off"
        spellcheck="false"
    /></label>
    ${choice({ label: 'Account', name: 'account', every: 'All accounts', options: facets.account, chosen: query.account })}
    ${choice({ label: 'Region', name: 'region_id', every: 'All regions', options: facets.region_id, chosen: query.regionId })}
    ${choice({ label: 'Engine', name: 'engine', every: 'All engines', options: facets.engine, chosen: query.engine })}
    ${query.state.map((state) => hidden('state', state))}
    ${query.sort === 'attention' && !query.descending ? undefined : hidden('sort', sortText(query))}
    ${query.limit === PAGE_ROWS ? undefined : hidden('limit', String(query.limit))}
    ${query.open === '' ? undefined : hidden('open', query.open)}
    <button type="submit">Filter</button>
    ${isNarrowed ? html`<a class="clear" href="${pageUrl(query, { q: '', account: [], regionId: [], engine: [], offset: 0 })}">Clear</a>` : undefined}
  </form>`;
}

interface Choice {
  readonly label: string;
  readonly name: string;
  /** What stands for no choice. */
  readonly every: string;
  readonly options: readonly string[];
  readonly chosen: readonly string[];
}

/** A value from the address that no instance has is an option all the same: what narrows the list must show. */
function choice({ label, name, every, options, chosen }: Choice): Html {
  if (chosen.length > 1) {
    return html`<p class="several">
      ${label} <span>${chosen.join(', ')}</span>${chosen.map((value) => hidden(name, value))}
    </p>`;
  }
  const known = [...new Set([...options, ...chosen])];
  const option = (value: string): Html =>
    html`<option value="${value}" ${chosen.includes(value) ? html` selected` : undefined}>${value}</option>`;
  return html`<label
    >${label}
    <select name="${name}">
      <option value="">${every}</option>
      ${known.map(option)}
    </select></label
  >`;
}

function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}" />`;
}
