import { messageOf } from '../errors.js';
import type { ApiError, ErrorKind } from '../domain/model.js';
import { redact } from '../redact.js';

/** What became of an attempt that brought no whole answer. */
export interface Failure {
  readonly ok: false;
  readonly error: ApiError;
}

/** The program, or this part of it, stops. */
export function aborted(): Failure {
  return failure('aborted', 'Aborted', 'the request was given up because the exporter stops or changes');
}

export function timedOut(endpoint: string, timeoutMs: number): Failure {
  return failure('timeout', 'Timeout', `${hostOf(endpoint)} gave no whole answer within ${timeoutMs / 1000} s`);
}

/** An answer came, but it is none that the API gives. */
export function badResponse(endpoint: string, what: string): Failure {
  return failure('bad_response', 'BadResponse', `${hostOf(endpoint)} ${what}`);
}

/** Errors of undici's that say: what came is no HTTP, or not what its headers announced. */
const BAD_HTTP: ReadonlySet<string> = new Set([
  'HTTPParserError',
  'ResponseContentLengthMismatchError',
  'HeadersOverflowError',
]);

/** From an error of the socket, of TLS, of name resolution or of undici. */
export function failureOf(endpoint: string, thrown: Error): Failure {
  // Several addresses were tried and none worked: the first tells as much as all.
  const error: unknown = thrown instanceof AggregateError ? (thrown.errors[0] ?? thrown) : thrown;
  const errorCode = error instanceof Error && 'code' in error ? String(error.code) : '';
  const host = hostOf(endpoint);
  const what = messageOf(error);
  if (BAD_HTTP.has(thrown.name)) return badResponse(endpoint, `answered with broken HTTP: ${what}`);
  if (errorCode === 'UND_ERR_CONNECT_TIMEOUT') {
    return failure('timeout', 'Timeout', `connection to ${host} failed: ${what}`);
  }
  const prefix = errorCode === '' || what.includes(errorCode) ? '' : `${errorCode}: `;
  return failure('connection', 'ConnectionError', `connection to ${host} failed: ${prefix}${what}`);
}

function failure(kind: ErrorKind, code: string, message: string): Failure {
  return { ok: false, error: { kind, code, message: redact(message), requestId: undefined, retryAfterMs: undefined } };
}

function hostOf(endpoint: string): string {
  return new URL(endpoint).host;
}
