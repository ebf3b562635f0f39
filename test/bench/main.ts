/** Every bench, one after the other: `npm run bench`. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

for (const bench of ['sdk', 'polls', 'render', 'page', 'daemon', 'stored', 'scheduler-cost', 'day', 'soak']) {
  console.log(`\n== ${bench}`);
  execFileSync(process.execPath, [fileURLToPath(new URL(`${bench}.js`, import.meta.url))], { stdio: 'inherit' });
}
