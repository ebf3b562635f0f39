import { UsageError } from '../errors.js';

/** More would bury the first ones. */
const MAX_TOLD = 100;

/** Collects what is wrong with a file, so that all of it can be told in one go. */
export class Problems {
  readonly #file: string;
  readonly #found = new Map<string, number>();

  constructor(file: string) {
    this.#file = file;
  }

  /** The same problem in the same place is told once, however often it is found. */
  add(line: number, text: string): void {
    this.#found.set(`${this.#file}:${line}: ${text}`, line);
  }

  /** One line each, in the order of the file. */
  lines(): readonly string[] {
    const inOrder = [...this.#found].toSorted(([, one], [, other]) => one - other);
    const told = inOrder.slice(0, MAX_TOLD).map(([text]) => text);
    const rest = inOrder.length - told.length;
    return rest === 0 ? told : [...told, `${this.#file}: and ${rest} more problems`];
  }

  /** @throws UsageError with every problem found */
  throwIfAny(): void {
    if (this.#found.size > 0) throw new UsageError(this.lines());
  }
}

/** A text from the file as it is shown in a problem: quoted, cut, with nothing in it that could forge or reorder a line. */
export function quote(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return JSON.stringify(cut).replaceAll(
    /[\u007f-\u009f\u2028\u2029\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The known word that a mistyped one was probably meant to be; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const near = known.map((candidate) => ({ candidate, distance: distance(word, candidate) }));
  const best = near.toSorted((one, other) => one.distance - other.distance)[0];
  return best !== undefined && best.distance <= 2 ? best.candidate : undefined;
}

/** Levenshtein's: how many letters must be added, dropped or changed. */
function distance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > 2) return Infinity;
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let index = 0; index < one.length; index++) {
    const next = [index + 1];
    for (let column = 0; column < other.length; column++) {
      const change = (row[column] ?? 0) + (one[index] === other[column] ? 0 : 1);
      next.push(Math.min(change, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
