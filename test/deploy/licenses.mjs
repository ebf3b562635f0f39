/** Lists the licence of each production dependency; exits 1 if one is not known to be permissive. */
import { readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const PERMISSIVE = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT']);

const { packages } = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8'));
const production = Object.entries(packages).filter(
  ([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional,
);

let unknown = 0;
for (const [path, { version }] of production) {
  const { name, license } = JSON.parse(readFileSync(new URL(`${path}/package.json`, root), 'utf8'));
  const known = PERMISSIVE.has(license);
  if (!known) unknown += 1;
  process.stdout.write(`${known ? '' : '? '}${license}\t${name}@${version}\n`);
}
process.exitCode = unknown === 0 ? 0 : 1;
