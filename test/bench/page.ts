/**
 * What a look at the status page of 10,000 instances costs the exporter's event loop:
 * `node dist-test/bench/page.js [instances]`. The exporter's side runs in a process of its own.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median } from './measure.js';

/** A tab looks 12 times in a minute. */
const ROUNDS = 100;
const WARM_UP = 100;
const instances = Number(process.argv[2] ?? 10_000);

interface Look {
  readonly status: number;
  readonly tag: string;
  readonly bytes: number;
  /** CPU time of the event loop, and the most of it at a stretch. */
  readonly busyMs: number;
  readonly blockMs: number;
  readonly wallMs: number;
}

/** The exporter's side; what it is told moves its fleet on by as much as polls do in 5 s, or its clock alone. */
class Exporter {
  readonly #child = fork(fileURLToPath(new URL('page-child.js', import.meta.url)), [String(instances)]);
  #origin = '';

  async start(): Promise<void> {
    this.#origin = await this.#answer<string>();
  }

  async look(path: string, { moves = 'fleet', tag = '' } = {}): Promise<Look> {
    this.#child.send(moves);
    await this.#answer();
    const begun = performance.now();
    const response = await fetch(`${this.#origin}${path}`, { headers: tag === '' ? {} : { 'if-none-match': tag } });
    const bytes = (await response.arrayBuffer()).byteLength;
    const wallMs = performance.now() - begun;
    this.#child.send('tell');
    const { busyMs, blockMs } = await this.#answer<{ busyMs: number; blockMs: number }>();
    return { status: response.status, tag: response.headers.get('etag') ?? '', bytes, busyMs, blockMs, wallMs };
  }

  stop(): void {
    this.#child.disconnect();
  }

  async #answer<T>(): Promise<T> {
    const [message] = (await once(this.#child, 'message')) as [T];
    return message;
  }
}

async function repeated(exporter: Exporter, path: string, { moves = 'fleet', isTagged = false } = {}): Promise<string> {
  const looks: Look[] = [];
  let tag = '';
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const look = await exporter.look(path, { moves, tag });
    if (isTagged) tag = look.tag;
    if (round >= 0) looks.push(look);
  }
  const busy = looks.map(({ busyMs }) => busyMs);
  const statuses = [...new Set(looks.map(({ status }) => status))].join(' and ');
  return `busy ${median(busy).toFixed(2)} ms (worst ${Math.max(...busy).toFixed(1)}), ${statuses}, ${looks.at(-1)?.bytes} bytes`;
}

for (let process = 0; process < 3; process++) {
  const exporter = new Exporter();
  await exporter.start();
  const { wallMs, busyMs, blockMs } = await exporter.look('/');
  console.log(
    `first look in a process: ${wallMs.toFixed(0)} ms, busy ${busyMs.toFixed(0)} ms, longest block ${blockMs.toFixed(0)} ms`,
  );
  exporter.stop();
}
const exporter = new Exporter();
await exporter.start();
const refresh = { isTagged: true };
console.log(`any request (/-/healthy)        ${await repeated(exporter, '/-/healthy', { moves: 'nothing' })}`);
console.log(`refresh, fleet moved            ${await repeated(exporter, '/', refresh)}`);
console.log(`refresh, 165 instances polled   ${await repeated(exporter, '/', { ...refresh, moves: 'idle' })}`);
console.log(`refresh, nothing moved          ${await repeated(exporter, '/', { ...refresh, moves: 'clock' })}`);
console.log(`another tab within the second   ${await repeated(exporter, '/', { ...refresh, moves: 'nothing' })}`);
for (const sort of ['name', 'last_good_poll', 'next_poll', 'instance_id']) {
  console.log(`sorted by ${sort.padEnd(15)}       ${await repeated(exporter, `/?sort=${sort}`, refresh)}`);
}
console.log(`filtered by words               ${await repeated(exporter, '/?q=ledger+mysql', refresh)}`);
console.log(`1,000 rows as JSON              ${await repeated(exporter, '/api/v1/status?limit=1000', refresh)}`);
exporter.stop();
