import type { ApiError, ErrorKind } from '../model.js';

const DENIED_IN_A_ROW = 5;
const OUTAGE_IN_A_ROW = 10;
const OUTAGE_INSTANCES = 3;
const AUTHORISATION_MS = { first: 30_000, most: 600_000 };
const OUTAGE_MS = { first: 10_000, most: 60_000 };

/** What an answer says about whether more calls are of use. */
type Verdict = 'works' | 'denied' | 'rejected' | 'unreachable' | 'undecided';

const VERDICTS: { readonly [K in ErrorKind]: Verdict } = {
  throttled: 'undecided',
  server: 'undecided',
  flaky: 'undecided',
  timeout: 'unreachable',
  connection: 'unreachable',
  bad_response: 'undecided',
  nonce: 'undecided',
  token_expired: 'undecided',
  clock: 'rejected',
  key_rejected: 'rejected',
  credentials: 'rejected',
  denied: 'denied',
  not_found: 'works',
  unsupported: 'works',
  not_now: 'works',
  next_token: 'works',
  request: 'works',
  held_back: 'undecided',
  aborted: 'undecided',
  bug: 'undecided',
};

export interface Cooling {
  readonly reason: 'authorisation' | 'outage';
  /** When the next probe may go out. */
  readonly until: number;
  /** The error that caused it or that the last probe met. */
  readonly error: ApiError;
}

export interface Answer {
  /** Tells instances apart. */
  readonly subject: string;
  /** Undefined when the call worked. */
  readonly error: ApiError | undefined;
  readonly isProbe: boolean;
  readonly nowMs: number;
}

export type CooldownChange = 'entered' | 'left' | undefined;

/**
 * Holds back the calls of one action in one account and region while they are of no use, one probe at a time: after
 * denials of five different instances in a row, on an answer that concerns the whole account, and in an outage.
 */
export class Cooldown {
  #cooling: Cooling | undefined;
  #leftAt = -Infinity;
  #pauseMs = 0;
  #isProbing = false;
  readonly #deniedInARow = new Set<string>();
  readonly #unreachable = { count: 0, instances: new Set<string>() };
  /** How many instances there are to call for: an outage must be seen on three of them, or on all. */
  readonly #instances: () => number;

  constructor(instances: () => number) {
    this.#instances = instances;
  }

  get cooling(): Cooling | undefined {
    return this.#cooling;
  }

  /** When the last cool-down ended. */
  get leftAt(): number {
    return this.#leftAt;
  }

  /** When the next call may go out: at once, at the time of the next probe, or never while a probe is under way. */
  get nextCallAt(): number {
    if (this.#cooling === undefined) return -Infinity;
    return this.#isProbing ? Infinity : this.#cooling.until;
  }

  /** A call is let out. True if it is the probe of a cool-down: its answer must say so. */
  sent(): boolean {
    this.#isProbing = this.#cooling !== undefined;
    return this.#isProbing;
  }

  /** Takes in the answer of a call. */
  answered(answer: Answer): CooldownChange {
    const { error, nowMs } = answer;
    const verdict = error === undefined ? 'works' : VERDICTS[error.kind];
    this.#count(verdict, answer);
    if (this.#cooling !== undefined) return this.#whileCooling(this.#cooling, verdict, answer);
    const reason = this.#reasonToCool(verdict);
    if (reason === undefined || error === undefined) return undefined;
    this.#pauseMs = limitsOf(reason).first;
    this.#cooling = { reason, until: nowMs + this.#pauseMs, error };
    this.#isProbing = false;
    return 'entered';
  }

  #count(verdict: Verdict, { subject, error }: Answer): void {
    // Only what holds something: to clear a set makes it a new table.
    if (verdict === 'works' && this.#deniedInARow.size > 0) this.#deniedInARow.clear();
    if (verdict === 'denied') this.#deniedInARow.add(subject);
    if (verdict === 'unreachable') {
      this.#unreachable.count++;
      this.#unreachable.instances.add(subject);
    } else if (this.#unreachable.count > 0 && isFromCloud(error)) {
      this.#unreachable.count = 0;
      this.#unreachable.instances.clear();
    }
  }

  #reasonToCool(verdict: Verdict): Cooling['reason'] | undefined {
    if (verdict === 'rejected') return 'authorisation';
    if (verdict === 'denied') return this.#deniedInARow.size >= DENIED_IN_A_ROW ? 'authorisation' : undefined;
    if (verdict !== 'unreachable' || this.#unreachable.count < OUTAGE_IN_A_ROW) return undefined;
    const enough = Math.min(OUTAGE_INSTANCES, Math.max(1, this.#instances()));
    return this.#unreachable.instances.size >= enough ? 'outage' : undefined;
  }

  /** The failure of a call that was on its way when the cooling began changes nothing; its success ends it. */
  #whileCooling(cooling: Cooling, verdict: Verdict, { error, nowMs, isProbe }: Answer): CooldownChange {
    const hasEnded =
      cooling.reason === 'outage' ? verdict !== 'unreachable' && isFromCloud(error) : verdict === 'works';
    if (hasEnded) {
      this.#cooling = undefined;
      this.#leftAt = nowMs;
      this.#isProbing = false;
      this.#deniedInARow.clear();
      return 'left';
    }
    if (!isProbe || error === undefined) return undefined;
    this.#isProbing = false;
    if (verdict !== 'undecided') this.#pauseMs = Math.min(2 * this.#pauseMs, limitsOf(cooling.reason).most);
    this.#cooling = { ...cooling, until: nowMs + this.#pauseMs, error };
    return undefined;
  }
}

function limitsOf(reason: Cooling['reason']): { readonly first: number; readonly most: number } {
  return reason === 'outage' ? OUTAGE_MS : AUTHORISATION_MS;
}

const NOT_FROM_CLOUD: ReadonlySet<ErrorKind> = new Set([
  'timeout',
  'connection',
  'credentials',
  'held_back',
  'aborted',
  'bug',
]);

/** Whether the cloud answered at all, be it with an error. */
function isFromCloud(error: ApiError | undefined): boolean {
  return error === undefined || !NOT_FROM_CLOUD.has(error.kind);
}
