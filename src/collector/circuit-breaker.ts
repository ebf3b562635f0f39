import type { ApiError, ErrorKind } from '../domain/model.js';

const DENIED = 5;
const OUTAGE_IN_A_ROW = 10;
const OUTAGE_INSTANCES = 3;
/** Attempts in a row without a connection after which an instance that worked is taken to be unreachable itself. */
const MISSES = 4;
/** Requests sent while nothing has worked yet. */
const TRIAL_CALLS = 20;
/** The time from one probe of an instance that was never asked to the next. */
const TRIAL_MS = 10_000;
const AUTHORISATION_MS = { first: 30_000, most: 600_000 };
const OUTAGE_MS = { first: 10_000, most: 60_000 };

/** What an answer says about whether more calls are of use. */
type Verdict = 'works' | 'denied' | 'rejected' | 'unreachable' | 'unsent' | 'undecided';

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
  credentials: 'unsent',
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

export interface OpenCircuit {
  readonly reason: 'authorisation' | 'outage';
  /** When the next probe may go out. */
  readonly until: number;
  /** The error that caused it or that the last probe met. */
  readonly error: ApiError;
}

/** What the answers so far show of an instance. `fresh`: nothing yet; `gone`: it is no longer of interest. */
export type Standing = 'fresh' | 'good' | 'denied' | 'unreachable' | 'gone';

/** What a request is about: an instance, or an action that belongs to none. The cool-down writes both fields. */
export interface Subject {
  standing: Standing;
  /** Attempts without a connection since it worked; Infinity if it never did, or was denied since. */
  misses: number;
}

export function newSubject(): Subject {
  return { standing: 'fresh', misses: Infinity };
}

export interface Answer {
  readonly subject: Subject;
  /** Undefined when the call worked. */
  readonly error: ApiError | undefined;
  /** Of one job: that it gets no answer says nothing of the instance. */
  readonly isLookup?: boolean | undefined;
  readonly isProbe: boolean;
  readonly sentAt: number;
  readonly nowMs: number;
}

export type CircuitChange = 'entered' | 'left' | undefined;

/**
 * A circuit breaker for one action in one account and region. Evidence comes from instances that last worked: an instance
 * that is denied or unreachable says nothing about the others. Opens on an answer that concerns the whole account, in an
 * outage, and on denials while nothing works; then lets one probe through at a time. Any success closes it.
 */
export class CircuitBreaker {
  #cooling: OpenCircuit | undefined;
  #leftAt = -Infinity;
  #pauseMs = 0;
  #isProbing = false;
  /** Requests sent to find the first instance that works. */
  #tried = 0;
  #epoch = 0;
  /** Subjects by standing; of `fresh` and `gone` only how many came and went. */
  readonly #counts: Record<Standing, number> = { fresh: 0, good: 0, denied: 0, unreachable: 0, gone: 0 };
  /** Instances that worked and were not denied since, though some may be unreachable now. */
  #proven = 0;
  /** Failed connections since the cloud last answered. */
  readonly #unreachable = { count: 0, subjects: new Set<Subject>() };
  /** How many instances there are to poll. */
  readonly #instances: () => number;

  constructor(instances: () => number) {
    this.#instances = instances;
  }

  get cooling(): OpenCircuit | undefined {
    return this.#cooling;
  }

  /** When the last cool-down ended. */
  get leftAt(): number {
    return this.#leftAt;
  }

  /** Counts the resets: an answer to a request that was sent before the last one says nothing. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Instances whose last answer worked. */
  get good(): number {
    return this.#counts.good;
  }

  /** Whether anything is known to be allowed. */
  get hasWorked(): boolean {
    return this.#proven > 0;
  }

  /** Instances that are known to be denied or unreachable. */
  get poor(): number {
    return this.#counts.denied + this.#counts.unreachable;
  }

