import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

export interface ErrorBody {
  readonly type: string;
  readonly text: string;
}

/** The target may name the host, too. */
const API = /^(https?:\/\/[^/?#]*)?\/api\//i;

/** What an error says: JSON to who asks the API, a line of text to everyone else. `target` is the request's. */
export function errorBody(target: string, error: string): ErrorBody {
  return API.test(target)
    ? { type: 'application/json; charset=utf-8', text: `${JSON.stringify({ errors: [error] })}\n` }
    : { type: 'text/plain; charset=utf-8', text: `${error}\n` };
}

/** Answers with a status and no more than its name. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  code: number,
  advice: OutgoingHttpHeaders = {},
): void {
  const { type, text } = errorBody(request.url ?? '', STATUS_CODES[code] ?? '');
  const headers = {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'X-Content-Type-Options': 'nosniff',
  };
  response.writeHead(code, { ...headers, ...advice }).end(text);
}
