import { readFileSync } from 'node:fs';
import type { InstanceState } from '../../dist/domain/instance-state.js';
import { instanceKey } from '../../dist/domain/model.js';
import type { Instance } from '../../dist/domain/model.js';
import { createApp } from '../../dist/http/app.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { parts, serve } from '../unit/http/helpers.js';
import { sampleSnapshot } from '../unit/status/sample-fleet.js';

/** As many as are polled in 5 s when 10,000 are polled every 5 min. */
const POLLED = 165;
const STEP_MS = 5_000;

let now = Date.now();
const clock = new FakeClock();
const sample = sampleSnapshot(Number(process.argv[2]), now);
/** Nothing goes stale of which the bench does not say so. */
const places = sample.regions.map((place) => Object.assign({}, place, { staleAfterMs: Infinity }));
const states = new Map(sample.states.map((state) => [instanceKey(state.instance), state]));
const dueAt = new Map([...states.keys()].map((key, index) => [key, now + index * 30]));
const nextPollAt = (instance: Instance): number | undefined => dueAt.get(instanceKey(instance));
let version = 1;
let turn = 0;

function poll(key: string, state: InstanceState, moves: string): void {
  const [first, ...others] = state.tasks;
  const percent = ((first?.task.processPercent ?? 0) + 1) % 100;
  const tasks =
    first && moves === 'fleet'
      ? [{ ...first, lastProgressAt: now, task: { ...first.task, processPercent: percent } }, ...others]
      : state.tasks;
  states.set(key, { ...state, tasks, lastPoll: { at: now, error: undefined }, lastGoodPollAt: now });
  dueAt.set(key, now + 300_000);
}

function move(moves: string): void {
  if (moves === 'nothing') return;
  now += STEP_MS;
  void clock.advance(STEP_MS);
  if (moves === 'clock') return;
  version++;
  const keys = [...states.keys()];
  for (let count = 0; count < POLLED; count++) {
    const key = keys[turn++ % keys.length]!;
    const state = states.get(key)!;
    // What is shown first, and would make every refresh a new page, is polled in a fleet that moves alone.
    if (moves === 'fleet' || state.tasks.length + (state.outcomes.Manual ? 1 : 0) === 0) poll(key, state, moves);
  }
}

const app = createApp(
  parts({
    clock,
    snapshot: () => ({ ...sample, regions: places, version, now, states: [...states.values()], nextPollAt }),
  }),
);
const server = await serve(app);
/** CPU time of the event loop's own thread, in milliseconds: other load of the machine does not show in it. */
const loopMs = (): number => Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1e6;

let begunMs = loopMs();
let beatMs = begunMs;
let blockMs = 0;
const noteBlock = (): void => {
  const at = loopMs();
  blockMs = Math.max(blockMs, at - beatMs);
  beatMs = at;
};
/** Looks for the longest block cost something themselves: the first look alone is watched. */
const beat = setInterval(noteBlock, 1);

process.on('message', (message: string) => {
  if (message === 'tell') {
    const busyMs = loopMs() - begunMs;
    noteBlock();
    clearInterval(beat);
    process.send?.({ busyMs, blockMs });
    return;
  }
  move(message);
  begunMs = beatMs = loopMs();
  blockMs = 0;
  process.send?.('moved');
});
process.once('disconnect', () => {
  clearInterval(beat);
  void server.close();
});
process.send?.(server.origin);
