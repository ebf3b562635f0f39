/**
 * Mutation testing of single files: `npm run test:mutation -- src/collector/scheduler.ts`. Prints what the unit tests let
 * through; exits 1 if that is more than 5 %, or if the list of equivalent mutants does not fit any more.
 */
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readEquivalents } from './equivalents.js';
import { reportOf } from './report.js';
import { runMutants } from './run.js';
import { copyTree, sourceOf } from './tree.js';

const GOAL = 95;
const AT_ONCE = 2;
/** Checks of documents and of the source itself: no mutant of the built program reaches them. */
const TESTS = 'dist-test/unit';
const root = join(import.meta.dirname, '../..');

async function main(paths: readonly string[]): Promise<boolean> {
  const equivalents = readEquivalents(readFileSync(join(root, 'test/mutation/equivalents.yaml'), 'utf8'));
  const tests = readdirSync(join(root, TESTS), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(TESTS, name));
  const roots = Array.from({ length: AT_ONCE }, () => copyTree(root));
  let isGood = true;
  try {
    for (const path of paths) {
      const source = sourceOf(roots[0]!, path);
      const fates = await runMutants({ roots, file: source.file, tests });
      const { survivors, complaints, summary, score } = reportOf(source, fates, equivalents.get(path) ?? []);
      for (const line of [...survivors, ...complaints, summary]) console.log(line);
      isGood &&= score >= GOAL && complaints.length === 0;
    }
  } finally {
    for (const copy of roots) rmSync(copy, { recursive: true, force: true });
  }
  return isGood;
}

const paths = process.argv.slice(2).map((path) => relative(root, path));
const unknown = paths.filter((path) => !path.startsWith('src/') || !existsSync(join(root, path)));
if (paths.length === 0 || unknown.length > 0) {
  console.error(
    `usage: npm run test:mutation -- src/FILE.ts...${unknown.length > 0 ? `; not such: ${unknown.join(', ')}` : ''}`,
  );
  process.exitCode = 2;
} else {
  process.exitCode = (await main(paths)) ? 0 : 1;
}
