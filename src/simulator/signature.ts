import type { KeyObject } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/**
 * ACS3-HMAC-SHA256 as a server reads it, written apart from the exporter's own signer so that a mistake cannot agree
 * with itself. Source: alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
 */

export const ALGORITHM = 'ACS3-HMAC-SHA256';

/** What of a request is signed. */
export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  /** Decoded: clients differ in what they escape on the wire (`!()*`) but not in what they sign. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  /** SHA-256 of the body, hexadecimal. */
  readonly bodyHash: string;
}

export interface Authorization {
  readonly accessKeyId: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const AUTHORIZATION = /^ACS3-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/;

export function parseAuthorization(header: string | undefined): Authorization | undefined {
  const [, accessKeyId, names, signature] = AUTHORIZATION.exec(header ?? '') ?? [];
  if (accessKeyId === undefined || names === undefined || signature === undefined) return undefined;
  return { accessKeyId, signedHeaders: names.split(';'), signature };
}

/** A header that must be signed and is not; undefined when all are. */
export function unsignedHeader(headers: IncomingHttpHeaders, signed: readonly string[]): string | undefined {
  if (!signed.includes('host')) return 'host';
  for (const name in headers) {
    if ((name.startsWith('x-acs-') || name === 'content-type') && !signed.includes(name)) return name;
  }
  return undefined;
}

/** The text that the client must have signed. */
export function stringToSign(request: SignedRequest, signedHeaders: readonly string[]): string {
  const given = new Map(Object.entries(request.headers));
  const headers = signedHeaders.toSorted().map((name) => `${name}:${headerText(given.get(name)).trim()}\n`);
  const canonical = [
    request.method,
    request.path,
    canonicalQuery(request.parameters),
    headers.join(''),
    signedHeaders.join(';'),
    request.bodyHash,
  ];
  return `${ALGORITHM}\n${sha256Hex(canonical.join('\n'))}`;
}

export function isSignedWith(secret: KeyObject, text: string, signature: string): boolean {
  const expected = createHmac('sha256', secret).update(text).digest();
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'));
}

export function sha256Hex(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function canonicalQuery(parameters: ReadonlyMap<string, string>): string {
  const names = [...parameters.keys()].toSorted();
  return names.map((name) => `${name}=${escaped(parameters.get(name) ?? '')}`).join('&');
}

/** RFC 3986: encodeURIComponent leaves five characters that must be escaped. */
function escaped(value: string): string {
  return encodeURIComponent(value).replaceAll(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function headerText(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value ?? []).join(',');
}
