import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { expect } from 'chai';

const src = new URL('../../src/', import.meta.url);
const LEAVES = ['errors', 'clock', 'secret', 'log', 'regular-file', 'redact', 'internal-error'];
const DOMAIN = ['domain', ...LEAVES];

/** Who may import whom. A part is a folder of src, or a file at its top. */
const ALLOWED: Record<string, readonly string[]> = {
  main: ['cli', 'exporter', 'config', 'simulator', ...LEAVES],
  exporter: ['collector', 'rds', 'state', 'metrics', 'status', 'http', 'config', ...DOMAIN],
  cli: ['config', 'http', ...LEAVES],
  http: ['status', 'metrics', ...DOMAIN],
  collector: DOMAIN,
  rds: DOMAIN,
  state: DOMAIN,
  metrics: DOMAIN,
  status: DOMAIN,
  simulator: DOMAIN,
  config: DOMAIN,
  domain: LEAVES,
  secret: ['regular-file'],
  'internal-error': ['log', 'redact'],
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

  it('import no circle', () => {
    const sources = files.filter((path) => !path.endsWith('.d.ts'));
    const targets = new Map(
      sources.map((path) => [path, importsOf(path).map((target) => target.replace(/\.js$/, '.ts'))]),
    );
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (path: string, way: readonly string[]): void => {
      if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' -> '));
      if (way.includes(path) || done.has(path)) return;
      for (const target of targets.get(path) ?? []) visit(target, [...way, path]);
      done.add(path);
    };
    for (const path of sources) visit(path, []);
    expect(circles).to.deep.equal([]);
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
