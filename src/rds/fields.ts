import { toUSVString } from 'node:util';

/** Reads the fields of an answer, of which nothing is certain: not their presence, their type or their spelling. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** An object of JSON, not an array and not null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Undefined when absent, null or an empty text. Versions of the API differ in the case of some names (`BackupjobId`). */
export function fieldOf(entry: JsonObject, name: string): unknown {
  let value = entry[name];
  if (value === undefined) {
    const lowerCase = name.toLowerCase();
    const key = Object.keys(entry).find((candidate) => candidate.toLowerCase() === lowerCase);
    if (key !== undefined) value = entry[key];
  }
  return value === null || value === '' ? undefined : value;
}

/** A text or a number as a text, trimmed and cut; undefined when absent, empty or anything else. */
export function textOf(entry: JsonObject, name: string, maxLength = Infinity): string | undefined {
  const value = fieldOf(entry, name);
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  return text === '' ? undefined : cutText(text, maxLength);
}

/**
 * The beginning of a text. Half of a surrogate pair, given as such in JSON or left over by the cut, becomes U+FFFD as it
 * would when it is written: ids that differ in nothing else would be one series twice.
 */
export function cutText(text: string, maxLength: number): string {
  return toUSVString(text.slice(0, maxLength));
}

/** A count, given as a number or as decimal digits; undefined when absent or anything else. */
export function countOf(entry: JsonObject, name: string): number | undefined {
  const text = textOf(entry, name);
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/**
 * The entries of a list such as Items.BackupJob. The API leaves out what is empty, and a single object stands for a list
 * of one. Undefined when it is none of these.
 */
export function listOf(container: JsonObject, outer: string, inner: string): readonly unknown[] | undefined {
  const items = fieldOf(container, outer) ?? {};
  if (!isObject(items)) return undefined;
  const list = fieldOf(items, inner) ?? [];
  if (Array.isArray(list)) return list;
  return isObject(list) ? [list] : undefined;
}
