import type { ApiError, ApiResult } from '../../domain/model.js';
import type { CredentialsSpec } from '../../domain/credentials.js';
import type { Credentials } from '../sign.js';

/** The credentials of one account, shared by its regions. */
export interface CredentialsProvider {
  /** What is at hand, so that an attempt awaits nothing; undefined when it must be fetched first. */
  current(): Credentials | undefined;
  /** Waits, at most some seconds, until there are credentials or it is clear that there are none. */
  fetch(signal: AbortSignal): Promise<ApiResult<Credentials>>;
  /**
   * Looks at the API's refusal of credentials. It is `token_expired` if other ones are at hand or on their way, so that
   * a retry makes sense, and `key_rejected` if not.
   */
  review(error: ApiError, used: Credentials): ApiError;
  state(): CredentialsState;
  /** Looks now whether what the credentials are had with or from is another: a reload asks for it. */
  lookAgain(): void;
}

/** For people; a snapshot. */
export interface CredentialsState {
  readonly type: CredentialsSpec['type'];
  /** False when requests cannot be signed. */
  readonly healthy: boolean;
  /** Why credentials could not be had or renewed, and what to do. */
  readonly problem: string | undefined;
  /** On the steady timeline; undefined when they do not expire or nobody said when. */
  readonly expiresAt: number | undefined;
}

/** No credentials could be had, so nothing was sent: whoever hands them out refused, or could not be asked. */
export function credentialsError(message: string, isRefused = false): ApiError {
  const [kind, code] = isRefused
    ? (['key_rejected', 'CredentialsRefused'] as const)
    : (['credentials', 'CredentialsError'] as const);
  return { kind, code, message, requestId: undefined, retryAfterMs: undefined };
}

const PRINTABLE = /^[\x21-\x7e]+$/;

/** Whether a header can carry it: a key with a space or a control character is a paste gone wrong. */
export function isUsableKey(text: string): boolean {
  return PRINTABLE.test(text);
}
