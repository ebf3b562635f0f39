import type { KeyObject } from 'node:crypto';
import { createSecretKey } from 'node:crypto';
import { Nonces } from './nonces.js';
import type { Refusal } from './refusal.js';
import { missing, refusal } from './refusal.js';
import type { SignedRequest } from './signature.js';
import { isSignedWith, parseAuthorization, stringToSign, unsignedHeader } from './signature.js';

/** An access key of an account. */
export interface AccessKey {
  readonly account: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Temporary credentials have one, and every call must carry it. */
  readonly securityToken?: string | undefined;
  /** When the security token runs out, in milliseconds since the epoch; never unless given. */
  readonly expiresAtMs?: number | undefined;
}

const API_VERSION = '2014-08-15';
const CLOCK_TOLERANCE_MS = 15 * 60_000;
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** Lets in only what is signed by a known key, now, and for the first time. */
export class Gateway {
  readonly #keys = new Map<string, { key: AccessKey; secret: KeyObject }>();
  readonly #nonces = new Nonces(2 * CLOCK_TOLERANCE_MS);

  addKey(key: AccessKey): void {
    this.#keys.set(key.accessKeyId, { key, secret: createSecretKey(key.accessKeySecret, 'utf8') });
  }

  removeKey(accessKeyId: string): void {
    this.#keys.delete(accessKeyId);
  }

  /** The account that signed the request, or why it is refused. `nowMs` is the wall clock's. */
  admit(request: SignedRequest, nowMs: number): { readonly account: string } | Refusal {
    if (request.method !== 'POST' && request.method !== 'GET') return refusal('UnsupportedHTTPMethod');
    const authorization = parseAuthorization(request.headers.authorization);
    if (authorization === undefined) return refusal('IncompleteSignature');
    const { accessKeyId, signedHeaders, signature } = authorization;
    const known = this.#keys.get(accessKeyId);
    if (known === undefined) return refusal('InvalidAccessKeyId.NotFound');
    const unsigned = unsignedHeader(request.headers, signedHeaders);
    if (unsigned !== undefined)
      return refusal('IncompleteSignature', { message: `The header ${unsigned} is not signed.` });
    const late = checkDate(request.headers['x-acs-date'], nowMs) ?? checkVersion(request.headers['x-acs-version']);
    if (late !== undefined) return late;
    const text = stringToSign(request, signedHeaders);
    const declared = request.headers['x-acs-content-sha256'];
    if (declared !== request.bodyHash || !isSignedWith(known.secret, text, signature)) return mismatch(text);
    return (
      checkToken(known.key, request.headers, nowMs) ??
      this.#checkNonce(accessKeyId, request.headers['x-acs-signature-nonce'], nowMs) ?? { account: known.key.account }
    );
  }

  #checkNonce(accessKeyId: string, nonce: string | string[] | undefined, nowMs: number): Refusal | undefined {
    if (typeof nonce !== 'string' || nonce === '') return missing('SignatureNonce');
    return this.#nonces.use(`${accessKeyId} ${nonce}`, nowMs) ? undefined : refusal('SignatureNonceUsed');
  }
}

function mismatch(text: string): Refusal {
  const shown = text.replace('\n', '\\n');
  return refusal('SignatureDoesNotMatch', {
    message: `Specified signature is not matched with our calculation. server StringToSign is [${shown}]`,
  });
}

function checkDate(date: string | string[] | undefined, nowMs: number): Refusal | undefined {
  const parsedMs = typeof date === 'string' && DATE.test(date) ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(parsedMs)) return refusal('InvalidTimeStamp.Format');
  return Math.abs(nowMs - parsedMs) > CLOCK_TOLERANCE_MS ? refusal('InvalidTimeStamp.Expired') : undefined;
}

function checkVersion(version: string | string[] | undefined): Refusal | undefined {
  return version === API_VERSION ? undefined : refusal('NoSuchVersion');
}

function checkToken(key: AccessKey, headers: SignedRequest['headers'], nowMs: number): Refusal | undefined {
  const token = headers['x-acs-security-token'];
  if (key.securityToken === undefined) {
    return token === undefined ? undefined : refusal('InvalidSecurityToken.MismatchWithAccessKey');
  }
  if (token === undefined) return refusal('MissingSecurityToken');
  if (token !== key.securityToken) return refusal('InvalidSecurityToken.Malformed');
  return nowMs >= (key.expiresAtMs ?? Infinity) ? refusal('InvalidSecurityToken.Expired') : undefined;
}
