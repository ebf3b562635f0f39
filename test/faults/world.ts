import type { DaemonOptions } from '../../dist/exporter/daemon.js';
import type { Clock } from '../../dist/clock.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { startCloud } from './cloud.js';
import type { Cloud } from './cloud.js';
import { Exporter } from './exporter.js';

/** For a test on a machine that is busy with others. */
export const TIMEOUT_MS = 180_000;

/** A cloud and the exporter that watches it, on one timeline. The wall clock of `clock` is the exporter's alone. */
export interface World {
  readonly clock: FakeClock;
  readonly cloud: Cloud;
  readonly exporter: Exporter;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly regions?: readonly string[];
  /** Done to the cloud before the exporter sees it; what it resolves to is appended to the configuration. */
  readonly prepare?: (cloud: Cloud) => Promise<string | void> | string | void;
  readonly over?: (cloud: Cloud) => Partial<DaemonOptions>;
}

/** The cloud's: the same timeline, with a wall clock that is always right. */
export function cloudClock(clock: FakeClock): Clock {
  return {
    now: () => clock.now(),
    toWall: (steadyMs) => steadyMs,
    after: (delayMs, run) => clock.after(delayMs, run),
  };
}

export async function startWorld({ regions, prepare, over }: WorldOptions = {}): Promise<World> {
  const clock = new FakeClock();
  const cloud = await startCloud(cloudClock(clock), regions);
  const exporter = await Exporter.start(cloud, clock, (await prepare?.(cloud)) ?? '', over?.(cloud));
  return {
    clock,
    cloud,
    exporter,
    async close() {
      await exporter.stop();
      await cloud.close();
    },
  };
}
