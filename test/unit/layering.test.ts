import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { expect } from 'chai';

const src = new URL('../../src/', import.meta.url);
const LEAVES = ['model', 'errors', 'clock', 'secret', 'log', 'regular-file'];

/** Who may import whom. A part is a folder of src, or a file at its top. */
const ALLOWED: Record<string, readonly string[]> = {
  main: ['app', 'config', 'simulator', ...LEAVES],
  app: ['config', 'alibaba', 'poll', 'fleet', 'metrics', 'web', ...LEAVES],
  metrics: ['fleet', ...LEAVES],
  web: ['fleet', ...LEAVES],
  config: LEAVES,
  alibaba: LEAVES,
  poll: LEAVES,
  fleet: LEAVES,
  simulator: LEAVES,
  log: [],
  clock: [],
  secret: ['regular-file'],
  'regular-file': [],
  errors: [],
  model: [],
};

function partOf(path: string): string {
  return path.split('/')[0]!.replace(/\.[jt]s$/, '');
}

function importsOf(path: string): string[] {
  const text = readFileSync(new URL(path, src), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import|import\()\s*'(\.[^']+)'/g)].map((match) => match[1]!);
  return specifiers.map((specifier) => posix.join(posix.dirname(path), specifier));
}

describe('the parts of the program', () => {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));

  it('import one way only', () => {
    const wrong = files.flatMap((path) =>
      importsOf(path)
        .filter((target) => partOf(target) !== partOf(path) && !ALLOWED[partOf(path)]?.includes(partOf(target)))
        .map((target) => `${path} -> ${target}`),
    );
    expect(files.length).to.be.greaterThan(0);
    expect(wrong).to.deep.equal([]);
  });

  it('leave time to the clock', () => {
    const own = /\b(Date\.now|Math\.random|new Date\(\)|performance\.now|setTimeout|setInterval)\b/;
    const wrong = files.filter((path) => path !== 'clock.ts' && own.test(readFileSync(new URL(path, src), 'utf8')));
    expect(wrong).to.deep.equal([]);
  });

  it('leave the process to main', () => {
    const own = /process\.(exit|argv|on|once)\b/;
    const wrong = files.filter((path) => path !== 'main.ts' && own.test(readFileSync(new URL(path, src), 'utf8')));
    expect(wrong).to.deep.equal([]);
  });
});
