/**
 * What "stored before shown" costs: 1,000 instances with a running task, polled every 15 s for half a minute, the state on a
 * real disk: `node dist-test/bench/stored.js`. Fleet, keeper and store alone: everything else costs the same without it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../dist/clock.js';
import { Fleet } from '../../dist/state/fleet.js';
import { StateWriter } from '../../dist/state/writer.js';
import { StateStore } from '../../dist/state/store.js';
import { instanceKey } from '../../dist/domain/model.js';
import { instanceOf, taskOf } from '../helpers/build.js';
import { median } from './measure.js';

const INSTANCES = 1_000;
const INTERVAL_MS = 15_000;
const SWEEPS = 2;

/** Of a sweep, from 0: nothing changes, the task progresses, or another one is listed as well. */
const LISTINGS = {
  same: (job: number) => [taskOf(`${job}`)],
  progress: (job: number, sweep: number) => [taskOf(`${job}`, { processPercent: sweep })],
  'new task': (job: number, sweep: number) => Array.from({ length: sweep + 1 }, (_, n) => taskOf(`${job + n}`)),
};

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function run(what: keyof typeof LISTINGS, isStored = true): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), 'bench-'));
  const clock = systemClock();
  const log = { debug() {}, info() {}, warn: console.error, error: console.error };
  const store = await StateStore.open({ path, clock, log });
  let writes = 0;
  const counted: Pick<StateStore, 'readAll' | 'write' | 'close'> = {
    readAll: () => store.readAll(),
    close: () => store.close(),
    write(changes) {
      writes++;
      return store.write(changes);
    },
  };
  const keeper = isStored ? new StateWriter({ store: counted, clock, log }) : undefined;
  const fleet = new Fleet({ clock, activeIntervalMs: () => INTERVAL_MS, onEvent: () => undefined, keeper });
  const instances = Array.from({ length: INSTANCES }, (_, n) => instanceOf(`rm-${n}`));
  for (const instance of instances) fleet.watch(instance);
  const delays: number[] = [];
  const poll = async (n: number, sweep: number): Promise<void> => {
    const before = performance.now();
    await fleet.apply(instanceKey(instances[n]!), { ok: true, tasks: LISTINGS[what](n * 100, sweep) });
    delays.push(performance.now() - before);
  };
  await Promise.all(instances.map((_, n) => poll(n, 0)));
  await pause(2_000);
  [writes, delays.length] = [0, 0];
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  for (let made = 0; made < SWEEPS * INSTANCES;) {
    const due = Math.floor(((performance.now() - startedAt) / INTERVAL_MS) * INSTANCES);
    for (; made < Math.min(due, SWEEPS * INSTANCES); made++) {
      void poll(made % INSTANCES, 1 + Math.floor(made / INSTANCES));
    }
    await pause(INTERVAL_MS / INSTANCES);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const polls = SWEEPS * INSTANCES;
  console.log(
    `${isStored ? 'state' : 'no state'}, each poll brings: ${what.padEnd(8)} ${((user + system) / polls).toFixed(0).padStart(4)} us CPU and ${(writes / polls).toFixed(3)} writes a poll; shown after ${median(delays).toFixed(1)} ms, at most ${Math.max(...delays).toFixed(0)} ms`,
  );
  if (keeper === undefined) await store.close();
  else await keeper.close();
  rmSync(path, { recursive: true });
}

await run('progress', false);
for (const what of ['same', 'progress', 'new task'] as const) await run(what);
