/** New connections delay other work by no more. */
const MOST_TURNS_PASSED = 16;

/**
 * Work that waits for a turn of the event loop in which no connection was accepted. Node.js accepts one connection a turn:
 * during a flood the newest, perhaps a health probe, would wait for as many turns' work as there are connections before it.
 */
export class QuietTurns {
  readonly #nextTurn: (run: () => void) => void;
  #waiting: (() => void)[] = [];
  #hasAccepted = false;
  #turnsPassed = 0;

  constructor(nextTurn: (run: () => void) => void) {
    this.#nextTurn = nextTurn;
  }

  /** To be called for each new connection of any server. */
  connectionAccepted(): void {
    this.#hasAccepted = true;
  }

  /** All that waits runs in the same turn, in this order. */
  run(work: () => void): void {
    if (this.#waiting.length === 0) this.#nextTurn(() => this.#turn());
    this.#waiting.push(work);
  }

  #turn(): void {
    const isQuiet = !this.#hasAccepted || this.#turnsPassed === MOST_TURNS_PASSED;
    this.#hasAccepted = false;
    this.#turnsPassed = isQuiet ? 0 : this.#turnsPassed + 1;
    if (!isQuiet) return this.#nextTurn(() => this.#turn());
    const works = this.#waiting;
    this.#waiting = [];
    for (const work of works) work();
  }
}

/** Of the one event loop that all servers share. */
export const quietTurns = new QuietTurns(setImmediate);
