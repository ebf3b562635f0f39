import { CHUNK_BYTES } from './chunks.js';
import type { Deflated } from './deflated.js';
import { deflateChunks, inflate } from './deflated.js';
import type { FleetView } from './exposition.js';
import { renderFleet } from './exposition.js';
import type { Format } from './negotiate.js';

/**
 * One render of the fleet, made by the first scrape that asks and shared by those that follow. A gzip scrape never has
 * the plain bytes in memory as a whole: they are some 20 times the deflated ones. Whichever form was not rendered is
 * made from the one that was.
 */
export class SharedRender {
  readonly view: FleetView;
  readonly #format: Format;
  #deflated: Promise<Deflated> | undefined;
  #plain: Promise<readonly Buffer[]> | undefined;
  #done = false;

  constructor(view: FleetView, format: Format) {
    this.view = view;
    this.#format = format;
  }

  /** Whether the render has ended, either way. */
  get done(): boolean {
    return this.#done;
  }

  deflated(): Promise<Deflated> {
    this.#deflated ??= this.#plain?.then((plain) => deflateChunks(plain, () => undefined)) ?? this.#renderDeflated();
    return this.#deflated;
  }

  plain(): Promise<readonly Buffer[]> {
    this.#plain ??= this.#deflated?.then(inflate) ?? this.#renderPlain();
    return this.#plain;
  }

  #renderDeflated(): Promise<Deflated> {
    const free: Buffer[] = [];
    return deflateChunks(
      this.#chunks(() => free.pop() ?? newChunk()),
      (chunk) => {
        if (chunk.buffer.byteLength === CHUNK_BYTES) free.push(Buffer.from(chunk.buffer));
      },
    );
  }

  async #renderPlain(): Promise<readonly Buffer[]> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.#chunks(newChunk)) chunks.push(chunk);
    return chunks;
  }

  async *#chunks(take: () => Buffer): AsyncGenerator<Buffer> {
    try {
      yield* renderFleet(this.view, { format: this.#format, take });
    } finally {
      this.#done = true;
    }
  }
}

/** Its own memory, not a slice of Node's pool. */
function newChunk(): Buffer {
  return Buffer.allocUnsafeSlow(CHUNK_BYTES);
}
