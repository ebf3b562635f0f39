/** Loaded before every test file: what would otherwise pass unseen fails the run. */
import { writeSync } from 'node:fs';

const LEAK_GRACE_MS = 10_000;

process.on('unhandledRejection', (reason) => {
  throw reason;
});

export const mochaHooks = {
  afterAll(): void {
    // In a worker of a parallel run it is called after each file, and the worker lives on.
    if (process.env.MOCHA_WORKER_ID !== undefined) return;
    // Fires only if something keeps the loop alive after the last test.
    setTimeout(() => {
      // Mocha sets the exit code when the process ends; whoever listens later has the last word.
      process.once('exit', () => (process.exitCode = 1));
      writeSync(2, `a test leaked a handle: ${process.getActiveResourcesInfo().join(', ')}\n`);
      process.exit(1);
    }, LEAK_GRACE_MS).unref();
  },
};
