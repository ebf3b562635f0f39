import { performance } from 'node:perf_hooks';
import { startDaemon } from '../../dist/exporter/daemon.js';
import type { Daemon, DaemonOptions } from '../../dist/exporter/daemon.js';
import { parseConfig } from '../../dist/config/load.js';
import { createLogger } from '../../dist/log.js';
import type { FakeClock } from '../helpers/fake-clock.js';
import type { Cloud } from './cloud.js';
import { Page } from './page.js';

/** As fine as time passes: an answer that takes several steps to come is only a slow one. */
const STEP_MS = 1_000;
/** Turns of the event loop without any event before the sockets count as at rest. */
const QUIET_TURNS = 3;

/**
 * The whole exporter in this process, its pages served over HTTP, on a clock that moves only when told to. The sockets are
 * real: time stands still while something moves on them, so that hours pass in a moment and only a silent peer is slow.
 */
export class Exporter {
  /** Every line that it logged. */
  readonly log: string[];
  readonly #daemon: Daemon;
  readonly #clock: FakeClock;

  private constructor(daemon: Daemon, clock: FakeClock, log: string[]) {
    this.#daemon = daemon;
    this.#clock = clock;
    this.log = log;
  }

  static async start(cloud: Cloud, clock: FakeClock, more = '', over: Partial<DaemonOptions> = {}): Promise<Exporter> {
    const lines: string[] = [];
    const log = createLogger({
      level: 'info',
      format: 'logfmt',
      wallNow: () => clock.toWall(clock.now()),
      write: (line) => void lines.push(line),
    });
    const daemon = await startDaemon({
      name: 'exporter',
      version: '1.2.3',
      revision: 'test',
      clock,
      random: () => 0.5,
      log,
      lookup: cloud.lookup,
      readConfig: () => parseConfig(cloud.configuration(more), { env: {}, file: 'config.yaml' }),
      listenAddresses: [{ host: '127.0.0.1', port: 0 }],
      telemetryPath: '/metrics',
      enableLifecycle: false,
      webConfigFile: undefined,
      ...over,
    });
    return new Exporter(daemon, clock, lines);
  }

  get port(): number {
    return this.#daemon.addresses[0]!.port;
  }

  async page(): Promise<Page> {
    return new Page(await this.get('/metrics'));
  }

  /** The body of a 200. */
  async get(path: string): Promise<string> {
    const headers = { 'accept-encoding': 'identity' };
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, { headers });
    if (!response.ok) throw new Error(`${path} is answered with ${response.status}`);
    return response.text();
  }

  /** Lets time pass. */
  pass(ms: number): Promise<void> {
    return pass(this.#clock, ms);
  }

  /** Lets time pass, `everyMs` at a time, until a page holds what is wanted. Resolves to it. */
  async passUntil(
    what: string,
    holds: (page: Page) => boolean,
    { withinMs, everyMs = 15_000 }: { readonly withinMs: number; readonly everyMs?: number },
  ): Promise<Page> {
    await rest();
    for (let passed = 0; ; passed += everyMs) {
      const page = await this.page();
      if (holds(page)) return page;
      if (passed >= withinMs) throw new Error(`${what} did not come within ${withinMs / 1_000} s:\n${this.#told()}`);
      await this.pass(everyMs);
    }
  }

  /** The problems, if it refused the configuration. */
  reload(): readonly string[] {
    return this.#daemon.reload();
  }

  stop(): Promise<unknown> {
    return this.#daemon.stop();
  }

  #told(): string {
    return this.log.slice(-10).join('');
  }
}

/** Lets time pass, as fast as the sockets of this process allow. */
export async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= STEP_MS) {
    await clock.advance(Math.min(left, STEP_MS));
    await rest();
  }
}

/** Resolves when nothing moves on any socket of this process. */
async function rest(): Promise<void> {
  for (let quiet = 0, last = events(); quiet < QUIET_TURNS;) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = events();
    quiet = now === last ? quiet + 1 : 0;
    last = now;
  }
}

/** How many events the event loop has seen: https://nodejs.org/api/perf_hooks.html#performancenodetiminguvmetricsinfo */
function events(): number {
  return performance.nodeTiming.uvMetricsInfo.events;
}
