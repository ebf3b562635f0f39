import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './helm.js';

/** Everything that is written for people. */
export const documents = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'deploy/README.md',
  ...readdirSync(join(root, 'deploy/runbooks')).map((name) => `deploy/runbooks/${name}`),
].map((name) => ({ path: join(root, name), text: readFileSync(join(root, name), 'utf8') }));
