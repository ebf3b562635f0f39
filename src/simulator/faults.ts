import type { Call } from './call.js';
import { instanceOf } from './call.js';
import { pageAskedFor } from './paging-token.js';
import { hashOf, unitOf } from './random.js';
import type { Refusal } from './refusal.js';

/** Something that goes wrong for the calls that it names; what is left out matches all. */
export interface Fault {
  readonly account?: string;
  readonly regionId?: string;
  readonly action?: string;
  readonly instanceId?: string;
  /** The page of a listing, from 1. */
  readonly page?: number;
  /** Strikes this many times, then is over; without end unless given. */
  readonly times?: number;
  /** Strikes this share of the matching calls, drawn from the seed; all unless given. */
  readonly probability?: number;
  readonly effect: FaultEffect;
}

/**
 * - `refuse`    an error answer in the API's shape
 * - `raw`       this answer instead of the real one: an HTML page of a proxy, malformed JSON, a shape never seen
 * - `delay`     the right answer, later
 * - `hang`      no answer, the connection stays open
 * - `reset`     the connection is torn down without an answer
 * - `stall`     the headers of the right answer, then silence
 * - `drip`      the right answer, a byte at a time
 * - `truncate`  the headers and half of the right answer, then a reset of the connection
 */
export type FaultEffect =
  | { readonly kind: 'refuse'; readonly refusal: Refusal }
  | {
      readonly kind: 'raw';
      readonly status?: number;
      readonly body: string | Buffer;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'stall' }
  | { readonly kind: 'drip'; readonly everyMs: number }
  | { readonly kind: 'truncate' };

/** What a proxy in front of the API says when it cannot reach it. */
export const BAD_GATEWAY: FaultEffect = {
  kind: 'raw',
  status: 502,
  headers: { 'content-type': 'text/html' },
  body: '<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>',
};

/** An answer cut short by something that keeps HTTP intact. */
export const MALFORMED_JSON: FaultEffect = { kind: 'raw', body: '{"RequestId":"5B1D7C0E-3F52-5A7B","Items":{"Backup' };

interface Armed {
  readonly fault: Fault;
  left: number;
}

/** The faults in force; of several that match a call, the one injected first strikes. */
export class Faults {
  readonly #seedHash: number;
  #drawn = 0;
  #armed: Armed[] = [];

  constructor(seed: string) {
    this.#seedHash = hashOf(`${seed}/faults`);
  }

  /** Puts the fault in force; the result lifts it. `times` is at least 1. */
  inject(fault: Fault): () => void {
    const armed = { fault, left: fault.times ?? Infinity };
    this.#armed.push(armed);
    return () => {
      this.#armed = this.#armed.filter((other) => other !== armed);
    };
  }

  clear(): void {
    this.#armed = [];
  }

  /** What happens to this call; undefined when nothing does. */
  apply(call: Call): FaultEffect | undefined {
    for (const armed of this.#armed) {
      if (!concerns(armed.fault, call)) continue;
      const { probability } = armed.fault;
      if (probability !== undefined && unitOf(this.#seedHash, this.#drawn++) >= probability) continue;
      if (--armed.left <= 0) this.#armed = this.#armed.filter((other) => other !== armed);
      return armed.fault.effect;
    }
    return undefined;
  }
}

function concerns(fault: Fault, call: Call): boolean {
  return (
    (fault.account === undefined || fault.account === call.account) &&
    (fault.regionId === undefined || fault.regionId === call.regionId) &&
    (fault.action === undefined || fault.action === call.action) &&
    (fault.instanceId === undefined || fault.instanceId === instanceOf(call)) &&
    (fault.page === undefined || fault.page === pageAskedFor(call.parameters))
  );
}
