import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';
import type { Logger } from '../log.js';
import { quietTurns } from './web-config/turns.js';

/** What unfinished responses may hold besides the body that is begun last. Readers of the same body share it. */
const MAX_HELD_BYTES = 24 * 2 ** 20;
/** The same while every client reads: one large page must not be cut off by whatever is asked for next. */
const MAX_READ_BYTES = 4 * MAX_HELD_BYTES;
/** A client that has taken nothing for so long does not read. */
const STALLED_MS = 1_000;
/** TLS keeps an encrypted copy of each for every connection that does not read. */
const SLICE_BYTES = 16 * 1024;
/** Written in one turn of the event loop, to all connections together. */
const SLICES_A_TURN = 32;
const WARN_EVERY_MS = 60_000;

interface Transfer {
  readonly response: ServerResponse;
  readonly parts: readonly Uint8Array[];
  /** The next byte to write. */
  part: number;
  offset: number;
  /** When the client last took a slice. */
  movedAt: number;
}

/**
 * Writes response bodies, a slice at a time as the clients read, in turns. What is held for those that read slowly is
 * bounded: the slowest connection, which has taken nothing for longest, is closed first, and one that reads only at four
 * times the bound.
 */
export class BodyWriter {
  readonly #clock: Clock;
  readonly #log: Logger;
  /** The slowest first. */
  readonly #transfers = new Set<Transfer>();
  /** Each part that is held, and for how many transfers. */
  readonly #holds = new Map<Uint8Array, number>();
  #heldBytes = 0;
  #ready: Transfer[] = [];
  #warnedAt = -Infinity;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Answers with a body, or with its length alone. The parts must not change until the response is closed. */
  send({ method }: IncomingMessage, response: ServerResponse, parts: readonly Uint8Array[]): void {
    response.setHeader(
      'Content-Length',
      parts.reduce((sum, part) => sum + part.length, 0),
    );
    if (method === 'HEAD') return void response.end();
    if (response.destroyed) return;
    this.#closeSlowest();
    const movedAt = this.#clock.now();
    const transfer = { response, parts: parts.filter(({ length }) => length > 0), part: 0, offset: 0, movedAt };
    this.#transfers.add(transfer);
    for (const part of transfer.parts) this.#hold(part);
    response.once('close', () => this.#release(transfer));
    this.#continue(transfer);
  }

  #closeSlowest(): void {
    for (const transfer of this.#transfers) {
      const isStalled = this.#clock.now() - transfer.movedAt >= STALLED_MS;
      if (this.#heldBytes <= (isStalled ? MAX_HELD_BYTES : MAX_READ_BYTES)) return;
      this.#warn();
      this.#release(transfer);
      transfer.response.destroy();
    }
  }

  #warn(): void {
    if (this.#clock.now() - this.#warnedAt < WARN_EVERY_MS) return;
    this.#warnedAt = this.#clock.now();
    this.#log.warn('closing the slowest connections: too many response bytes are unread', {
      held_bytes: this.#heldBytes,
    });
  }

  #hold(part: Uint8Array): void {
    const holders = this.#holds.get(part) ?? 0;
    if (holders === 0) this.#heldBytes += part.length;
    this.#holds.set(part, holders + 1);
  }

  #release(transfer: Transfer): void {
    if (!this.#transfers.delete(transfer)) return;
    for (const part of transfer.parts) {
      const holders = (this.#holds.get(part) ?? 0) - 1;
      if (holders > 0) {
        this.#holds.set(part, holders);
      } else {
        this.#holds.delete(part);
        this.#heldBytes -= part.length;
      }
    }
  }

  #continue(transfer: Transfer): void {
    if (this.#ready.length === 0) quietTurns.run(() => this.#turn());
    this.#ready.push(transfer);
  }

  #turn(): void {
    const turn = this.#ready.splice(0, SLICES_A_TURN);
    if (this.#ready.length > 0) quietTurns.run(() => this.#turn());
    for (const transfer of turn) if (this.#transfers.has(transfer)) this.#writeSlice(transfer);
  }

  #writeSlice(transfer: Transfer): void {
    const { response, parts } = transfer;
    const moved = (): void => {
      if (!this.#transfers.delete(transfer)) return;
      transfer.movedAt = this.#clock.now();
      this.#transfers.add(transfer);
      this.#continue(transfer);
    };
    for (let room = SLICE_BYTES; room > 0;) {
      const part = parts[transfer.part];
      if (part === undefined) return void response.end();
      const piece = part.subarray(transfer.offset, transfer.offset + room);
      transfer.offset += piece.length;
      room -= piece.length;
      if (transfer.offset === part.length) {
        transfer.part++;
        transfer.offset = 0;
      }
      response.write(piece, room === 0 ? moved : undefined);
    }
  }
}
