import type { Call } from './call.js';
import { instanceOf } from './call.js';

/** An admitted call, as it arrived. */
export interface RecordedCall {
  /** On the clock's timeline. */
  readonly atMs: number;
  readonly account: string;
  readonly regionId: string;
  readonly action: string;
  readonly instanceId: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Which calls to count; what is left out counts all. */
export type CallFilter = Partial<Pick<RecordedCall, 'account' | 'regionId' | 'action' | 'instanceId'>>;

/** What was asked of the simulator. Refused signatures are in `answers` alone: nobody knows who sent them. */
export class Stats {
  /** Calls in flight at once, at most. */
  maxConcurrency = 0;
  /** Calls about an instance that arrived while another one about it was in flight. */
  overlaps = 0;
  /** Answers by error code; `OK` for none, `Fault` for what is no answer of the API. */
  readonly answers = new Map<string, number>();
  /** Every call in order of arrival; empty unless recording was asked for. */
  readonly calls: RecordedCall[] = [];
  readonly #record: boolean;
  /** By region, action, account and instance. */
  readonly #counts = new Map<string, { readonly of: CallFilter; count: number }>();
  readonly #inFlight = new Map<string, number>();
  #concurrency = 0;

  constructor({ record }: { record: boolean }) {
    this.#record = record;
  }

  /** Admitted calls that match. */
  count(filter: CallFilter = {}): number {
    let sum = 0;
    for (const { of, count } of this.#counts.values()) if (matches(of, filter)) sum += count;
    return sum;
  }

  /** Calls in flight now. */
  get concurrency(): number {
    return this.#concurrency;
  }

  /** A call arrived; the result tells that it is over. */
  begin(call: Call, atMs: number): () => void {
    const { account, regionId, action } = call;
    const instanceId = instanceOf(call);
    const target = `${account}\n${instanceId ?? ''}`;
    const name = `${regionId}\n${action}\n${target}`;
    const counted = this.#counts.get(name);
    if (counted === undefined) this.#counts.set(name, { of: { account, regionId, action, instanceId }, count: 1 });
    else counted.count += 1;
    if (this.#record) {
      this.calls.push({ atMs, account, regionId, action, instanceId, parameters: Object.fromEntries(call.parameters) });
    }
    this.#concurrency += 1;
    this.maxConcurrency = Math.max(this.maxConcurrency, this.#concurrency);
    const others = this.#inFlight.get(target) ?? 0;
    if (instanceId !== undefined && others > 0) this.overlaps += 1;
    this.#inFlight.set(target, others + 1);
    return () => {
      this.#concurrency -= 1;
      const left = (this.#inFlight.get(target) ?? 1) - 1;
      if (left === 0) this.#inFlight.delete(target);
      else this.#inFlight.set(target, left);
    };
  }

  answered(code: string): void {
    this.answers.set(code, (this.answers.get(code) ?? 0) + 1);
  }

  /** Forgets everything but what is in flight. */
  reset(): void {
    this.maxConcurrency = this.#concurrency;
    this.overlaps = 0;
    this.answers.clear();
    this.calls.length = 0;
    this.#counts.clear();
  }
}

function matches(of: CallFilter, { account, regionId, action, instanceId }: CallFilter): boolean {
  return (
    (account === undefined || account === of.account) &&
    (regionId === undefined || regionId === of.regionId) &&
    (action === undefined || action === of.action) &&
    (instanceId === undefined || instanceId === of.instanceId)
  );
}
