/** Large enough that a chunk's overhead vanishes, small enough that writing one is a fraction of a millisecond. */
export const CHUNK_BYTES = 128 * 1024;

/** UTF-8 needs at most this many bytes for one UTF-16 code unit. */
const MAX_BYTES_PER_UNIT = 3;

/** Writes lines into chunks of a fixed size. A line is never split. */
export class ChunkWriter {
  readonly #take: () => Buffer;
  #chunk: Buffer;
  #length = 0;
  #full: Buffer[] = [];

  /** `take` hands out an empty buffer of `CHUNK_BYTES`. */
  constructor(take: () => Buffer) {
    this.#take = take;
    this.#chunk = take();
  }

  write(line: string): void {
    const most = line.length * MAX_BYTES_PER_UNIT;
    if (this.#length + most > CHUNK_BYTES) {
      this.#close();
      if (most > CHUNK_BYTES) {
        this.#full.push(Buffer.from(line));
        return;
      }
    }
    this.#length += this.#chunk.write(line, this.#length);
  }

  get hasFull(): boolean {
    return this.#full.length > 0;
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

  #close(): void {
    if (this.#length === 0) return;
    this.#full.push(this.#chunk.subarray(0, this.#length));
    this.#chunk = this.#take();
    this.#length = 0;
  }
}
