import { STATUS_CODES } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { errorBody } from './error-body.js';

const STATUS_BY_CODE: ReadonlyMap<string | undefined, number> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['HPE_HEADER_OVERFLOW', 431],
]);

/** Node's parser takes no byte beyond ASCII in a URL. */
const INVALID_URL =
  'the URL holds a character that must be percent-encoded, as curl does with -G --data-urlencode NAME=VALUE';

/**
 * Answers what cannot be read as a request with the status that Node would give it, and with a body that says why.
 * `targetOf` tells what a connection asks for, as far as that was read.
 */
export function answerClientErrors(server: Server | TlsServer, targetOf: (socket: Duplex) => string): void {
  const latest = new WeakMap<Duplex, ServerResponse>();
  server.prependListener('request', (request, response) => latest.set(request.socket, response));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const response = latest.get(socket);
    const isAnswering = response?.headersSent === true && !response.writableFinished;
    const isRequest = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' || error.code?.startsWith('HPE_') === true;
    if (isRequest && socket.writable && !isAnswering)
      socket.end(answerTo(error, targetOf(socket)), () => socket.destroy());
    else socket.destroy();
  });
}

function answerTo({ code }: NodeJS.ErrnoException, target: string): string {
  const status = STATUS_BY_CODE.get(code) ?? 400;
  const name = `${status} ${STATUS_CODES[status]}`;
  const reason = code === 'HPE_INVALID_URL' ? `: ${INVALID_URL}` : '';
  const { type, text } = errorBody(target, `${STATUS_CODES[status]}${reason}`);
  const headers = [
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  return `HTTP/1.1 ${name}\r\n${headers.join('\r\n')}\r\n\r\n${text}`;
}
