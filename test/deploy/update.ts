/** Writes the files of copies.ts anew. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { chartFiles, OWNED, plainManifests } from './copies.js';
import { ensureHelm } from './helm.js';

function write(files: Map<string, string>): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

ensureHelm();
for (const folder of OWNED) {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
}
write(chartFiles());
write(plainManifests());
