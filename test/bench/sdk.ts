/** The official SDK's opinion of the simulator: `node dist-test/bench/sdk.js`. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startCloud } from './measure.js';

const cloud = await startCloud(0, 4);
try {
  execFileSync(
    process.execPath,
    [fileURLToPath(new URL('../../test/bench/peers/sdk-reads.mjs', import.meta.url)), cloud.url],
    {
      stdio: 'inherit',
    },
  );
} finally {
  cloud.stop();
}
