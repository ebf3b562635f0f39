import type { Clock } from '../../clock.js';
import type { ApiError, ApiResult } from '../../domain/model.js';
import type { Secret } from '../../secret.js';
import { credentialsError, isUsableKey } from './credentials.js';
import type { CredentialsProvider, CredentialsState } from './credentials.js';
import { createCredentials } from '../sign.js';
import type { Credentials } from '../sign.js';

/** Secrets that live in files are looked at this often, not at every attempt. */
const REREAD_MS = 1_000;

export interface StaticKeys {
  readonly accessKeyId: Secret;
  readonly accessKeySecret: Secret;
  readonly securityToken?: Secret | undefined;
}

export interface StaticOptions {
  readonly keys: StaticKeys;
  readonly type: CredentialsState['type'];
  readonly providerName: string;
  readonly clock: Clock;
  readonly onChanged: (() => void) | undefined;
}

/** Keys from the configuration or the environment, following the files that they live in. */
export class StaticCredentials implements CredentialsProvider {
  readonly #options: StaticOptions;
  #readAt = -Infinity;
  #texts: readonly string[] = [];
  #credentials: Credentials | undefined;
  #problem: string | undefined;

  constructor(options: StaticOptions) {
    this.#options = options;
  }

  current(): Credentials | undefined {
    const now = this.#options.clock.now();
    if (now - this.#readAt >= REREAD_MS) {
      this.#readAt = now;
      this.#read();
    }
    return this.#credentials;
  }

  fetch(): Promise<ApiResult<Credentials>> {
    const value = this.current();
    return Promise.resolve(
      value === undefined ? { ok: false, error: credentialsError(this.#problem ?? '') } : { ok: true, value },
    );
  }

  review(error: ApiError, used: Credentials): ApiError {
    if (error.kind !== 'token_expired' && error.kind !== 'key_rejected') return error;
    this.lookAgain();
    if (this.current() !== used) return { ...error, kind: 'token_expired' };
    return { ...error, kind: 'key_rejected' };
  }

  state(): CredentialsState {
    const healthy = this.current() !== undefined;
    return { type: this.#options.type, healthy, problem: this.#problem, expiresAt: undefined };
  }

  lookAgain(): void {
    this.#readAt = -Infinity;
    this.current();
  }

  #read(): void {
    const { keys, providerName, onChanged } = this.#options;
    const secrets = [keys.accessKeyId, keys.accessKeySecret, keys.securityToken];
    const texts = secrets.flatMap((secret) => (secret === undefined ? [] : [secret.reveal()]));
    const isFirst = this.#texts.length === 0;
    if (!isFirst && texts.every((text, index) => text === this.#texts[index])) return;
    this.#texts = texts;
    const [accessKeyId = '', accessKeySecret = '', securityToken] = texts;
    const usable = texts.every(isUsableKey);
    this.#problem = usable
      ? undefined
      : 'the access key holds spaces, control characters or nothing: check access_key_id, access_key_secret and security_token';
    this.#credentials = usable
      ? createCredentials({ accessKeyId, accessKeySecret, securityToken, providerName })
      : undefined;
    if (!isFirst) onChanged?.();
  }
}
