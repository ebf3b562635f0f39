/** One life of the exporter, from its start to its end, on a clock of its own that stops with it. */
import { PerformanceObserver } from 'node:perf_hooks';
import { gunzipSync } from 'node:zlib';
import { Exporter } from '../../dist/exporter/exporter.js';
import type { Config } from '../../dist/config/config.js';
import type { Logger } from '../../dist/log.js';
import { Scrapes } from '../../dist/metrics/scrape.js';
import { FakeClock } from '../helpers/fake-clock.js';

export interface LifeOptions {
  readonly config: Config;
  /** What the wall clock shows at the start, in milliseconds since the epoch. */
  readonly wallMs: number;
  readonly random: () => number;
  readonly onError: (what: string) => void;
}

/** Those of the families of the process: they would keep the whole exporter in memory after its end. */
const observers = new Set<PerformanceObserver>();
PerformanceObserver.prototype.observe = new Proxy(Reflect.get(PerformanceObserver.prototype, 'observe'), {
  apply(observe: () => void, observer: PerformanceObserver, options) {
    observers.add(observer);
    Reflect.apply(observe, observer, options);
  },
});

const MAX_STOP_MS = 1_000;
/** The one error that is no bug. */
const NOT_SAVED = 'the state cannot be saved: it is kept in memory and tried again';

export class Life {
  readonly app: Exporter;
  readonly clock: FakeClock;
  readonly #scrapes: Scrapes;
  #renders = 0;

  private constructor(app: Exporter, clock: FakeClock) {
    this.app = app;
    this.clock = clock;
    const { fleet, self } = app;
    const { onBug } = app;
    this.#scrapes = new Scrapes({ states: () => fleet.scrape(), regions: () => app.views(), self, clock, onBug });
  }

  static async begin({ config, wallMs, random, onError }: LifeOptions): Promise<Life> {
    const clock = new FakeClock(wallMs);
    const log: Logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (msg, fields) => {
        if (msg !== NOT_SAVED) onError(`${msg}: ${JSON.stringify(fields)}`);
      },
    };
    const app = await Exporter.open({ config, clock, random, log, version: '1.0.0', revision: 'soak', isOnce: false });
    return new Life(app, clock);
  }

  /** Plain and gzip in turn. */
  async scrape(): Promise<string> {
    const isGzip = this.#renders++ % 2 === 1;
    const { body, release } = await this.#scrapes.answer({
      accept: undefined,
      acceptEncoding: isGzip ? 'gzip' : undefined,
    });
    const bytes = Buffer.concat(body);
    release();
    return (isGzip ? gunzipSync(bytes) : bytes).toString();
  }

  async stop(): Promise<void> {
    const stopped = this.app.stop();
    await this.clock.advance(MAX_STOP_MS);
    await stopped;
    this.kill();
  }

  /** Nothing of it runs any more, and nothing was said to anybody. */
  kill(): void {
    for (const observer of observers) observer.disconnect();
    observers.clear();
  }
}
