import { createHash } from 'node:crypto';
import type { Secret } from '../../secret.js';
import { decoyHash } from './bcrypt-hash.js';

/** `busy`: too many passwords wait to be compared. */
export type Verdict = 'granted' | 'denied' | 'busy';

/** Compares a password with a bcrypt hash; called for one at a time. */
export type Compare = (password: string, hash: string) => Promise<boolean>;

export interface LoginAttempt {
  /** The value of the Authorization header. */
  readonly authorization: string | undefined;
  /** The client's address. */
  readonly from: string;
}

const MAX_REMEMBERED = 100;
/** Who guesses passwords waits for himself: one address cannot fill the queue that others need. */
const MAX_WAITING = 32;
const MAX_WAITING_PER_ADDRESS = 4;

/**
 * Basic authentication against bcrypt hashes. Results are remembered by user, hash and password together, so that a
 * changed hash is in force at once; compares run one after the other; an unknown user costs what a known one does.
 */
export class BasicAuth {
  readonly #compare: Compare;
  readonly #remembered = new Map<string, boolean>();
  readonly #waiting = new Map<string, { readonly from: string; readonly result: Promise<boolean> }>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(compare: Compare) {
    this.#compare = compare;
  }

  /** Rejects as `compare` does. */
  async check(users: ReadonlyMap<string, Secret>, { authorization, from }: LoginAttempt): Promise<Verdict> {
    const login = parseBasic(authorization);
    if (login === undefined) return 'denied';
    const known = users.get(login.user);
    const hash = known?.reveal() ?? decoyHash(users.values());
    const key = digest([login.user, hash, login.password]);
    let same = this.#remembered.get(key);
    if (same === undefined) {
      const result =
        this.#waiting.get(key)?.result ?? this.#enqueue(key, from, () => this.#compare(login.password, hash));
      if (result === undefined) return 'busy';
      same = await result;
    }
    return same && known !== undefined ? 'granted' : 'denied';
  }

  #enqueue(key: string, from: string, compare: () => Promise<boolean>): Promise<boolean> | undefined {
    const own = Array.from(this.#waiting.values()).filter((other) => other.from === from).length;
    if (this.#waiting.size >= MAX_WAITING || own >= MAX_WAITING_PER_ADDRESS) return undefined;
    const result = this.#last
      .then(compare)
      .then((same) => {
        this.#remember(key, same);
        return same;
      })
      .finally(() => this.#waiting.delete(key));
    this.#last = result.catch(() => undefined);
    this.#waiting.set(key, { from, result });
    return result;
  }

  /** Refusals give way first: guessing must not push out those who know their password. */
  #remember(key: string, same: boolean): void {
    if (this.#remembered.size >= MAX_REMEMBERED) {
      const refused = Array.from(this.#remembered).find(([, granted]) => !granted)?.[0];
      const oldest = refused ?? this.#remembered.keys().next().value;
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    this.#remembered.set(key, same);
  }
}

function parseBasic(authorization: string | undefined): { user: string; password: string } | undefined {
  const encoded = /^basic ((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/i.exec(
    authorization ?? '',
  )?.[1];
  const decoded = Buffer.from(encoded ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** The lengths keep the parts apart; no password stays in memory in clear. */
function digest(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('base64');
}
