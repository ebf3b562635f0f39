import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readEquivalents } from '../mutation/equivalents.js';
import { reportOf } from '../mutation/report.js';
import type { Report } from '../mutation/report.js';
import { runMutants } from '../mutation/run.js';
import type { Fate } from '../mutation/run.js';
import { copyTree, sourceOf } from '../mutation/tree.js';
import type { Mutant } from '../mutation/mutants.js';

const CODE = `export const LIMIT = 20;
export function clamp(value, max) {
  if (value > max) return max;
  return value;
}
export function count(from) {
  let steps = 0;
  for (let left = from; left > 0; left--) steps++;
  return steps;
}
export function unused() {
  throw new Error();
}
`;
const FILES = {
  'package.json': '{"type":"module"}',
  'dist/subject.js': CODE,
  'dist/user.js': "import { clamp } from './subject.js';\nexport const small = () => clamp(1, 2);\n",
  'dist-test/near.test.js': `import assert from 'node:assert';
import { LIMIT, clamp, count } from '../dist/subject.js';
let most;
before(() => (most = clamp(LIMIT + 1, LIMIT)));
it('clamps', () => assert.equal(most, LIMIT));
it('counts', () => assert.equal(count(3), 3));
`,
  'dist-test/far.test.js': `import assert from 'node:assert';
import { small } from '../dist/user.js';
it('is small', () => assert.equal(small(), 1));
`,
  'dist-test/other.test.js': "it('is never run', () => { throw new Error('it was'); });\n",
};
const TESTS = ['dist-test/other.test.js', 'dist-test/far.test.js', 'dist-test/near.test.js'];
const SURVIVORS = [
  '#1 src/subject.ts:1: 20 → 40   in   export const LIMIT = 20;',
  '#2 src/subject.ts:1: 20 → 10   in   export const LIMIT = 20;',
  '#6 src/subject.ts:3: > → >=   in   if (value > max) return max;',
  '#19 src/subject.ts:11: { throw new Error(); } → {}   in   export function unused() {',
];

describe('mutation testing', () => {
  let roots: string[];
  let fates: ReadonlyMap<Mutant, Fate>;

  function treeOf(files: Readonly<Record<string, string>>): string {
    const root = mkdtempSync(join(tmpdir(), 'mutation-test-'));
    mkdirSync(join(root, 'dist'));
    mkdirSync(join(root, 'dist-test'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
    return root;
  }

  function report(yaml = ''): Report {
    const lineAt = (offset: number): number => CODE.slice(0, offset).split('\n').length;
    const path = 'src/subject.ts';
    return reportOf({ path, text: CODE, code: CODE, lineAt }, fates, readEquivalents(yaml).get(path) ?? []);
  }

  before(async function () {
    // Some thirty processes, on a machine that may be busy.
    this.timeout(120_000);
    roots = [treeOf(FILES), treeOf(FILES)];
    fates = await runMutants({ roots, file: 'dist/subject.js', tests: TESTS, graceMs: 3_000 });
  });
  after(() => roots.forEach((root) => rmSync(root, { recursive: true, force: true })));

  it('finds exactly the mutants that no test kills, with an endless loop as killed by time', () => {
    const { survivors, complaints, summary } = report();
    expect(survivors).to.deep.equal(SURVIVORS);
    expect(complaints).to.deep.equal([]);
    expect(summary).to.equal(
      'src/subject.ts: 19 mutants, 15 killed (1 by time), 4 survived, 0 of these equivalent, 0 cannot be loaded: 78.9 %',
    );
  });

  it('leaves the module as it was', () => {
    for (const root of roots) expect(readFileSync(join(root, 'dist/subject.js'), 'utf8')).to.equal(CODE);
  });

  it('leaves out what is listed as equivalent, and complains of an entry that is killed or gone', () => {
    const { survivors, complaints, score } = report(`
src/subject.ts:
  - { line: "if (value > max) return max;", mutation: "> → >=", reason: the same when equal }
  - { line: "if (value > max) return max;", mutation: "value > max → true", reason: wrong }
  - { line: "if (value > max) return max;", mutation: "> → <", reason: gone }
`);
    expect(survivors).to.deep.equal(SURVIVORS.toSpliced(2, 1));
    expect(complaints).to.deep.equal([
      'listed as equivalent, but killed: #4 src/subject.ts:3: value > max → true   in   if (value > max) return max;',
      'listed as equivalent, but no such mutant: src/subject.ts: > → <   in   if (value > max) return max;',
    ]);
    expect(score).to.be.closeTo((100 * 15) / 18, 1e-9);
  });

  it('changes a copy of the real tree, and knows the lines of its sources', () => {
    const copy = copyTree(join(import.meta.dirname, '../..'));
    try {
      const { file, code, text, lineAt } = sourceOf(copy, 'src/config/duration.ts');
      expect([file, lstatSync(join(copy, file)).isFile()]).to.deep.equal(['dist/config/duration.js', true]);
      const line = text.split('\n')[lineAt(code.indexOf('<= MAX_MS')) - 1];
      expect(line?.trim()).to.equal('return ms <= MAX_MS ? ms : undefined;');
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it('wants a reason for each equivalent', () => {
    expect(() => readEquivalents('a.ts: [{ line: a, mutation: b }]')).to.throw('each needs line, mutation and reason');
  });

  it('counts no mutant when the tests fail without one', async () => {
    const root = treeOf({
      ...FILES,
      'dist-test/near.test.js': FILES['dist-test/near.test.js'].replace('3), 3', '3), 4'),
    });
    try {
      const failure = await runMutants({ roots: [root], file: 'dist/subject.js', tests: TESTS }).catch(String);
      expect(failure).to.match(/^Error: the tests fail unmutated: counts: AssertionError/);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
