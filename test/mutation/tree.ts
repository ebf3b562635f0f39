import { cpSync, mkdtempSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Source } from './report.js';

const BUILT: ReadonlySet<string> = new Set(['dist', 'dist-test']);

/** A tree in which the built program can be changed. Everything but the program and its tests is the real thing. */
export function copyTree(root: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'mutation-'));
  for (const name of readdirSync(root)) {
    if (BUILT.has(name)) cpSync(join(root, name), join(copy, name), { recursive: true });
    else if (name !== '.git') symlinkSync(join(root, name), join(copy, name));
  }
  return copy;
}

/** A file of src, with what the build made of it and that file's path. */
export function sourceOf(root: string, path: string): Source & { readonly file: string } {
  const file = join('dist', relative('src', path)).replace(/\.ts$/, '.js');
  const code = readFileSync(join(root, file), 'utf8');
  const map = new SourceMap(JSON.parse(readFileSync(join(root, `${file}.map`), 'utf8')));
  const lineAt = (offset: number): number => {
    const before = code.slice(0, offset).split('\n');
    const entry = map.findEntry(before.length - 1, before.at(-1)?.length ?? 0);
    return ('originalLine' in entry ? entry.originalLine : 0) + 1;
  };
  return { path, text: readFileSync(join(root, path), 'utf8'), code, lineAt, file };
}
