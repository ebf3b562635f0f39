import type { Clock } from '../clock.js';
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
  /** Told of what cannot be rendered, once for all scrapes that share it. */
  readonly onBug: (thrown: unknown) => void;
}

/** A request: the headers that decide on its answer, and how to get rid of it. */
export interface ScrapeRequest {
  readonly accept: string | undefined;
  readonly acceptEncoding: string | undefined;
  /** Cuts off whoever asked; called when it has held the memory of a plain page for too long. */
  readonly cutOff?: (() => void) | undefined;
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
/** Plain pages that may be on their way at once, each some 30 MB for 10,000 instances: who reads slowest gives way. */
const MAX_PLAIN = 4;

/**
 * Answers scrapes. What is told of the fleet is rendered at most once a second and format, and shared; what the
 * exporter tells of itself is fresh in every answer.
 */
export class Scrapes {
  readonly #options: ScrapesOptions;
  readonly #shared = new Map<Format, SharedRender>();
  readonly #pool = new ChunkPool();
  /** Renders that were asked for in plain, the oldest first. */
  #plain: readonly SharedRender[] = [];
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
  async answer({ accept, acceptEncoding, cutOff }: ScrapeRequest): Promise<ScrapeAnswer> {
    const format = formatFor(accept);
    const gzip = gzipAllowed(acceptEncoding);
    const headers = { 'Content-Type': CONTENT_TYPES[format], Vary: 'Accept, Accept-Encoding' };
    let release = (): void => undefined;
    let render: SharedRender | undefined;
    try {
      render = this.#renderOf(format);
      release = render.hold(cutOff);
      if (!gzip) this.#makeRoomFor(render);
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
    const tail = renderOwn(this.#view([]), await this.#options.self.families(), format);
    return gzip ? gzipWithTail(await render.deflated(), tail) : [...(await render.plain()), tail];
  }

  #makeRoomFor(render: SharedRender): void {
    const others = this.#plain.filter((other) => other !== render && other.holdsPlain);
    this.#plain = [...others, render];
    const [oldest] = others;
    if (oldest === undefined || others.length < MAX_PLAIN) return;
    this.#options.log.warn('a scrape is cut off: it takes in its page too slowly');
    oldest.revoke();
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
