import type { IncomingMessage } from 'node:http';
import type { SignedRequest } from './signature.js';
import { sha256Hex } from './signature.js';

const MAX_BODY = 65_536;
const EMPTY_HASH = sha256Hex('');

/** Reads the request whole; undefined when it cannot be one of this API: a broken query, a path, a huge body. */
export async function readRequest(incoming: IncomingMessage): Promise<SignedRequest | undefined> {
  const url = incoming.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const parameters = parseQuery(mark < 0 ? '' : url.slice(mark + 1));
  const bodyHash = await hashOfBody(incoming);
  if (parameters === undefined || bodyHash === undefined || path !== '/') return undefined;
  return { method: incoming.method ?? '', path, parameters, headers: incoming.headers, bodyHash };
}

function parseQuery(text: string): Map<string, string> | undefined {
  const parameters = new Map<string, string>();
  if (text === '') return parameters;
  try {
    for (const pair of text.split('&')) {
      const mark = pair.indexOf('=');
      const name = mark < 0 ? pair : pair.slice(0, mark);
      parameters.set(decode(name), mark < 0 ? '' : decode(pair.slice(mark + 1)));
    }
  } catch {
    return undefined;
  }
  return parameters;
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

async function hashOfBody(incoming: IncomingMessage): Promise<string | undefined> {
  if (incoming.headers['transfer-encoding'] === undefined && Number(incoming.headers['content-length'] ?? 0) === 0) {
    return EMPTY_HASH;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return sha256Hex(Buffer.concat(chunks));
}
