import { toUSVString } from 'node:util';

const MAX_LENGTH = 300;

/**
 * A text of the network made fit for logs and pages: one line, at most 300 characters, without anything that is or could
 * be a secret. `secrets` are the values that were sent.
 */
export function redact(text: string, secrets: readonly (string | undefined)[] = []): string {
  let safe = text.slice(0, 10 * MAX_LENGTH);
  for (const secret of secrets) {
    if (secret === undefined || secret === '') continue;
    for (const form of [secret, encodeURIComponent(Buffer.from(secret).toString())])
      safe = safe.replaceAll(form, '<secret>');
  }
  safe = safe
    // A refused signature is answered with the string that was signed, the access key and the token in it.
    .replace(/\s*\(?\bserver\s+(?:string ?to ?sign|canonical ?request).*$/is, '')
    .replaceAll(/\?[\w.-]+=\S*/g, '?<secret>')
    .replaceAll(
      /\b(signature|authorization|credential|security-?token|access-?key-?(?:id|secret))\s*[=:]\s*\S+/gi,
      '$1=<secret>',
    )
    .replaceAll(/\b(?:LTAI|STS\.)[A-Za-z0-9]{8,}/g, '<secret>')
    .replaceAll(/[A-Za-z0-9+/=%_]{40,}/g, '<secret>')
    .replaceAll(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return toUSVString(safe.length > MAX_LENGTH ? `${safe.slice(0, MAX_LENGTH - 1)}…` : safe);
}
