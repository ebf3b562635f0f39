import { createHmac, createSecretKey, hash, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/**
 * ACS3-HMAC-SHA256 for RPC calls: POST to `/`, parameters in the query, an empty body.
 * https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
 */

/** What a request is signed with. The secret is kept as a key object, which no inspection or JSON shows. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly key: KeyObject;
  readonly securityToken: string | undefined;
  /** Where they came from, as the official SDKs name it (`static_ak`, `default/env`); sent along when known. */
  readonly providerName: string | undefined;
}

export interface PlainCredentials {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string | undefined;
  readonly providerName?: string | undefined;
}

export interface SigningRequest {
  /** With the port, when it is not the scheme's own. */
  readonly host: string;
  readonly action: string;
  readonly version: string;
  /** As `canonicalQuery` gives it. */
  readonly query: string;
  /** `yyyy-MM-ddTHH:mm:ssZ`, at most 15 minutes off the server's. */
  readonly date: string;
  /** Never the same twice. */
  readonly nonce: string;
}

const ALGORITHM = 'ACS3-HMAC-SHA256';
const EMPTY_BODY_HASH = hash('sha256', '', 'hex');

export function createCredentials(plain: PlainCredentials): Credentials {
  return {
    accessKeyId: plain.accessKeyId,
    key: createSecretKey(plain.accessKeySecret, 'utf8'),
    securityToken: plain.securityToken,
    providerName: plain.providerName,
  };
}

/** Sorted by name, values percent-encoded by RFC 3986, undefined ones left out. It is also the query to send. */
export function canonicalQuery(parameters: Readonly<Record<string, string | undefined>>): string {
  const names = Object.keys(parameters);
  let query = '';
  for (const name of names.length > 1 ? names.toSorted() : names) {
    const value = parameters[name];
    if (value !== undefined) query += `${query === '' ? '' : '&'}${name}=${encode(value)}`;
  }
  return query;
}

/** Every header of a signed request but `host`, which the HTTP client adds: names and values in turn. */
export function signedHeaders(request: SigningRequest, credentials: Credentials): string[] {
  const { securityToken, providerName } = credentials;
  const headers = [
    'authorization',
    authorization(request, credentials),
    'x-acs-action',
    request.action,
    'x-acs-content-sha256',
    EMPTY_BODY_HASH,
    'x-acs-date',
    request.date,
    'x-acs-signature-nonce',
    request.nonce,
    'x-acs-version',
    request.version,
  ];
  if (securityToken !== undefined) {
    headers.push('x-acs-accesskey-id', credentials.accessKeyId, 'x-acs-security-token', securityToken);
  }
  if (providerName !== undefined) headers.push('x-acs-credentials-provider', providerName);
  return headers;
}

/** The value of the `Authorization` header. */
export function authorization(request: SigningRequest, credentials: Credentials): string {
  const { accessKeyId, securityToken, providerName } = credentials;
  const sts = securityToken !== undefined;
  const provider = providerName !== undefined;
  const names = `host${sts ? ';x-acs-accesskey-id' : ''};x-acs-action;x-acs-content-sha256${
    provider ? ';x-acs-credentials-provider' : ''
  };x-acs-date${sts ? ';x-acs-security-token' : ''};x-acs-signature-nonce;x-acs-version`;
  // In the order of the names: the specification sorts them.
  const headers =
    `host:${request.host}\n` +
    (sts ? `x-acs-accesskey-id:${accessKeyId}\n` : '') +
    `x-acs-action:${request.action}\nx-acs-content-sha256:${EMPTY_BODY_HASH}\n` +
    (provider ? `x-acs-credentials-provider:${providerName}\n` : '') +
    `x-acs-date:${request.date}\n` +
    (sts ? `x-acs-security-token:${securityToken}\n` : '') +
    `x-acs-signature-nonce:${request.nonce}\nx-acs-version:${request.version}\n`;
  const canonicalRequest = `POST\n/\n${request.query}\n${headers}\n${names}\n${EMPTY_BODY_HASH}`;
  const stringToSign = `${ALGORITHM}\n${hash('sha256', canonicalRequest, 'hex')}`;
  const signature = createHmac('sha256', credentials.key).update(stringToSign).digest('hex');
  return `${ALGORITHM} Credential=${accessKeyId},SignedHeaders=${names},Signature=${signature}`;
}

/** `yyyy-MM-ddTHH:mm:ssZ` of a wall-clock time in milliseconds. */
export function signingDate(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`;
}

/** `signingDate`, made once a second. */
export function createSigningDates(): (wallMs: number) => string {
  let second: number | undefined;
  let date = '';
  return (wallMs) => {
    const now = Math.floor(wallMs / 1000);
    if (now !== second) {
      second = now;
      date = signingDate(wallMs);
    }
    return date;
  };
}

/** Nonces that are unique across processes by a random prefix, and within one by a counter. */
export function createNonces(random: (size: number) => Buffer = randomBytes): () => string {
  const prefix = random(16).toString('hex');
  let count = 0;
  return () => prefix + (count++).toString(36);
}

const UNRESERVED = /^[A-Za-z0-9_.~-]*$/;

function encode(value: string): string {
  if (UNRESERVED.test(value)) return value;
  // A lone surrogate, which JSON can carry, would make encodeURIComponent throw.
  const wellFormed = Buffer.from(value).toString();
  return encodeURIComponent(wellFormed).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
