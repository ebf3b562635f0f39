import type { RequestHandler } from 'express';
import type { Clock } from '../clock.js';
import type { Logger } from '../log.js';
import type { ScrapeRequest, ScrapeResponse } from '../metrics/scrape.js';
import type { StatusSnapshot } from '../status/snapshot.js';

/** What the pages are made from; each part is asked anew for each request. */
export interface WebParts {
  readonly name: string;
  /** Starts with `/`. */
  readonly telemetryPath: string;
  /** Lets a request through or answers it, before anything else does: logins, rate limit, headers of the operator. */
  readonly guard?: RequestHandler | undefined;
  scrape(request: ScrapeRequest): Promise<ScrapeResponse>;
  ready(): { readonly ready: boolean; readonly reason: string };
  /** The effective configuration, secrets masked: the same bytes until another is in force. */
  configText(): Uint8Array;
  snapshot(): StatusSnapshot;
  /** The problems that kept the old configuration in force; none when the new one is. */
  readonly reload: () => readonly string[];
  /** How many were asked for so far, whatever their way and outcome. */
  reloads(): number;
  /** Whether reload may be asked for over HTTP. */
  readonly lifecycle: boolean;
  /** Told of an exception in a handler, which answered 500. */
  onBug(error: unknown): void;
  readonly clock: Clock;
  readonly log: Logger;
}
