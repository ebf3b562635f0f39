/** Loaded into the daemon before its main module (`--import`), to measure from within what cannot be seen from outside. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { watchTurns } from './longest-turn.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let longestMs = (): number => 0;

const QUESTIONS: Readonly<Record<string, () => number>> = {
  heapMb() {
    collect();
    return process.memoryUsage().heapUsed / 2 ** 20;
  },
  watch() {
    longestMs = watchTurns();
    return 0;
  },
  longestMs: () => longestMs(),
};

process.on('message', (question: string) => process.send?.(QUESTIONS[question]!()));
