import type { StatusQuery } from '../query.js';

/** What the address of the page says: the query of the list, and the instance whose detail is open. */
export interface PageQuery extends StatusQuery {
  /** `account/region/instance`; empty when none is open. */
  readonly open: string;
}

/** As many rows as the page shows unless its address says otherwise. */
export const PAGE_ROWS = 50;

/** The page with something changed, relative to where it is served, so that it works behind a proxy's prefix. */
export function pageUrl(query: PageQuery, change: Partial<PageQuery>): string {
  return `?${pageParameters({ ...query, ...change }).toString()}`;
}

/** The same list as JSON. */
export function statusUrl(query: PageQuery): string {
  return `api/v1/status?${pageParameters({ ...query, open: '' }).toString()}`;
}

/** Only what differs from the default, so that addresses stay short. */
export function pageParameters(query: PageQuery): URLSearchParams {
  const parameters = new URLSearchParams();
  if (query.q !== '') parameters.set('q', query.q);
  for (const state of query.state) parameters.append('state', state);
  for (const account of query.account) parameters.append('account', account);
  for (const regionId of query.regionId) parameters.append('region_id', regionId);
  for (const engine of query.engine) parameters.append('engine', engine);
  if (query.sort !== 'attention' || query.descending) parameters.set('sort', sortText(query));
  if (query.limit !== PAGE_ROWS) parameters.set('limit', String(query.limit));
  if (query.offset !== 0) parameters.set('offset', String(query.offset));
  if (query.open !== '') parameters.set('open', query.open);
  return parameters;
}

export function sortText({ sort, descending }: StatusQuery): string {
  return `${descending ? '-' : ''}${sort}`;
}

export function openText(instance: {
  readonly account: string;
  readonly region_id: string;
  readonly instance_id: string;
}): string {
  return `${instance.account}/${instance.region_id}/${instance.instance_id}`;
}
