import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';
import type { Answer } from './api.js';
import { refusalBody } from './refusal.js';

/** An answer on its way out. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** What happens on the way. */
  readonly fate: 'arrives' | 'hang' | 'reset' | 'truncate';
  readonly delayMs: number;
}

const JSON_TYPE = 'application/json;charset=utf-8';

/** The answer as it goes over the wire, in the API's shapes. */
export function replyOf({ result, fault }: Answer, { requestId, host, latencyMs }: ReplyContext): Reply {
  if (fault?.kind === 'raw') {
    const headers = { 'content-type': JSON_TYPE, ...fault.headers };
    return { status: fault.status ?? 200, headers, body: fault.body, fate: 'arrives', delayMs: latencyMs };
  }
  const fate = fault === undefined || fault.kind === 'delay' ? 'arrives' : fault.kind;
  const delayMs = latencyMs + (fault?.kind === 'delay' ? fault.delayMs : 0);
  const headers = { 'content-type': JSON_TYPE, 'x-acs-request-id': requestId };
  if ('body' in result) {
    return { status: 200, headers, body: JSON.stringify({ RequestId: requestId, ...result.body }), fate, delayMs };
  }
  const body = refusalBody(result, requestId, host);
  return { status: result.status, headers: { ...headers, ...result.headers }, body, fate, delayMs };
}

export interface ReplyContext {
  readonly requestId: string;
  readonly host: string;
  readonly latencyMs: number;
}

/** Sends it at its time, unless the client has gone by then. */
export function send(clock: Clock, response: ServerResponse, reply: Reply): void {
  if (reply.delayMs === 0) {
    sendNow(response, reply);
    return;
  }
  const cancel = clock.after(reply.delayMs, () => sendNow(response, reply));
  response.once('close', cancel);
}

function sendNow(response: ServerResponse, { status, headers, body, fate }: Reply): void {
  if (fate === 'hang') return;
  if (fate === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  if (fate === 'arrives') {
    response.end(body);
    return;
  }
  const half = body.slice(0, Math.floor(body.length / 2));
  response.write(half, () => response.destroy());
}
