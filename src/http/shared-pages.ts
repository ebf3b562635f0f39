import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Request, Response } from 'express';
import pLimit from 'p-limit';
import type { Clock } from '../clock.js';
import type { BodyWriter } from './body-writer.js';

const gzipAsync = promisify(gzip);
const LEAST_GZIP_BYTES = 1_024;
const SHARED_MS = 1_000;
/** Addresses are as many as clients like. */
const MAX_PAGES = 8;

export interface Page {
  readonly type: string;
  /** Called at most once, and not for clients that have the page already. */
  readonly text: () => Promise<string>;
  /** What the text depends on, but for the clock: what the tag is made from. */
  readonly tagged: string;
}

/** Pages that are rendered one at a time, and shared for a second by all who ask for the same address. */
export class SharedPages {
  readonly #clock: Clock;
  readonly #writer: BodyWriter;
  readonly #pages = new Map<string, SharedPage>();
  readonly #oneAtATime = pLimit(1);
  readonly #reloads: () => number;

  /** What was rendered before a reload is not shown after it. */
  constructor({ clock, reloads }: { readonly clock: Clock; readonly reloads: () => number }, writer: BodyWriter) {
    this.#clock = clock;
    this.#reloads = reloads;
    this.#writer = writer;
  }

  /** Answers 304 when the client has this version already. */
  async answer(request: Request, response: Response, make: () => Promise<Page>): Promise<void> {
    const page = await this.#inTurn(response, () => this.#pageAt(`${this.#reloads()} ${request.url}`, make));
    if (page === undefined) return;
    response.setHeader('ETag', page.tag);
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('Vary', 'Accept-Encoding');
    if (hasTag(request.headers['if-none-match'], page.tag)) {
      response.status(304).end();
      return;
    }
    const mayCompress = request.acceptsEncodings('gzip', 'identity') === 'gzip';
    const body = await this.#inTurn(response, () => page.body(mayCompress));
    if (body === undefined) return;
    response.setHeader('Content-Type', `${page.type}; charset=utf-8`);
    if (body.isCompressed) response.setHeader('Content-Encoding', 'gzip');
    this.#writer.send(request, response, [body.bytes]);
  }

  /** Other work has its turn before each; a client that went away meanwhile costs nothing. */
  #inTurn<T>(response: Response, run: () => Promise<T>): Promise<T | undefined> {
    return this.#oneAtATime(async () => {
      await nextTurn();
      return response.destroyed ? undefined : run();
    });
  }

  async #pageAt(key: string, make: () => Promise<Page>): Promise<SharedPage> {
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const page = new SharedPage(await make());
    this.#pages.set(key, page);
    const [oldest] = this.#pages.keys();
    if (this.#pages.size > MAX_PAGES && oldest !== undefined) this.#pages.delete(oldest);
    this.#clock.after(SHARED_MS, () => {
      if (this.#pages.get(key) === page) this.#pages.delete(key);
    });
    return page;
  }
}

interface Body {
  readonly bytes: Buffer;
  readonly isCompressed: boolean;
}

class SharedPage {
  readonly #page: Page;
  readonly type: string;
  /** Weak: ages may differ, and so may the compression. */
  readonly tag: string;
  #plain: Promise<Body> | undefined;
  #compressed: Promise<Body> | undefined;

  constructor(page: Page) {
    this.#page = page;
    this.type = page.type;
    this.tag = `W/"${createHash('sha1').update(page.tagged).digest('base64url')}"`;
  }

  body(mayCompress: boolean): Promise<Body> {
    this.#plain ??= this.#page.text().then((text) => ({ bytes: Buffer.from(text), isCompressed: false }));
    if (!mayCompress) return this.#plain;
    this.#compressed ??= this.#plain.then(compressed);
    return this.#compressed;
  }
}

async function compressed(plain: Body): Promise<Body> {
  if (plain.bytes.length < LEAST_GZIP_BYTES) return plain;
  return { bytes: await gzipAsync(plain.bytes, { level: constants.Z_BEST_SPEED }), isCompressed: true };
}

function hasTag(header: string | undefined, tag: string): boolean {
  const tags = header?.split(',').map((part) => part.trim()) ?? [];
  return tags.includes(tag) || tags.includes('*');
}
