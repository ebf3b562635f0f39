import { parse } from 'yaml';

/** A mutant that no test can kill, since it changes nothing that can be observed. */
export interface Equivalent {
  /** The line of the source, without the blanks around it. */
  readonly line: string;
  /** As the report shows it: `original → replacement`. */
  readonly mutation: string;
  readonly reason: string;
}

/** By source file. @throws if an entry lacks something */
export function readEquivalents(yaml: string): ReadonlyMap<string, readonly Equivalent[]> {
  const files = new Map<string, readonly Equivalent[]>(Object.entries(parse(yaml) ?? {}));
  for (const [file, entries] of files) {
    for (const { line, mutation, reason } of entries) {
      const isWhole = [line, mutation, reason].every((text) => typeof text === 'string' && text !== '');
      if (!isWhole) throw new Error(`${file}: "${line}", "${mutation}": each needs line, mutation and reason`);
    }
  }
  return files;
}
