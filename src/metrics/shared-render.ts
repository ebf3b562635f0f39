import type { Deflated } from './deflated.js';
import { deflateChunks, inflate } from './deflated.js';
import type { FleetOptions, FleetView } from './exposition.js';
import { renderFleet } from './exposition.js';

/** What is worth keeping for the next render that deflates as it goes: it has two or three chunks in hand. */
const KEPT_CHUNKS = 4;

/**
 * One render of the fleet, made by the first scrape that asks and shared by those that follow. A gzip scrape never has
 * the plain bytes in memory as a whole: they are some 30 times the deflated ones. Whichever form was not rendered is
 * made from the one that was.
 */
export class SharedRender {
  readonly view: FleetView;
  readonly #options: FleetOptions;
  #deflated: Promise<Deflated> | undefined;
  #plain: Promise<readonly Buffer[]> | undefined;
  #rendered: readonly Buffer[] = [];
  #holders = 0;
  #done = false;

  constructor(view: FleetView, options: FleetOptions) {
    this.view = view;
    this.#options = options;
  }

  /** Whether the render has ended, either way. */
  get done(): boolean {
    return this.#done;
  }

  /** Keeps the bytes from being used again until the result is called; that it is called twice does no harm. */
  hold(): () => void {
    let isHeld = true;
    this.#holders++;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.#holders === 0) this.#giveBack();
    };
  }

  deflated(): Promise<Deflated> {
    this.#deflated ??= this.#plain?.then((plain) => deflateChunks(plain, () => undefined)) ?? this.#renderDeflated();
    return this.#deflated;
  }

  plain(): Promise<readonly Buffer[]> {
    this.#plain ??= this.#deflated?.then(inflate) ?? this.#renderPlain();
    return this.#plain;
  }

  async #renderDeflated(): Promise<Deflated> {
    const { pool } = this.#options;
    try {
      return await deflateChunks(renderFleet(this.view, this.#options), (chunk) => pool.give(chunk));
    } finally {
      this.#done = true;
      pool.trim(KEPT_CHUNKS);
    }
  }

  async #renderPlain(): Promise<readonly Buffer[]> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of renderFleet(this.view, this.#options)) chunks.push(chunk);
    } finally {
      this.#done = true;
    }
    this.#rendered = chunks;
    return chunks;
  }

  #giveBack(): void {
    const { pool } = this.#options;
    for (const chunk of this.#rendered) pool.give(chunk);
    // Enough for the next page.
    if (this.#rendered.length > 0) pool.trim(this.#rendered.length);
    this.#rendered = [];
    this.#plain = undefined;
  }
}
