/** Where a listing by NextToken goes on: by order of creation, so that a deleted instance shifts nothing. */
export interface PagingToken {
  /** The page that it leads to, from 2. */
  readonly page: number;
  /** The last instance given so far, by its order of creation. */
  readonly after: number;
}

export function encodeToken({ page, after }: PagingToken): string {
  return Buffer.from(`page ${page} after ${after}`).toString('base64url');
}

/** Undefined for a text that is no token of ours. */
export function decodeToken(text: string): PagingToken | undefined {
  const [, page, after] = /^page (\d{1,9}) after (\d{1,9})$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  return page === undefined || after === undefined ? undefined : { page: Number(page), after: Number(after) };
}

/** Which page of a listing a call asks for, by either way of paging. */
export function pageAskedFor(parameters: ReadonlyMap<string, string>): number {
  const token = parameters.get('NextToken') ?? '';
  return (token === '' ? Number(parameters.get('PageNumber') ?? 1) : decodeToken(token)?.page) ?? 1;
}
