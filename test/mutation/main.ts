/**
 * Mutation testing of single files: `npm run test:mutation -- src/poll/scheduler.ts`. Prints what the unit tests let
 * through; exits 1 if that is more than 5 %, or if the list of equivalent mutants does not fit any more.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { readEquivalents } from './equivalents.js';
import { reportOf } from './report.js';
import type { Source } from './report.js';
import { runMutants } from './run.js';

const GOAL = 95;
const AT_ONCE = 2;
/** Checks of documents and of the source itself: no mutant of the built program reaches them. */
const TESTS = 'dist-test/unit';
const root = join(import.meta.dirname, '../..');

/** A tree in which the built program can be changed. Everything but the program and its tests is the real thing. */
function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'mutation-'));
  for (const name of readdirSync(root)) {
    if (name !== 'dist' && name !== 'dist-test' && name !== '.git') symlinkSync(join(root, name), join(copy, name));
  }
  cpSync(join(root, 'dist-test'), join(copy, 'dist-test'), { recursive: true });
  const options = '--sourceMap true --incremental false --tsBuildInfoFile null --declaration false'.split(' ');
  const args = ['-p', join(root, 'tsconfig.json'), '--outDir', join(copy, 'dist'), ...options];
  const { status } = spawnSync(join(root, 'node_modules/.bin/tsc'), args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('the program cannot be compiled');
  return copy;
}

function sourceOf(copy: string, path: string): Source & { readonly file: string } {
  const file = join('dist', relative('src', path)).replace(/\.ts$/, '.js');
  const code = readFileSync(join(copy, file), 'utf8');
  const map = new SourceMap(JSON.parse(readFileSync(join(copy, `${file}.map`), 'utf8')));
  const lineAt = (offset: number): number => {
    const before = code.slice(0, offset).split('\n');
    const entry = map.findEntry(before.length - 1, before.at(-1)?.length ?? 0);
    return ('originalLine' in entry ? entry.originalLine : 0) + 1;
  };
  return { path, text: readFileSync(join(root, path), 'utf8'), code, lineAt, file };
}

async function main(paths: readonly string[]): Promise<boolean> {
  const equivalents = readEquivalents(readFileSync(join(root, 'test/mutation/equivalents.yaml'), 'utf8'));
  const tests = readdirSync(join(root, TESTS), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(TESTS, name));
  const roots = Array.from({ length: AT_ONCE }, copyTree);
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
