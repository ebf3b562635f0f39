import type { Clock } from '../../clock.js';
import type { Logger } from '../../log.js';
import type { ApiError, ApiResult } from '../../domain/model.js';
import type { Secret } from '../../secret.js';
import { InFlight } from '../in-flight.js';
import { credentialsError } from './credentials.js';
import type { CredentialsProvider, CredentialsState } from './credentials.js';
import { createCredentials } from '../sign.js';
import type { Credentials, PlainCredentials } from '../sign.js';
import { aborted } from '../transport-error.js';

/** Fetches credentials anew at each call. */
export type CredentialsSource = (signal: AbortSignal) => Promise<ApiResult<FetchedCredentials>>;

export interface FetchedCredentials extends PlainCredentials {
  /** By the wall clock, in milliseconds since the epoch; undefined when they do not expire or nobody said when. */
  readonly expiresAtWall: number | undefined;
}

export interface SessionOptions {
  readonly type: CredentialsState['type'];
  readonly source: CredentialsSource;
  /** Whose keys ask for the sessions; undefined when none are needed. */
  readonly parent: CredentialsProvider | undefined;
  /** All that the source makes use of. */
  readonly secrets: readonly Secret[];
  readonly account: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChanged: (() => void) | undefined;
}

/** Longer than the library's own limits on one request, shorter than a person's patience. */
const FETCH_LIMIT_MS = 15_000;
/** Sessions are renewed in their last third, or their last quarter of an hour if that is shorter. */
const MAX_AHEAD_MS = 15 * 60_000;
/** Keys without an expiry come from files and the environment, which are looked at again this often. */
const REREAD_MS = 5 * 60_000;
/** A session that seems to have ended when it comes is used this long: the two clocks may disagree. */
const MIN_LIFETIME_MS = 5_000;
/** After a failure nobody asks again for a while: 1 s, doubling up to this. */
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
/** Sessions refused by the API are thrown away this often at most. */
const FORCED_REFRESH_MS = 60_000;

interface Session {
  readonly credentials: Credentials;
  readonly refreshAt: number;
  /** When it stops being used: a little before its end, or never. */
  readonly usableUntil: number;
  readonly expiresAt: number | undefined;
}

interface Failure {
  readonly error: ApiError;
  readonly retryAt: number;
  readonly backoffMs: number;
  /** Whether an old session was still good for use. */
  readonly usable: boolean;
}

/**
 * Temporary credentials: one fetch in flight whoever waits for it, renewed ahead of their end while the old ones stay in
 * use, and no storm of fetches when they cannot be had.
 */
