import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Request, Response } from 'express';

const gzipAsync = promisify(gzip);
const LEAST_GZIP_BYTES = 1_024;

export interface TaggedText {
  readonly type: string;
  readonly text: string;
  /** The status answer as JSON, which the text shows: what the tag is made from. */
  readonly tagged: string;
}

/** What moves with the clock alone makes no new version. */
const CLOCK_FIELDS = /"(?:now|data_age_seconds)":[^,}]+/g;

/**
 * Answers 304 when the client has this version already. The tag is weak: ages may differ, and so may the compression.
 */
export async function sendWithTag(
  request: Request,
  response: Response,
  { type, text, tagged }: TaggedText,
): Promise<void> {
  const hash = createHash('sha1').update(tagged.replaceAll(CLOCK_FIELDS, '')).digest('base64url');
  const tag = `W/"${hash}"`;
  response.setHeader('ETag', tag);
  response.setHeader('Cache-Control', 'no-cache');
  response.setHeader('Vary', 'Accept-Encoding');
  if (hasTag(request.headers['if-none-match'], tag)) {
    response.status(304).end();
    return;
  }
  response.setHeader('Content-Type', `${type}; charset=utf-8`);
  let body: Buffer = Buffer.from(text);
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
