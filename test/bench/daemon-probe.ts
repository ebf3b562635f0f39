/** Loaded into the daemon before its main module (`--import`), to measure from within what cannot be seen from outside. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let longestMs = 0;
let isWatching = false;

/** The longest turn of the event loop while it is watched. */
function watch(): void {
  let last = performance.now();
  longestMs = 0;
  isWatching = true;
  const turn = (): void => {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - last);
    last = now;
    if (isWatching) setImmediate(turn);
  };
  setImmediate(turn);
}

const QUESTIONS: Readonly<Record<string, () => number>> = {
  heapMb() {
    collect();
    return process.memoryUsage().heapUsed / 2 ** 20;
  },
  watch() {
    watch();
    return 0;
  },
  longestMs() {
    isWatching = false;
    return longestMs;
  },
};

process.on('message', (question: string) => process.send?.(QUESTIONS[question]!()));
