/** Large enough that a chunk's overhead vanishes, small enough that writing one is a fraction of a millisecond. */
export const CHUNK_BYTES = 128 * 1024;

/** The longest text of a number is 24 characters; with it stand a brace, a space and the end of the line. */
const VALUE_BYTES = 32;
const ZERO = 0x30;
const SPACE = 0x20;
const BRACE = 0x7d;
const NEWLINE = 0x0a;

/** Chunks to be used again: a plain page of 10,000 instances is some 30 MB, which would otherwise wait to be collected. */
export class ChunkPool {
  #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  /** Takes back a chunk, or the part of it that was filled; nobody may read it any more. */
  give(chunk: Buffer): void {
    if (chunk.buffer.byteLength === CHUNK_BYTES) this.#free.push(Buffer.from(chunk.buffer));
  }

  /** Keeps no more than `count` in store. */
  trim(count: number): void {
    this.#free = this.#free.slice(0, count);
  }
}

/**
 * Writes lines into chunks of a fixed size; a line is never split. Samples are copied together from bytes that exist
 * already: making a string of each line would cost three times as much, and leave the strings to be collected.
 */
export class ChunkWriter {
  readonly #pool: ChunkPool;
  #chunk: Buffer;
  #length = 0;
  /** In the chunks before this one. */
  #writtenBefore = 0;
  #full: Buffer[] = [];

  constructor(pool: ChunkPool) {
    this.#pool = pool;
    this.#chunk = pool.take();
  }

  /** `name{`, what stands between the braces in two parts, and the value. */
  sample(name: Uint8Array, first: Uint8Array, second: Uint8Array, value: number): void {
    this.#reserve(name.length + first.length + second.length + VALUE_BYTES);
    const chunk = this.#chunk;
    let at = this.#length;
    chunk.set(name, at);
    at += name.length;
    chunk.set(first, at);
    at += first.length;
    chunk.set(second, at);
    at += second.length;
    chunk[at++] = BRACE;
    chunk[at++] = SPACE;
    if (value >= 0 && value < 10 && Number.isInteger(value)) chunk[at++] = ZERO + value;
    else at += chunk.write(String(value), at, 'latin1');
    chunk[at++] = NEWLINE;
    this.#length = at;
  }

  text(lines: string): void {
    this.#reserve(Buffer.byteLength(lines));
    this.#length += this.#chunk.write(lines, this.#length);
  }

  /** Bytes so far. */
  get written(): number {
    return this.#writtenBefore + this.#length;
  }

  /** The chunks that are full; they are the caller's from now on. */
  takeFull(): readonly Buffer[] {
    const full = this.#full;
    this.#full = [];
    return full;
  }

  /** Everything that is left. Nothing may be written afterwards. */
  end(): readonly Buffer[] {
    this.#full.push(this.#chunk.subarray(0, this.#length));
    return this.takeFull();
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#chunk.length) return;
    if (this.#length > 0) this.#full.push(this.#chunk.subarray(0, this.#length));
    this.#writtenBefore += this.#length;
    this.#chunk = bytes > CHUNK_BYTES ? Buffer.allocUnsafeSlow(bytes) : this.#pool.take();
    this.#length = 0;
  }
}
