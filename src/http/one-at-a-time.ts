import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { quietTurns } from './web-config/turns.js';

/** More may not wait on one connection: a client that sends this far ahead of its responses is disconnected. */
const MAX_WAITING_BYTES = 32 * 1024;
const LF = 0x0a;
const CR = 0x0d;
/** How the health probes begin, which cost next to nothing: they wait for nobody. */
const PROBE = Buffer.from('GET /-/');
/** A method and the beginning of a target, also of one that names the host. */
const MAX_HEAD_SEEN = 512;
/** Handed to the parser in one go: a request is one, a body a few, a flood of empty lines many. */
const PIECES_A_TURN = 64;

type Parse = (piece: Buffer) => void;

/**
 * Makes a server handle one request of a connection at a time; pipelined requests wait. Node.js parses up to 64 KB in one go
 * and starts every request in it, a thousand of them, which no pause of the socket prevents.
 * The result tells the target of the request that a connection is at, as far as it has come; empty between two.
 */
export function serveOneAtATime(server: Server): (socket: Duplex) => string {
  const inputs = new WeakMap<Duplex, PacedInput>();
  const queue = new InputQueue();
  const open = (socket: Socket): void => {
    const [parse] = socket.listeners('data');
    // Under TLS the raw connection has no parser.
    if (isParse(parse)) inputs.set(socket, new PacedInput(socket, parse, queue));
  };
  server.on('connection', open);
  server.on('secureConnection', open);
  server.prependListener('request', (request, response) => inputs.get(request.socket)?.handling(request, response));
  return (socket) => inputs.get(socket)?.target ?? '';
}

function isParse(listener: unknown): listener is Parse {
  return typeof listener === 'function';
}

/** Stands between a socket and its HTTP parser, and hands on pieces of which none can start two requests. */
class PacedInput {
  readonly #socket: Socket;
  readonly #parse: Parse;
  readonly #queue: InputQueue;
  /** Not empty while a response is under way or the queue has not come to this. */
  #waiting: Buffer = Buffer.alloc(0);
  #isPaused = false;
  /** Its response is under way. */
  #request: IncomingMessage | undefined;
  /** The beginning of the request, however many pieces it comes in. */
  #head = '';

  constructor(socket: Socket, parse: Parse, queue: InputQueue) {
    this.#socket = socket;
    this.#parse = parse;
    this.#queue = queue;
    socket.off('data', parse);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('drain', () => this.#continue());
  }

  handling(request: IncomingMessage, response: ServerResponse): void {
    this.#request = request;
    response.once('close', () => {
      this.#request = undefined;
      this.#head = '';
      this.#continue();
    });
  }

  get target(): string {
    return /^\S+ (\S+)/.exec(this.#head)?.[1] ?? '';
  }

  /** Parses what waits, at most to the end of one request. */
  feed(): void {
    for (let pieces = 0; pieces < PIECES_A_TURN && this.#waiting.length > 0 && !this.#isBusy; pieces++) {
      const length = this.#pieceLength();
      const piece = this.#waiting.subarray(0, length);
      this.#waiting = this.#waiting.subarray(length);
      if (this.#head.length < MAX_HEAD_SEEN)
        this.#head = (this.#head + piece.toString('latin1', 0, MAX_HEAD_SEEN)).trimStart();
      this.#parse(piece);
    }
    if (!this.#isBusy) this.#continue();
    this.#pauseOrResume();
  }

  /** Up to an empty line, which ends the head of a request; within a body up to any line, since its end may be anywhere. */
  #pieceLength(): number {
    for (let start = 0; ;) {
      const end = this.#waiting.indexOf(LF, start);
      if (end === -1) return this.#waiting.length;
      const isEmpty = end === start || (end === start + 1 && this.#waiting[start] === CR);
      if (isEmpty || this.#request !== undefined) return end + 1;
      start = end + 1;
    }
  }

  #take(chunk: Buffer): void {
    const isFirst = this.#waiting.length === 0;
    this.#waiting = isFirst ? chunk : Buffer.concat([this.#waiting, chunk]);
    if (!isFirst) this.#pauseOrResume();
    else if (chunk.subarray(0, PROBE.length).equals(PROBE)) this.feed();
    else this.#continue();
  }

  #continue(): void {
    if (this.#waiting.length > 0) this.#queue.add(this);
  }

  #pauseOrResume(): void {
    const isWaiting = this.#waiting.length > 0;
    if (isWaiting) this.#socket.pause();
    else if (this.#isPaused) this.#socket.resume();
    this.#isPaused = isWaiting;
    if (this.#request?.complete === true && this.#waiting.length > MAX_WAITING_BYTES) this.#socket.destroy();
  }

  /** The body of a request is taken in while it is being answered. */
  get #isBusy(): boolean {
    const { destroyed, writableEnded, writableNeedDrain } = this.#socket;
    return destroyed || writableEnded || writableNeedDrain || this.#request?.complete === true;
  }
}

/** Requests of all connections, started one a quiet turn of the event loop, so that everyone else has a turn in between. */
class InputQueue {
  readonly #inputs = new Set<PacedInput>();

  add(input: PacedInput): void {
    if (this.#inputs.size === 0) quietTurns.run(() => this.#turn());
    this.#inputs.add(input);
  }

  #turn(): void {
    const [first] = this.#inputs;
    if (this.#inputs.size > 1) quietTurns.run(() => this.#turn());
    if (first === undefined) return;
    this.#inputs.delete(first);
    first.feed();
  }
}
