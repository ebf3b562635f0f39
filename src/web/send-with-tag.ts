import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Request, Response } from 'express';

const gzipAsync = promisify(gzip);
const LEAST_GZIP_BYTES = 1_024;

export interface TaggedText {
  readonly type: string;
  /** Called at once, unless the client has it already. */
  readonly text: () => Promise<string>;
  /** What the text depends on, but for the clock: what the tag is made from. */
  readonly tagged: string;
}

/**
 * Answers 304 when the client has this version already. The tag is weak: ages may differ, and so may the compression.
 */
export async function sendWithTag(
  request: Request,
  response: Response,
  { type, text, tagged }: TaggedText,
): Promise<void> {
  const hash = createHash('sha1').update(tagged).digest('base64url');
  const tag = `W/"${hash}"`;
  response.setHeader('ETag', tag);
  response.setHeader('Cache-Control', 'no-cache');
  response.setHeader('Vary', 'Accept-Encoding');
  if (hasTag(request.headers['if-none-match'], tag)) {
    response.status(304).end();
    return;
  }
  response.setHeader('Content-Type', `${type}; charset=utf-8`);
  let body: Buffer = Buffer.from(await text());
  if (body.length >= LEAST_GZIP_BYTES && request.acceptsEncodings('gzip', 'identity') === 'gzip') {
    body = await gzipAsync(body, { level: constants.Z_BEST_SPEED });
    response.setHeader('Content-Encoding', 'gzip');
  }
  response.setHeader('Content-Length', body.length);
  response.end(request.method === 'HEAD' ? undefined : body);
}

function hasTag(header: string | undefined, tag: string): boolean {
  const tags = header?.split(',').map((part) => part.trim()) ?? [];
  return tags.includes(tag) || tags.includes('*');
}
