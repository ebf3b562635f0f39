import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const IMPORT = /(?:\bfrom|\bimport|\bimport\()\s*["'](\.[^"']+)["']/g;

/** Of the test files, those that import `file`, by however many steps: the number of steps, the nearest first. Paths are from the root. */
export function testsThatReach(root: string, file: string, tests: readonly string[]): ReadonlyMap<string, number> {
  const imports = new Map<string, readonly string[]>();
  const importsOf = (path: string): readonly string[] => {
    const known = imports.get(path);
    if (known !== undefined) return known;
    const text = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '';
    const found = [...text.matchAll(IMPORT)].map(([, specifier = '']) => join(dirname(path), specifier));
    imports.set(path, found);
    return found;
  };
  const steps = (test: string): number => {
    const seen = new Set([test]);
    // Grows while it is walked.
    const queue: [string, number][] = [[test, 0]];
    for (const [path, distance] of queue) {
      if (path === file) return distance;
      for (const next of importsOf(path)) {
        if (!seen.has(next)) queue.push([next, distance + 1]);
        seen.add(next);
      }
    }
    return Infinity;
  };
  const reaching = tests.map((test) => [test, steps(test)] as const).filter(([, distance]) => distance < Infinity);
  return new Map(reaching.toSorted(([, one], [, other]) => one - other));
}
