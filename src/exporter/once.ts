import { sleep } from '../clock.js';
import { Scrapes } from '../metrics/scrape.js';
import { Exporter } from './exporter.js';
import type { ExporterOptions } from './exporter.js';

export interface OnceOptions extends Omit<ExporterOptions, 'isOnce'> {
  /** Told now and then how far the sweep is. */
  readonly onProgress: (done: number, total: number) => void;
}

const CHECK_INTERVAL_MS = 100;

/** Discovers and polls everything once. The whole exposition, and whether every target and discovery worked. */
export async function runOnce(options: OnceOptions): Promise<{ readonly text: string; readonly isGood: boolean }> {
  const { clock, onProgress } = options;
  const app = await Exporter.open({ ...options, isOnce: true });
  const { signal } = new AbortController();
  const discoveries = await Promise.all(app.regions.map((place) => place.startOnce()));
  for (;;) {
    const untried = app.regions.reduce((sum, { pollLoop }) => sum + pollLoop.untried, 0);
    onProgress(app.fleet.size - untried, app.fleet.size);
    if (untried === 0) break;
    await sleep(clock, CHECK_INTERVAL_MS, signal);
  }
  const scrapes = new Scrapes({
    states: () => app.fleet.scrape(),
    regions: () => app.views(),
    self: app.self,
    clock,
    onBug: app.onBug,
  });
  const { status, body } = await scrapes.answer({ accept: undefined, acceptEncoding: undefined });
  const failed = app.fleet.states().filter(({ lastPoll, unsupported }) => {
    return unsupported === undefined && (lastPoll === undefined || lastPoll.error !== undefined);
  });
  await app.stop();
  const isGood = status === 200 && failed.length === 0 && discoveries.every(Boolean);
  return { text: Buffer.concat(body).toString(), isGood };
}
