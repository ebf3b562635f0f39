import type { Action, AccountRegion } from '../domain/model.js';
import { accountRegionKey } from '../domain/model.js';
import { EXPORTER_FAMILIES } from './exporter-families.js';
import type { PromClientFamily, PromClientSample } from './prom-client-family.js';

/** Error codes come from the network: more than these would be a flood of series. */
const MAX_CODES = 50;
const OTHER_CODE = 'Other';
/** Upper bounds in seconds. */
const DURATION_BOUNDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The attempts of one action in one account and region. */
export interface RequestCounter {
  /** Counts one; `code` is the error's, undefined when it worked. */
  ended(durationMs: number, code: string | undefined): void;
}

interface Counts extends RequestCounter {
  readonly place: AccountRegion;
  readonly action: Action;
  attempts: number;
  readonly failures: Map<string, number>;
}

/**
 * What is counted of every request. Plain numbers: a registry that looks each series up by its labels takes longer than
 * signing the request does.
 */
export class RequestMetrics {
  readonly #counts = new Map<string, Counts>();
  readonly #durations = new Map<Action, Durations>();
  readonly #codes = new Set<string>();

  /** Shown from now on, at 0 when it is new. */
  open(place: AccountRegion, action: Action): RequestCounter {
    const key = `${accountRegionKey(place)}\n${action}`;
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    const durations = this.#durations.get(action) ?? new Durations();
    this.#durations.set(action, durations);
    const counts: Counts = {
      place,
      action,
      attempts: 0,
      failures: new Map(),
      ended: (durationMs, code) => {
        counts.attempts++;
        durations.observe(durationMs / 1000);
        if (code === undefined) return;
        const label = this.#codeLabel(code);
        counts.failures.set(label, (counts.failures.get(label) ?? 0) + 1);
      },
    };
    this.#counts.set(key, counts);
    return counts;
  }

  /** Removes what was counted of an account and region that is no longer configured; what ends there later is not shown. */
  remove(place: AccountRegion): void {
    for (const [key, counts] of this.#counts) {
      if (accountRegionKey(counts.place) === accountRegionKey(place)) this.#counts.delete(key);
    }
  }

  /** Also those without a sample. */
  families(): readonly PromClientFamily[] {
    const all = [...this.#counts.values()];
    return [
      {
        ...EXPORTER_FAMILIES.requests,
        values: all.map((counts) => ({ labels: labelsOf(counts), value: counts.attempts })),
      },
      { ...EXPORTER_FAMILIES.failures, values: all.flatMap(failuresOf) },
      {
        ...EXPORTER_FAMILIES.durations,
        values: [...this.#durations].flatMap(([action, durations]) =>
          durations.values(EXPORTER_FAMILIES.durations.name, { action }),
        ),
      },
    ];
  }

  #codeLabel(code: string): string {
    if (this.#codes.size < MAX_CODES) this.#codes.add(code);
    return this.#codes.has(code) ? code : OTHER_CODE;
  }
}

/** A histogram. */
class Durations {
  readonly #buckets = DURATION_BOUNDS.map((le) => ({ le, count: 0 }));
  #count = 0;
  #sum = 0;

  observe(seconds: number): void {
    const bucket = this.#buckets.find(({ le }) => seconds <= le);
    if (bucket !== undefined) bucket.count++;
    this.#count++;
    this.#sum += seconds;
  }

  /** None before the first observation. */
  values(name: string, labels: PromClientSample['labels']): readonly PromClientSample[] {
    if (this.#count === 0) return [];
    const bucket = (le: number | string, value: number): PromClientSample => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le },
      value,
    });
    let upTo = 0;
    return [
      ...this.#buckets.map(({ le, count }) => bucket(le, (upTo += count))),
      bucket('+Inf', this.#count),
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: this.#count },
    ];
  }
}

function labelsOf({ place: { account, regionId }, action }: Counts): PromClientSample['labels'] {
  return { account, region_id: regionId, action };
}

function failuresOf(counts: Counts): readonly PromClientSample[] {
  return [...counts.failures].map(([code, value]) => ({ labels: { ...labelsOf(counts), code }, value }));
}
