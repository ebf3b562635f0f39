import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RegionStatus } from '../domain/region-status.js';
import type { InstanceState } from '../domain/instance-state.js';
import { ChunkPool, ChunkWriter } from './chunks.js';
import { FLEET_FAMILIES } from './families.js';
import type { Family, Sample, Seconds } from './family.js';
import { labelText } from './labels.js';
import type { Format } from './negotiate.js';
import { REGION_FAMILIES } from './region-families.js';
import type { ScrapedInstance } from './scraped-instance.js';
import { scrapedInstanceOf } from './scraped-instance.js';
import type { PromClientFamily, PromClientSample } from './prom-client-family.js';

/** Everything that a scrape tells of the fleet, as of one moment. Times are on the steady timeline. */
export interface FleetView {
  readonly states: readonly InstanceState[];
  readonly regions: readonly RegionStatus[];
  readonly now: number;
  toWall(steadyMs: number): number;
}

export interface FleetOptions {
  readonly format: Format;
  /** Where chunks come from; one that was yielded is the consumer's, to give back when it has been read. */
  readonly pool: ChunkPool;
}

/**
 * Work between two turns of the event loop, in bytes written: one or two milliseconds. In each turn all polls that were
 * answered meanwhile are served, so many short slices make a scrape several times as long.
 */
const SLICE_BYTES = 512 * 1024;
/** What it costs to make a row, and to look at one for a family, in bytes that could be written in that time. */
const MADE_ROW_BYTES = 256;
const READ_ROW_BYTES = 16;

/** The families of instances, tasks and outcomes, chunk by chunk; other work gets its turn between two slices. */
export async function* renderFleet(view: FleetView, { format, pool }: FleetOptions): AsyncGenerator<Buffer> {
  const rows = await rowsOf(view);
  const seconds = secondsOf(view);
  const writer = new ChunkWriter(pool);
  let sliceEnd = SLICE_BYTES;
  for (const family of FLEET_FAMILIES) {
    const sample = sampler(family, format, writer);
    for (const row of rows) {
      family.samples(row, sample, seconds);
      sliceEnd -= READ_ROW_BYTES;
      if (writer.written < sliceEnd) continue;
      yield* writer.takeFull();
      await nextTurn();
      sliceEnd = writer.written + SLICE_BYTES;
    }
  }
  yield* writer.end();
}

async function rowsOf({ states, regions, now }: FleetView): Promise<readonly ScrapedInstance[]> {
  const limits = new Map<string, Map<string, number>>();
  for (const { account, regionId, staleAfterMs } of regions) {
    const ofAccount = limits.get(account) ?? new Map<string, number>();
    limits.set(account, ofAccount.set(regionId, staleAfterMs));
  }
  const rows: ScrapedInstance[] = [];
  for (const state of states) {
    const { account, regionId } = state.instance;
    rows.push(scrapedInstanceOf(state, now, limits.get(account)?.get(regionId) ?? 0));
    if (rows.length % (SLICE_BYTES / MADE_ROW_BYTES) === 0) await nextTurn();
  }
  return rows;
}

/** The wall clock is read once, so that one scrape has one notion of it; whole milliseconds are all that is known. */
function secondsOf(view: FleetView): Seconds {
  const offsetMs = view.toWall(view.now) - view.now;
  return (steadyMs) => Math.round(steadyMs + offsetMs) / 1000;
}

/** The families of the exporter itself and the end of the exposition. */
export function renderOwn(view: FleetView, self: readonly PromClientFamily[], format: Format): Buffer {
  const seconds = secondsOf(view);
  const writer = new ChunkWriter(new ChunkPool());
  for (const family of REGION_FAMILIES) {
    const sample = sampler(family, format, writer);
    for (const place of view.regions) family.samples(place, sample, seconds);
  }
  for (const family of self) {
    if (family.values.length > 0) writer.text(headText(family, format));
    for (const value of family.values) writer.text(selfLine(family, value));
  }
  if (format === 'openmetrics') writer.text('# EOF\n');
  return Buffer.concat(writer.end());
}

/** Writes the samples of one family, and its head before the first of them: a family without samples is left out. */
function sampler(family: Family<never>, format: Format, writer: ChunkWriter): Sample {
  const name = Buffer.from(`${family.name}{`);
  let begun = false;
  return (labels, more, value) => {
    if (!begun) writer.text(headText(family, format));
    begun = true;
    writer.sample(name, labels, more, value);
  };
}

/** OpenMetrics names a counter without the `_total` of its samples, and escapes quotes in the help too. */
function headText({ name, help, type }: Omit<PromClientFamily, 'values'>, format: Format): string {
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  if (format === 'text') return `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`;
  const family = type === 'counter' ? name.replace(/_total$/, '') : name;
  return `# HELP ${family} ${escaped.replaceAll('"', '\\"')}\n# TYPE ${family} ${type}\n`;
}

function selfLine({ name }: PromClientFamily, { metricName = name, labels, value }: PromClientSample): string {
  const { le, ...others } = labels;
  const text = labelText({ ...others, ...(le === undefined ? {} : { le: boundText(le) }) });
  return text === '' ? `${metricName} ${value}\n` : `${metricName}{${text}} ${value}\n`;
}

/** The canonical form of OpenMetrics, which tells a bound as a float; in both formats, or the series would differ. */
function boundText(bound: string | number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}
