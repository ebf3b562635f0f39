/** Compares one password after another, off the thread that serves. */
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

parentPort?.on('message', ({ password, hash }: { readonly password: string; readonly hash: string }) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window: it has no origin
  parentPort?.postMessage(compareSync(password, hash));
});