export class SessionCredentials implements CredentialsProvider {
  readonly #options: SessionOptions;
  readonly #waiting = new InFlight();
  #session: Session | undefined;
  #failure: Failure | undefined;
  #fetching: Promise<ApiResult<Credentials>> | undefined;
  #forcedAt = -Infinity;
  /** The secrets as of the last fetch. */
  #texts: readonly string[] | undefined;
  /** The next session is had with other secrets than the last one, or comes after a reload that found none at hand. */
  #isAnother = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  current(): Credentials | undefined {
    const session = this.#session;
    const now = this.#options.clock.now();
    if (session === undefined || now >= session.usableUntil) return undefined;
    if (now >= session.refreshAt && now >= (this.#failure?.retryAt ?? 0)) void this.#refresh();
    return session.credentials;
  }

  fetch(signal: AbortSignal): Promise<ApiResult<Credentials>> {
    const failure = this.#failure;
    if (this.#fetching === undefined && failure !== undefined && this.#options.clock.now() < failure.retryAt) {
      return Promise.resolve({ ok: false, error: failure.error });
    }
    return this.#unlessAborted(this.#refresh(), signal);
  }

  review(error: ApiError, used: Credentials): ApiError {
    const expired =
      error.kind === 'token_expired' ||
      // How some gateways answer a token that has run out.
      (error.code === 'InvalidAccessKeyId.NotFound' && used.securityToken !== undefined);
    if (!expired) return error;
    if (this.#session?.credentials !== used) return { ...error, kind: 'token_expired' };
    const now = this.#options.clock.now();
    if (now - this.#forcedAt < FORCED_REFRESH_MS) return { ...error, kind: 'key_rejected' };
    this.#forcedAt = now;
    this.#session = undefined;
    return { ...error, kind: 'token_expired' };
  }

  state(): CredentialsState {
    const healthy = this.#failure === undefined || this.#isUsable();
    const problem = this.#failure?.error.message;
    return { type: this.#options.type, healthy, problem, expiresAt: this.#session?.expiresAt };
  }

  lookAgain(): void {
    this.#options.parent?.lookAgain();
    this.#isAnother ||= this.#failure !== undefined;
    const isEndless = this.#session !== undefined && this.#session.expiresAt === undefined;
    if (!this.#isAnother && !isEndless && !this.#isOutdated(this.#readSecrets())) return;
    void (this.#fetching ?? Promise.resolve()).then(() => this.#refresh());
  }

  #readSecrets(): readonly string[] {
    return this.#options.secrets.map((secret) => secret.reveal());
  }

  #isOutdated(texts: readonly string[]): boolean {
    return this.#texts?.some((text, index) => text !== texts[index]) ?? false;
  }

  #isUsable(): boolean {
    return this.#session !== undefined && this.#options.clock.now() < this.#session.usableUntil;
  }

  #refresh(): Promise<ApiResult<Credentials>> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<ApiResult<Credentials>> {
    const texts = this.#readSecrets();
    this.#isAnother ||= this.#isOutdated(texts);
    this.#texts = texts;
    const fetched = await this.#bounded();
    if (!fetched.ok) return { ok: false, error: this.#failed(fetched.error) };
    const session = sessionOf(fetched.value, this.#options.clock);
    this.#isAnother ||= isAnotherKey(this.#session, session);
    this.#session = session;
    this.#recovered();
    if (this.#isAnother) this.#options.onChanged?.();
    this.#isAnother = false;
    return { ok: true, value: session.credentials };
  }

  /** What the source gives, or an error if it takes too long. */
  #bounded(): Promise<ApiResult<FetchedCredentials>> {
    const { clock, source } = this.#options;
    const limit = new AbortController();
    return new Promise((resolve) => {
      const cancel = clock.after(FETCH_LIMIT_MS, () => {
        limit.abort();
        resolve({ ok: false, error: credentialsError(`no credentials within ${FETCH_LIMIT_MS / 1000} s`) });
      });
      void source(limit.signal).then((fetched) => {
        cancel();
        resolve(fetched);
      });
    });
  }

  /** The result, or `aborted` as soon as the signal says so. */
  #unlessAborted<T>(result: Promise<ApiResult<T>>, signal: AbortSignal): Promise<ApiResult<T>> {
    if (signal.aborted) return Promise.resolve(aborted());
    return new Promise((resolve) => {
      const finish = (outcome: ApiResult<T>): void => {
        this.#waiting.remove(signal, waiter);
        resolve(outcome);
      };
      const waiter = { slot: 0, abort: () => finish(aborted()) };
      this.#waiting.add(signal, waiter);
      void result.then(finish);
    });
  }

  #failed(error: ApiError): ApiError {
    const { account, type, log, clock } = this.#options;
    const before = this.#failure;
    const usable = this.#isUsable();
    const backoffMs = before === undefined ? FIRST_BACKOFF_MS : Math.min(2 * before.backoffMs, MAX_BACKOFF_MS);
    this.#failure = { error, backoffMs, usable, retryAt: clock.now() + backoffMs };
    if (before?.usable !== usable) {
      log.warn(usable ? 'credentials not renewed, the old ones still work' : 'no credentials', {
        account,
        credentials_type: type,
        problem: error.message,
      });
    }
    return error;
  }

  #recovered(): void {
    const { account, type, log } = this.#options;
    if (this.#failure !== undefined) log.info('credentials recovered', { account, credentials_type: type });
    this.#failure = undefined;
  }
}

/** A role's sessions all have keys of their own; a key that does not expire is another when it was exchanged. */
function isAnotherKey(before: Session | undefined, { credentials: { accessKeyId } }: Session): boolean {
  return before !== undefined && before.expiresAt === undefined && before.credentials.accessKeyId !== accessKeyId;
}

function sessionOf(fetched: FetchedCredentials, clock: Clock): Session {
  const now = clock.now();
  const credentials = createCredentials(fetched);
  if (fetched.expiresAtWall === undefined) {
    return { credentials, refreshAt: now + REREAD_MS, usableUntil: Infinity, expiresAt: undefined };
  }
  const lifetimeMs = Math.max(fetched.expiresAtWall - clock.toWall(now), MIN_LIFETIME_MS);
  const expiresAt = now + lifetimeMs;
  return {
    credentials,
    refreshAt: expiresAt - Math.min(MAX_AHEAD_MS, lifetimeMs / 3),
    usableUntil: expiresAt - Math.min(5_000, lifetimeMs / 10),
    expiresAt,
  };
}
