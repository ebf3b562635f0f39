import { PAGE_STATES } from '../domain/page-state.js';
import type { PageState } from '../domain/page-state.js';

/** What the list can be ordered by; `attention` is what needs a person first. A leading `-` turns the order round. */
export const SORT_KEYS = [
  'attention',
  'name',
  'instance_id',
  'engine',
  'account',
  'region_id',
  'progress',
  'last_progress',
  'last_outcome',
  'last_good_poll',
  'next_poll',
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** What narrows the list. Of each set any one matches; empty means all. */
export interface StatusQuery {
  /** Words that all must occur in the instance's texts. */
  readonly q: string;
  readonly state: readonly PageState[];
  readonly account: readonly string[];
  readonly regionId: readonly string[];
  readonly engine: readonly string[];
  readonly sort: SortKey;
  readonly descending: boolean;
  readonly limit: number;
  readonly offset: number;
}

export interface ParsedQuery {
  /** Where a value was bad, its default stands. */
  readonly query: StatusQuery;
  /** One line each. */
  readonly problems: readonly string[];
}

const PARAMETERS = ['q', 'state', 'account', 'region_id', 'engine', 'sort', 'limit', 'offset'];
const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1_000;
const MAX_OFFSET = 10_000_000;
const MAX_TEXT = 200;
const MAX_VALUES = 50;

/** Reads the parameters of the status API; an empty value is as good as none, as a form sends it. */
export function parseStatusQuery(
  parameters: URLSearchParams,
  { limit = DEFAULT_LIMIT, alsoAllowed = [] }: { limit?: number; alsoAllowed?: readonly string[] } = {},
): ParsedQuery {
  const problems: string[] = [];
  for (const name of new Set(parameters.keys())) {
    if (!PARAMETERS.includes(name) && !alsoAllowed.includes(name)) {
      problems.push(`unknown parameter ${quote(name)}: known are ${PARAMETERS.join(', ')}`);
    }
  }
  const reader = { parameters, problems };
  const sort = readOne(reader, 'sort') ?? 'attention';
  const sortKey = readWord(reader, 'sort', SORT_KEYS, sort.replace(/^-/, ''));
  const query: StatusQuery = {
    q: readOne(reader, 'q')?.trim() ?? '',
    state: readMany(reader, 'state').flatMap((value) => readWord(reader, 'state', PAGE_STATES, value) ?? []),
    account: readMany(reader, 'account'),
    regionId: readMany(reader, 'region_id'),
    engine: readMany(reader, 'engine'),
    sort: sortKey ?? 'attention',
    descending: sortKey !== undefined && sort.startsWith('-'),
    limit: readInteger(reader, 'limit', { least: 1, most: MAX_LIMIT }) ?? limit,
    offset: readInteger(reader, 'offset', { least: 0, most: MAX_OFFSET }) ?? 0,
  };
  return { query, problems };
}

interface Reader {
  readonly parameters: URLSearchParams;
  readonly problems: string[];
}

function readMany({ parameters, problems }: Reader, name: string): string[] {
  const values = parameters.getAll(name).filter((value) => value !== '');
  if (values.some((value) => value.length > MAX_TEXT)) {
    problems.push(`${name} must be at most ${MAX_TEXT} characters long`);
    return [];
  }
  if (values.length > MAX_VALUES) {
    problems.push(`${name} may be given at most ${MAX_VALUES} times`);
    return [];
  }
  return values;
}

function readOne(reader: Reader, name: string): string | undefined {
  const values = readMany(reader, name);
  if (values.length > 1) reader.problems.push(`${name} may be given once only`);
  return values[0];
}

function readWord<T extends string>(
  { problems }: Reader,
  name: string,
  words: readonly T[],
  value: string,
): T | undefined {
  const word = words.find((known) => known === value);
  if (word === undefined) problems.push(`${name} ${quote(value)} is not known: it must be one of ${words.join(', ')}`);
  return word;
}

function readInteger(
  reader: Reader,
  name: string,
  { least, most }: { least: number; most: number },
): number | undefined {
  const text = readOne(reader, name);
  if (text === undefined) return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  reader.problems.push(`${name} ${quote(text)} must be a whole number from ${least} to ${most}`);
  return undefined;
}

/** Quoted with control characters escaped, and cut: what is told back stays short and on one line. */
function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
