import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { PlaceView } from '../fleet/place-view.js';
import type { InstanceState } from '../fleet/state.js';
import type { Logger } from '../log.js';
import { ChunkPool } from './chunks.js';
import { gzipWithTail } from './deflated.js';
import type { FleetView } from './exposition.js';
import { renderOwn } from './exposition.js';
import type { Format } from './negotiate.js';
import { CONTENT_TYPES, formatFor, gzipAllowed } from './negotiate.js';
import type { SelfMetrics } from './self.js';
import { SharedRender } from './shared-render.js';

export interface ScrapesOptions {
  readonly states: () => readonly InstanceState[];
  readonly places: () => readonly PlaceView[];
  readonly self: SelfMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The headers of a request that decide on its answer. */
export interface ScrapeRequest {
  readonly accept: string | undefined;
  readonly acceptEncoding: string | undefined;
}

/** A whole answer: nothing is sent before all of it is there. */
export interface ScrapeAnswer {
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
 * exporter tells of itself is fresh in every answer.
 */
export class Scrapes {
  readonly #options: ScrapesOptions;
  readonly #shared = new Map<Format, SharedRender>();
  readonly #pool = new ChunkPool();
  #renders = 0;

  constructor(options: ScrapesOptions) {
    this.#options = options;
  }

  /** Renders of the fleet begun so far. */
  get renders(): number {
    return this.#renders;
  }

  /** Never rejects: what goes wrong is logged and answered with 500. */
  async answer({ accept, acceptEncoding }: ScrapeRequest): Promise<ScrapeAnswer> {
    const format = formatFor(accept);
    const gzip = gzipAllowed(acceptEncoding);
    const headers = { 'Content-Type': CONTENT_TYPES[format], Vary: 'Accept, Accept-Encoding' };
    let release = (): void => undefined;
    try {
      const render = this.#renderOf(format);
      release = render.hold();
      const body = await this.#body(render, format, gzip);
      const length = { 'Content-Length': body.reduce((sum, part) => sum + part.length, 0) };
      return {
        status: 200,
        headers: { ...headers, ...(gzip ? { 'Content-Encoding': 'gzip' } : {}), ...length },
        body,
        release,
      };
    } catch (error) {
      release();
      this.#shared.delete(format);
      this.#options.log.error('rendering the metrics failed', { error: messageOf(error) });
      return failure();
    }
  }

  async #body(render: SharedRender, format: Format, gzip: boolean): Promise<readonly Buffer[]> {
    // Awaited first: a scrape that had to wait still tells the latest of the exporter itself.
    await (gzip ? render.deflated() : render.plain());
    const tail = renderOwn(this.#view([]), await this.#options.self.families(), format);
    return gzip ? gzipWithTail(await render.deflated(), tail) : [...(await render.plain()), tail];
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
    const { clock, places } = this.#options;
    return { states, places: places(), now: clock.now(), toWall: (steadyMs) => clock.toWall(steadyMs) };
  }
}

function failure(): ScrapeAnswer {
  const body = Buffer.from('The metrics could not be rendered; the log has the reason.\n');
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length };
  return { status: 500, headers, body: [body], release: () => undefined };
}