  /** When the next call may go out: at once, at the time of the next probe, or never while a probe is under way. */
  get nextCallAt(): number {
    if (this.#cooling !== undefined) return this.#isProbing ? Infinity : this.#cooling.until;
    return this.#tried >= TRIAL_CALLS ? Infinity : -Infinity;
  }

  /** A call is let out. True if it is the probe of a cool-down: its answer must say so. */
  sent(): boolean {
    this.#isProbing = this.#cooling !== undefined;
    if (!this.#isProbing && this.#isOnTrial) this.#tried++;
    return this.#isProbing;
  }

  /** Takes in the answer of a call. */
  answered(answer: Answer): CircuitChange {
    const { subject, error, nowMs } = answer;
    const verdict = verdictOf(answer);
    const isNews = this.#isEvidence(subject);
    const wasFresh = subject.standing === 'fresh';
    this.#judge(subject, verdict);
    this.#count(verdict, isNews, answer);
    if (this.#cooling !== undefined) return this.#whileCooling(this.#cooling, { verdict, isNews, wasFresh }, answer);
    const reason = this.#reasonToCool(verdict);
    if (reason === undefined || error === undefined) return undefined;
    this.#pauseMs = limitsOf(reason).first;
    const pauseMs = verdict !== 'rejected' && this.#isOnTrial ? TRIAL_MS : this.#pauseMs;
    this.#cooling = { reason, until: nowMs + pauseMs, error };
    this.#isProbing = false;
    return 'entered';
  }

  /** The instance is no longer of interest, nor is any answer about it. */
  forget(subject: Subject): void {
    this.#stand(subject, 'gone', Infinity);
  }

  /** Begins anew, with other credentials or another endpoint. The owner makes every subject new. */
  reset(nowMs: number): CircuitChange {
    const change = this.#cooling === undefined ? undefined : 'left';
    this.#epoch++;
    this.#close(nowMs);
    for (const standing of ['good', 'denied', 'unreachable'] as const) this.#counts[standing] = 0;
    this.#proven = 0;
    this.#unreachable.count = 0;
    this.#unreachable.subjects.clear();
    return change;
  }

  /** Nothing has worked, and not every instance has been asked. */
  get #isOnTrial(): boolean {
    return !this.hasWorked && this.#instances() > this.poor;
  }

  /**
   * Once one instance works, only those that work say something of all, or if all of them became unreachable, those; until
   * one does, those that were never asked; at last, all.
   */
  #isEvidence({ standing, misses }: Subject): boolean {
    if (this.good > 0) return standing === 'good';
    if (this.hasWorked) return misses < Infinity;
    return !this.#isOnTrial || standing === 'fresh';
  }

  #judge(subject: Subject, verdict: Verdict): void {
    if (verdict === 'works') this.#stand(subject, 'good', 0);
    if (verdict === 'denied') this.#stand(subject, 'denied', Infinity);
    if (verdict !== 'unreachable') return;
    const misses = subject.misses + 1;
    this.#stand(subject, misses < MISSES ? subject.standing : 'unreachable', misses);
  }

  #stand(subject: Subject, standing: Standing, misses: number): void {
    const before = subject.standing;
    if (before === 'gone') return;
    this.#counts[before]--;
    this.#counts[standing]++;
    this.#proven += Number(misses < Infinity) - Number(subject.misses < Infinity);
    subject.standing = standing;
    subject.misses = misses;
  }

  #count(verdict: Verdict, isNews: boolean, { subject, error }: Answer): void {
    if (verdict === 'works') this.#tried = 0;
    if (verdict === 'undecided') this.#tried = Math.max(0, this.#tried - 1);
    if (verdict === 'unreachable') {
      if (!isNews) return;
      this.#unreachable.count++;
      this.#unreachable.subjects.add(subject);
    } else if (this.#unreachable.count > 0 && isFromCloud(error)) {
      this.#unreachable.count = 0;
      // Only what holds something: to clear a set makes it a new table.
      this.#unreachable.subjects.clear();
    }
  }

  #reasonToCool(verdict: Verdict): OpenCircuit['reason'] | undefined {
    if (verdict === 'rejected') return 'authorisation';
    if (verdict === 'unsent') return 'outage';
    const isTrialOver = this.#tried >= TRIAL_CALLS;
    if (verdict === 'denied') {
      return !this.hasWorked && (this.#counts.denied >= DENIED || isTrialOver) ? 'authorisation' : undefined;
    }
    if (verdict !== 'unreachable') return undefined;
    const enough = Math.min(OUTAGE_INSTANCES, this.#instances());
    const { count, subjects } = this.#unreachable;
    return isTrialOver || (count >= OUTAGE_IN_A_ROW && subjects.size >= enough) ? 'outage' : undefined;
  }

  /** The failure of a call that was on its way when the cooling began changes nothing; its success ends it. */
  #whileCooling(
    cooling: OpenCircuit,
    { verdict, isNews, wasFresh }: { verdict: Verdict; isNews: boolean; wasFresh: boolean },
    answer: Answer,
  ): CircuitChange {
    const { error, sentAt, nowMs, isProbe } = answer;
    if (this.#hasEnded(cooling, verdict, answer)) {
      this.#close(nowMs);
      return 'left';
    }
    if (!isProbe || error === undefined) return undefined;
    this.#isProbing = false;
    const isTrial = wasFresh && (verdict === 'denied' || verdict === 'unreachable');
    const isOfAll = verdict === 'rejected' || (verdict === 'unsent' && cooling.reason === 'outage');
    if (isOfAll || (!isTrial && isNews && (verdict === 'denied' || verdict === 'unreachable'))) {
      this.#pauseMs = Math.min(2 * this.#pauseMs, limitsOf(cooling.reason).most);
    }
    const until = isTrial ? Math.max(nowMs, sentAt + TRIAL_MS) : nowMs + this.#pauseMs;
    this.#cooling = { ...cooling, until, error };
    return undefined;
  }

  #hasEnded({ reason }: OpenCircuit, verdict: Verdict, { error, isProbe }: Answer): boolean {
    if (reason === 'outage') return isFromCloud(error);
    // A denied probe shows that the key is accepted again; it does not hold back the instances that work.
    return verdict === 'works' || (verdict === 'denied' && isProbe && this.hasWorked);
  }

  #close(nowMs: number): void {
    if (this.#cooling !== undefined) this.#leftAt = nowMs;
    this.#cooling = undefined;
    this.#tried = 0;
  }
}

function verdictOf({ error, isLookup }: Answer): Verdict {
  const verdict = error === undefined ? 'works' : VERDICTS[error.kind];
  return verdict === 'unreachable' && isLookup === true ? 'undecided' : verdict;
}

function limitsOf(reason: OpenCircuit['reason']): { readonly first: number; readonly most: number } {
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
