/**
 * What a scrape of 10,000 instances costs: `node dist-test/bench/render.js [instances]`.
 * Each figure comes from a process of its own; those that are compared take turns.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Figures } from './render-cases.js';

const ROUNDS = 5;
const instances = Number(process.argv[2] ?? 10_000);
const child = fileURLToPath(new URL('render-child.js', import.meta.url));

function measure(bench: string): Figures {
  const output = execFileSync(process.execPath, [child, bench, String(instances)], {
    encoding: 'utf8',
    maxBuffer: 1 << 20,
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by our own child
  return JSON.parse(output) as Figures;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}

const rounds = Array.from({ length: ROUNDS }, () => ({ ours: measure('render'), theirs: measure('promClient') }));
const of = (side: 'ours' | 'theirs', figure: string): number => median(rounds.map((round) => round[side][figure]!));
const ratio = (figure: string): string =>
  `${of('ours', figure).toFixed(0)} ms against ${of('theirs', figure).toFixed(0)} ms of prom-client: ${(of('ours', figure) / of('theirs', figure)).toFixed(3)} x`;

const scrape = measure('scrape');
console.log(
  `render of ${instances} instances, ${of('ours', 'series')} series, ${(of('ours', 'bytes') / 1e6).toFixed(1)} MB, medians of ${ROUNDS}`,
);
console.log(`  wall clock  ${ratio('wallMs')}`);
console.log(`  CPU         ${ratio('cpuMs')}`);
console.log(
  `gzip scrape   first ${scrape.firstMs!.toFixed(1)} ms, second within the second ${scrape.secondMs!.toFixed(1)} ms (medians of 20)`,
);
console.log(`plain scrape  first ${scrape.plainMs!.toFixed(1)} ms`);
console.log(
  `longest block of the event loop in a scrape: median of 20 ${scrape.blockMs!.toFixed(1)} ms, worst ${scrape.worstBlockMs!.toFixed(1)} ms`,
);
console.log(`50 at once    ${scrape.renders} render, ${scrape.errors} errors`);
