import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { TAB_ICON } from './icons.js';
import { STYLESHEET } from './stylesheet.js';

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

export interface Assets {
  /** Where they are, relative to the page, ending in a slash. Its name changes with any of them: they never go stale. */
  readonly folder: string;
  /** By absolute path. */
  readonly files: ReadonlyMap<string, Asset>;
}

const BUILT = new URL('../../', import.meta.url);
const MAIN_SCRIPT = 'status/browser/main.js';
/** In what the compiler writes each import and re-export begins a line, but for `import()`; it leaves out those of types. */
const IMPORTS = /(?:^(?:import|export)(?:[^'"=;]*\bfrom)?\s*|\bimport\(\s*)['"]([^'"]+)['"]/gm;

/**
 * The page's script and every module that it imports, by their path in the built program: their imports are relative.
 * @throws an Error for an import that no browser could follow
 */
function readScripts(): ReadonlyMap<string, Buffer> {
  const scripts = new Map<string, Buffer>();
  const read = (path: string): void => {
    if (scripts.has(path)) return;
    const body = readFileSync(new URL(path, BUILT));
    scripts.set(path, body);
    for (const [, target = ''] of body.toString().matchAll(IMPORTS)) {
      if (!target.startsWith('.')) throw new Error(`${path} runs in the browser, which cannot import ${target}`);
      read(posix.join(posix.dirname(path), target));
    }
  };
  read(MAIN_SCRIPT);
  return scripts;
}

/** Reads the assets into memory; nothing is read from disk after that. */
export function loadAssets(): Assets {
  const named: [string, Asset][] = [
    ['style.css', { type: 'text/css; charset=utf-8', body: Buffer.from(STYLESHEET) }],
    ['icon.svg', { type: 'image/svg+xml', body: Buffer.from(TAB_ICON) }],
    ...[...readScripts()].map(([path, body]): [string, Asset] => [
      path,
      { type: 'text/javascript; charset=utf-8', body },
    ]),
  ];
  const hash = createHash('sha256');
  for (const [path, { body }] of named) hash.update(`${path}\n`).update(body);
  const folder = `assets/${hash.digest('hex').slice(0, 16)}/`;
  return { folder, files: new Map(named.map(([path, asset]) => [`/${folder}${path}`, asset])) };
}
