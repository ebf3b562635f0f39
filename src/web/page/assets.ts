import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
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

/** The modules that the page's script is made of, as they lie in the built program: their imports are relative. */
const SCRIPTS = [
  'clock.js',
  'web/browser/live.js',
  'web/browser/main.js',
  'web/browser/morph.js',
  'web/browser/navigation.js',
  'web/browser/times.js',
  'web/page/age-text.js',
];

/** Reads the assets into memory; nothing is read from disk after that. */
export function loadAssets(): Assets {
  const named: [string, Asset][] = [
    ['style.css', { type: 'text/css; charset=utf-8', body: Buffer.from(STYLESHEET) }],
    ['icon.svg', { type: 'image/svg+xml', body: Buffer.from(TAB_ICON) }],
    ...SCRIPTS.map((path): [string, Asset] => [
      path,
      { type: 'text/javascript; charset=utf-8', body: readFileSync(new URL(`../../${path}`, import.meta.url)) },
    ]),
  ];
  const hash = createHash('sha256');
  for (const [path, { body }] of named) hash.update(`${path}\n`).update(body);
  const folder = `assets/${hash.digest('hex').slice(0, 16)}/`;
  return { folder, files: new Map(named.map(([path, asset]) => [`/${folder}${path}`, asset])) };
}
