import type { ApiError, ApiResult } from '../domain/model.js';
import type { InstancesPage, InstancesRequest, ListedInstance, TagsPage } from '../domain/requests.js';
import type { InstanceSource } from './ports.js';

/** More than any account has; a listing that goes on beyond it is broken. */
const MAX_PAGES = 1_000;

/** Makes one call with all its repeats; never throws. */
export type Call = <T>(attempt: () => Promise<ApiResult<T>>) => Promise<ApiResult<T>>;

export type InstancesFilter = Pick<InstancesRequest, 'engine' | 'tags' | 'resourceGroupId'>;

export interface ListingOptions {
  readonly source: InstanceSource;
  readonly call: Call;
  readonly signal: AbortSignal;
}

/**
 * All instances that match, or why not: never a part of them. Pages by token; a token that broke midway restarts the
 * listing once; an API that ignores MaxResults is paged by number.
 */
export async function listInstances(
  options: ListingOptions,
  filter: InstancesFilter,
): Promise<ApiResult<readonly ListedInstance[]>> {
  const listing = await listByToken(options, filter);
  if (!listing.ok && listing.error.kind === 'next_token') return listByToken(options, filter);
  return listing;
}

async function listByToken(
  options: ListingOptions,
  filter: InstancesFilter,
): Promise<ApiResult<readonly ListedInstance[]>> {
  const found = new Map<string, ListedInstance>();
  const tokens = new Set<string>();
  let nextToken: string | undefined;
  do {
    const page = await fetchInstances(options, { ...filter, nextToken });
    if (!page.ok) return page;
    if (nextToken === undefined && isOneOfNumberedPages(page.value)) return listByNumber(options, filter);
    for (const instance of page.value.instances) found.set(instance.instanceId, instance);
    nextToken = page.value.nextToken;
    if (nextToken !== undefined && (tokens.has(nextToken) || tokens.size >= MAX_PAGES)) return endless();
    if (nextToken !== undefined) tokens.add(nextToken);
  } while (nextToken !== undefined);
  return { ok: true, value: [...found.values()] };
}

/** By token the count is that of the page; one that exceeds it is the count of the whole listing, so MaxResults was ignored. */
function isOneOfNumberedPages({ instances, nextToken, totalRecordCount }: InstancesPage): boolean {
  return nextToken === undefined && totalRecordCount !== undefined && totalRecordCount > instances.length;
}

async function listByNumber(
  options: ListingOptions,
  filter: InstancesFilter,
): Promise<ApiResult<readonly ListedInstance[]>> {
  const found = new Map<string, ListedInstance>();
  const pages = await forEachPage(async (pageNumber) => {
    const page = await fetchInstances(options, { ...filter, pageNumber });
    if (!page.ok) return page;
    for (const instance of page.value.instances) found.set(instance.instanceId, instance);
    return { ok: true, value: { entries: page.value.instances.length, total: page.value.totalRecordCount } };
  });
  return pages.ok ? { ok: true, value: [...found.values()] } : pages;
}

/** The tags of every instance of the region that has some, by instance id; or why not. */
export async function listTags({
  source,
  call,
  signal,
}: ListingOptions): Promise<ApiResult<ReadonlyMap<string, Readonly<Record<string, string>>>>> {
  const found = new Map<string, Readonly<Record<string, string>>>();
  const pages = await forEachPage(async (pageNumber) => {
    const page: ApiResult<TagsPage> = await call(() => source.describeDBInstanceByTags({ pageNumber }, signal));
    if (!page.ok) return page;
    for (const { instanceId, tags } of page.value.tags) found.set(instanceId, { ...found.get(instanceId), ...tags });
    return { ok: true, value: { entries: page.value.tags.length, total: page.value.totalRecordCount } };
  });
  return pages.ok ? { ok: true, value: found } : pages;
}

interface PageSize {
  readonly entries: number;
  /** Of the whole listing; undefined when the API did not say. */
  readonly total: number | undefined;
}

/** Fetches page after page until the listing's own count is reached, or a page is empty. */
async function forEachPage(
  fetchPage: (pageNumber: number) => Promise<ApiResult<PageSize>>,
): Promise<ApiResult<undefined>> {
  let entries = 0;
  for (let pageNumber = 1; pageNumber <= MAX_PAGES; pageNumber++) {
    const page = await fetchPage(pageNumber);
    if (!page.ok) return page;
    entries += page.value.entries;
    if (page.value.entries === 0 || entries >= (page.value.total ?? Infinity)) return { ok: true, value: undefined };
  }
  return endless();
}

function fetchInstances(
  { source, call, signal }: ListingOptions,
  request: InstancesRequest,
): Promise<ApiResult<InstancesPage>> {
  return call(() => source.describeDBInstances(request, signal));
}

function endless(): { readonly ok: false; readonly error: ApiError } {
  const message = 'the listing does not end: it repeats a NextToken or has more than 1,000 pages';
  return {
    ok: false,
    error: { kind: 'bad_response', code: 'BadResponse', message, requestId: undefined, retryAfterMs: undefined },
  };
}
