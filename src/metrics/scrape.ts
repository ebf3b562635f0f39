import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../clock.js';
import type { RegionStatus } from '../domain/region-status.js';
import type { InstanceState } from '../domain/instance-state.js';
import { ChunkPool } from './chunks.js';
import { gzipWithTail } from './deflated.js';
import type { FleetView } from './exposition.js';
import { renderOwn } from './exposition.js';
import type { Format } from './negotiate.js';
import { CONTENT_TYPES, formatFor, gzipAllowed } from './negotiate.js';
import type { ExporterMetrics } from './exporter-metrics.js';
import { SharedRender } from './shared-render.js';

export interface ScrapesOptions {
  readonly states: () => readonly InstanceState[];
  readonly regions: () => readonly RegionStatus[];
  readonly self: ExporterMetrics;
  readonly clock: Clock;
  /** Told of what cannot be rendered, once for all scrapes that share it. */
  readonly onBug: (thrown: unknown) => void;
}

/** The headers that decide on the answer. */
export interface ScrapeRequest {
  readonly accept: string | undefined;
  readonly acceptEncoding: string | undefined;
}

/** A whole answer: nothing is sent before all of it is there. */
export interface ScrapeResponse {
  readonly status: 200 | 500;
  readonly headers: Readonly<Record<string, string | number>>;
  /** To be written one after the other. */
  readonly body: readonly Buffer[];
  /** To be called when the body has been sent or never will be: its memory is then used again. */
  readonly release: () => void;
}

const SHARED_MS = 1_000;

/**
 * Answers scrapes. What is told of the fleet is rendered at most once a second and format, and shared; what the
 * exporter counts of itself is fresh in every answer.
 */
export class Scrapes {
  readonly #options: ScrapesOptions;
  readonly #shared = new Map<Format, SharedRender>();
  readonly #pool = new ChunkPool();
  readonly #tails = new Map<Format, Promise<Buffer>>();
  readonly #failed = new WeakSet<SharedRender>();
  #renders = 0;

  constructor(options: ScrapesOptions) {
    this.#options = options;
  }

  /** Renders of the fleet begun so far. */
  get renders(): number {
    return this.#renders;
  }

  /** The next scrape starts a new render: after a reload none shows the fleet of before. */
  renew(): void {
    this.#shared.clear();
  }

  /** Never rejects: what goes wrong is told to `onBug` and answered with 500. */
  async answer({ accept, acceptEncoding }: ScrapeRequest): Promise<ScrapeResponse> {
    const format = formatFor(accept);
    const gzip = gzipAllowed(acceptEncoding);
    const headers = { 'Content-Type': CONTENT_TYPES[format], Vary: 'Accept, Accept-Encoding' };
    let release = (): void => undefined;
    let render: SharedRender | undefined;
    try {
      render = this.#renderOf(format);
      release = render.hold();
      const body = await this.#body(render, format, gzip);
      return { status: 200, headers: { ...headers, ...(gzip && { 'Content-Encoding': 'gzip' }) }, body, release };
    } catch (error) {
      release();
      if (this.#shared.get(format) === render) this.#shared.delete(format);
      // Once for all that share it.
      if (render === undefined || !this.#failed.has(render)) this.#options.onBug(error);
      if (render !== undefined) this.#failed.add(render);
      return failure();
    }
  }

  async #body(render: SharedRender, format: Format, gzip: boolean): Promise<readonly Buffer[]> {
    // Awaited first: a scrape that had to wait still tells the latest of the exporter itself.
    await (gzip ? render.deflated() : render.plain());
    const tail = await this.#tail(format);
    return gzip ? gzipWithTail(await render.deflated(), tail) : [...(await render.plain()), tail];
  }

  /** Of those that wait for one at the same moment, each gets the same: it is rendered after all of them have asked. */
  #tail(format: Format): Promise<Buffer> {
    const known = this.#tails.get(format);
    if (known !== undefined) return known;
    const tail = nextTurn().then(async () => {
      this.#tails.delete(format);
      return renderOwn(this.#view([]), await this.#options.self.families(), format);
    });
    this.#tails.set(format, tail);
    return tail;
  }

  #renderOf(format: Format): SharedRender {
    const known = this.#shared.get(format);
    // One that still runs is joined however old it is: a second one would only make both slower.
    if (known !== undefined && (!known.done || this.#options.clock.now() - known.view.now < SHARED_MS)) return known;
    const made = new SharedRender(this.#view(this.#options.states()), { format, pool: this.#pool });
    this.#renders++;
    this.#shared.set(format, made);
    const release = made.hold();
    this.#options.clock.after(SHARED_MS, () => {
      release();
      if (made.done && this.#shared.get(format) === made) this.#shared.delete(format);
    });
    return made;
  }

  #view(states: readonly InstanceState[]): FleetView {
    const { clock, regions } = this.#options;
    return { states, regions: regions(), now: clock.now(), toWall: (steadyMs) => clock.toWall(steadyMs) };
  }
}

function failure(): ScrapeResponse {
  const body = Buffer.from('The metrics could not be rendered; the log has the reason.\n');
  return {
    status: 500,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    body: [body],
    release: () => undefined,
  };
}
