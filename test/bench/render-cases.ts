import { Counter, Gauge, Registry } from 'prom-client';
import { ChunkPool } from '../../dist/metrics/chunks.js';
import { FLEET_FAMILIES } from '../../dist/metrics/families.js';
import { renderFleet } from '../../dist/metrics/exposition.js';
import type { ScrapeRequest } from '../../dist/metrics/scrape.js';
import { Scrapes } from '../../dist/metrics/scrape.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { aFleet, aPlace, expose, NOW, selfMetrics } from '../unit/metrics/fleet.js';
import { parseText } from '../unit/metrics/parse.js';
import { watchTurns } from './longest-turn.js';

const WARM_UP = 3;
const RUNS = 7;
const SCRAPES = 20;
const GZIP = { accept: undefined, acceptEncoding: 'gzip' };
const PLAIN = { accept: undefined, acceptEncoding: undefined };

export type Figures = Readonly<Record<string, number>>;

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}

/** Wall clock and CPU of one call, in milliseconds: the medians of `RUNS` after a warm-up. */
async function timed(run: () => Promise<unknown>): Promise<{ wallMs: number; cpuMs: number }> {
  const walls: number[] = [];
  const cpus: number[] = [];
  for (let round = -WARM_UP; round < RUNS; round++) {
    const cpu = process.cpuUsage();
    const wall = performance.now();
    await run();
    const { user, system } = process.cpuUsage(cpu);
    if (round >= 0) walls.push(performance.now() - wall);
    if (round >= 0) cpus.push((user + system) / 1e3);
  }
  return { wallMs: median(walls), cpuMs: median(cpus) };
}

async function render(instances: number): Promise<Figures> {
  const view = { states: aFleet(instances), regions: [aPlace()], now: NOW, toWall: (steadyMs: number) => steadyMs };
  const pool = new ChunkPool();
  const one = async (): Promise<number> => {
    let bytes = 0;
    for await (const chunk of renderFleet(view, { format: 'text', pool })) {
      bytes += chunk.length;
      pool.give(chunk);
    }
    return bytes;
  };
  const text = await expose({ states: view.states });
  return { ...(await timed(one)), bytes: await one(), series: text.match(/^[^#]/gm)!.length };
}

/** The same series in prom-client's own gauges and counters. */
async function promClient(instances: number): Promise<Figures> {
  const registry = new Registry();
  const families = new Map<string, Counter | Gauge>();
  for (const { name, labels, value } of parseText(await expose({ states: aFleet(instances) }))) {
    let family = families.get(name);
    if (family === undefined) {
      const head = FLEET_FAMILIES.find((known) => known.name === name)!;
      const options = { name, help: head.help, labelNames: Object.keys(labels), registers: [registry] };
      families.set(name, (family = head.type === 'counter' ? new Counter(options) : new Gauge(options)));
    }
    if (family instanceof Counter) family.inc(labels, value);
    else family.set(labels, value);
  }
  return timed(() => registry.metrics());
}

function scraping(instances: number): { scrapes: Scrapes; clock: FakeClock } {
  const states = aFleet(instances);
  const clock = new FakeClock(NOW);
  const self = selfMetrics({ processFamilies: true });
  const onBug = (thrown: unknown): never => {
    throw thrown;
  };
  return { scrapes: new Scrapes({ states: () => states, regions: () => [aPlace()], self, clock, onBug }), clock };
}

/** A scrape whose answer was sent at once. */
async function answered(scrapes: Scrapes, request: ScrapeRequest): Promise<void> {
  (await scrapes.answer(request)).release();
}

async function scrape(instances: number): Promise<Figures> {
  const { scrapes, clock } = scraping(instances);
  const figures = { first: [] as number[], second: [] as number[], plain: [] as number[], block: [] as number[] };
  for (let round = -WARM_UP; round < SCRAPES; round++) {
    await clock.advance(2_000);
    const first = await blocking(() => answered(scrapes, GZIP));
    const second = await blocking(() => answered(scrapes, GZIP));
    await clock.advance(2_000);
    const plain = await blocking(() => answered(scrapes, PLAIN));
    if (round < 0) continue;
    figures.first.push(first.ms);
    figures.second.push(second.ms);
    figures.plain.push(plain.ms);
    figures.block.push(first.longestMs);
  }
  await clock.advance(2_000);
  const before = scrapes.renders;
  const answers = await Promise.all(Array.from({ length: 50 }, () => scrapes.answer(GZIP)));
  return {
    firstMs: median(figures.first),
    secondMs: median(figures.second),
    plainMs: median(figures.plain),
    blockMs: median(figures.block),
    worstBlockMs: Math.max(...figures.block),
    renders: scrapes.renders - before,
    errors: answers.filter(({ status }) => status !== 200).length,
  };
}

/** How long it took, and the longest time in which nothing else had its turn. */
async function blocking(run: () => Promise<unknown>): Promise<{ ms: number; longestMs: number }> {
  const longestMs = watchTurns();
  const begun = performance.now();
  await run();
  const ms = performance.now() - begun;
  return { ms, longestMs: longestMs() };
}

export const RENDER_BENCHES: Readonly<Record<string, (instances: number) => Promise<Figures>>> = {
  render,
  promClient,
  scrape,
};
