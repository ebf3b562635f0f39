/** What goes wrong, and when: drawn from the seed before the simulation begins. */
import { seeded } from '../helpers/random.js';
import type { WireAnswer } from '../helpers/wire.js';
import { PLACES } from './cloud.js';
import type { CloudPlace } from './cloud.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const KINDS = ['throttled', 'dark', 'silent', 'slow', 'server', 'garbage', 'denied', 'busy', 'rejected'] as const;
export type FaultKind = (typeof KINDS)[number];
/** Passing trouble that can strike at any time. */
const NOISE: readonly FaultKind[] = ['throttled', 'dark', 'silent', 'server', 'garbage', 'busy'];
const NOISE_SHARE = 0.004;

interface Trouble {
  readonly place: CloudPlace;
  readonly from: number;
  readonly to: number;
  readonly kind: FaultKind;
  /** The share of calls that it strikes. */
  readonly share: number;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

export interface FaultsOptions {
  readonly seed: number;
  /** Nothing goes wrong before and after. */
  readonly from: number;
  readonly to: number;
}

export class Faults {
  readonly troubles: readonly Trouble[];
  /** When the state cannot be written. */
  readonly storeFailures: readonly Span[];
  readonly #span: Span;
  readonly #random: () => number;

  constructor({ seed, from, to }: FaultsOptions) {
    this.#random = seeded(seed);
    this.#span = { from, to };
    this.troubles = PLACES.flatMap((place) => this.#spans(5 * HOUR, HOUR).map((span) => this.#trouble(place, span)));
    this.storeFailures = this.#spans(16 * HOUR, 30 * MINUTE);
  }

  /** What strikes this call, if anything does. */
  strike(place: CloudPlace, instanceId: string | undefined, now: number): FaultKind | undefined {
    if (now < this.#span.from || now > this.#span.to) return undefined;
    const draw = this.#random();
    const trouble = this.troubles.find((one) => concerns(one, place, now));
    if (trouble?.kind === 'denied' && instanceId?.endsWith('7') === false) return undefined;
    if (trouble !== undefined && draw < trouble.share) return trouble.kind;
    return draw > 1 - NOISE_SHARE ? this.#pick(NOISE) : undefined;
  }

  /** Whether nothing but noise has struck a place for `forMs`. */
  isCalm(place: CloudPlace, now: number, forMs: number): boolean {
    return !this.troubles.some((one) => isOf(one, place) && one.from <= now && one.to > now - forMs);
  }

  /** Since when nothing was written that is on disk for sure; undefined when all is. */
  unsavedSince(now: number): number | undefined {
    return this.storeFailures.find(({ from, to }) => from <= now && now < to + MINUTE)?.from;
  }

  isStoreFailing(now: number): boolean {
    return this.storeFailures.some(({ from, to }) => from <= now && now < to);
  }

  answer(kind: Exclude<FaultKind, 'silent' | 'slow'>): WireAnswer {
    switch (kind) {
      case 'dark':
        return Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      case 'garbage':
        return { status: this.#pick([200, 200, 502]), body: this.#pick(GARBAGE) };
      case 'throttled':
        return refusal(
          this.#pick([400, 429, 503]),
          'Throttling.User',
          this.#pick([{}, {}, { 'x-acs-retry-after': '3000' }]),
        );
      case 'server':
      case 'denied':
      case 'busy':
      case 'rejected':
        return refusal(...this.#pick(REFUSALS[kind]));
    }
    return kind satisfies never;
  }

  #trouble(place: CloudPlace, span: Span): Trouble {
    return { place, ...span, kind: this.#pick(KINDS), share: this.#random() < 0.5 ? 1 : 0.7 };
  }

  /** Spans that come about every `everyMs` and last `forMs` in the mean. */
  #spans(everyMs: number, forMs: number): readonly Span[] {
    const spans: Span[] = [];
    const length = (meanMs: number): number => -Math.log(1 - this.#random()) * meanMs;
    let from = this.#span.from + length(everyMs);
    while (from < this.#span.to) {
      const to = Math.min(from + MINUTE + length(forMs), this.#span.to);
      spans.push({ from, to });
      from = to + length(everyMs);
    }
    return spans;
  }

  #pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.#random() * values.length)]!;
  }
}

/** A key that is rejected is rejected in every region. */
function isOf({ place, kind }: Trouble, other: CloudPlace): boolean {
  return place === other || (kind === 'rejected' && place.account === other.account);
}

function concerns(trouble: Trouble, place: CloudPlace, now: number): boolean {
  return trouble.from <= now && now < trouble.to && isOf(trouble, place);
}

function refusal(status: number, Code: string, headers: Readonly<Record<string, string>> = {}): WireAnswer {
  return { status, headers, body: JSON.stringify({ RequestId: 'R-1', Code, Message: `${Code} for a reason` }) };
}

const REFUSALS: Readonly<Record<'server' | 'denied' | 'busy' | 'rejected', readonly (readonly [number, string])[]>> = {
  server: [
    [400, 'InternalError'],
    [500, 'ServiceUnavailable'],
    [503, 'IO.Exception'],
  ],
  denied: [[403, 'Forbidden.RAM']],
  busy: [[403, 'IncorrectDBInstanceState']],
  rejected: [[404, 'InvalidAccessKeyId.NotFound']],
};

/** None of it is a list. */
const GARBAGE: readonly (string | Buffer)[] = [
  '',
  'null',
  '[]',
  '{"Items":{"BackupJob":[{"BackupJobId":"1',
  '{"Items":[]}',
  '{"Items":{"BackupJob":"none","DBInstance":"none"}}',
  '<html><body>502 Bad Gateway</body></html>',
  Buffer.from([0xff, 0xfe, 0x00, 0x1f, 0x8b]),
];
