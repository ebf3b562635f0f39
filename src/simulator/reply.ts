import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';
import type { Answer } from './api.js';
import { refusalBody } from './refusal.js';

/** An answer on its way out. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  readonly fault: Answer['fault'];
  readonly delayMs: number;
}

export interface ReplyContext {
  readonly requestId: string;
  readonly host: string;
  readonly latencyMs: number;
}

const RESET_AFTER_MS = 100;
const JSON_TYPE = 'application/json;charset=utf-8';

/** The answer as it goes over the wire, in the API's shapes. */
export function replyOf({ result, fault }: Answer, { requestId, host, latencyMs }: ReplyContext): Reply {
  const delayMs = latencyMs + (fault?.kind === 'delay' ? fault.delayMs : 0);
  if (fault?.kind === 'raw') {
    const headers = { 'content-type': JSON_TYPE, ...fault.headers };
    return { status: fault.status ?? 200, headers, body: fault.body, fault, delayMs };
  }
  const headers = { 'content-type': JSON_TYPE, 'x-acs-request-id': requestId };
  if ('body' in result) {
    return { status: 200, headers, body: JSON.stringify({ RequestId: requestId, ...result.body }), fault, delayMs };
  }
  const body = refusalBody(result, requestId, host);
  return { status: result.status, headers: { ...headers, ...result.headers }, body, fault, delayMs };
}

/** Sends it at its time, unless the client has gone by then. */
export function send(clock: Clock, response: ServerResponse, reply: Reply): void {
  if (reply.delayMs === 0) {
    sendNow(clock, response, reply);
    return;
  }
  const cancel = clock.after(reply.delayMs, () => sendNow(clock, response, reply));
  response.once('close', cancel);
}

function sendNow(clock: Clock, response: ServerResponse, { status, headers, body, fault }: Reply): void {
  if (fault?.kind === 'hang') return;
  if (fault?.kind === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers });
  if (fault?.kind === 'stall') {
    response.flushHeaders();
  } else if (fault?.kind === 'drip') {
    drip(clock, response, { bytes: Buffer.from(body), everyMs: fault.everyMs });
  } else if (fault?.kind === 'truncate') {
    response.write(body.slice(0, Math.floor(body.length / 2)));
    // A reset at once would overtake what was sent.
    const cancel = clock.after(RESET_AFTER_MS, () => response.socket?.resetAndDestroy());
    response.once('close', cancel);
  } else {
    response.end(body);
  }
}

function drip(clock: Clock, response: ServerResponse, { bytes, everyMs }: { bytes: Buffer; everyMs: number }): void {
  if (bytes.length === 0) {
    response.end();
    return;
  }
  response.write(bytes.subarray(0, 1));
  const cancel = clock.after(everyMs, () => {
    response.off('close', cancel);
    drip(clock, response, { bytes: bytes.subarray(1), everyMs });
  });
  response.once('close', cancel);
}
