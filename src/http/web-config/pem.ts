import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Field, YamlFile } from './yaml-file.js';

/** A PEM text given inline or by file, and the field to blame for it. */
export interface Pem {
  readonly field: Field;
  readonly text: string;
}

interface Sources {
  readonly name: string;
  readonly inline: Field | undefined;
  readonly file: Field | undefined;
  readonly readFile: (path: string) => Buffer;
}

/** Undefined if it is given in no way or in both, or cannot be read; but for the first, that is a problem. */
export function readPem(yaml: YamlFile, { name, inline, file, readFile }: Sources): Pem | undefined {
  const [given, path] = [yaml.text(inline) || undefined, yaml.text(file) || undefined];
  if (given !== undefined && inline) {
    return path !== undefined && file
      ? yaml.fail(file, `must not stand beside ${name}`)
      : { field: inline, text: given };
  }
  if (path === undefined || !file) return undefined;
  try {
    return { field: file, text: readFile(path).toString('utf8') };
  } catch (error) {
    return yaml.fail(file, `cannot be read: ${errorCode(error)}`);
  }
}

/** Such as ENOENT. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

/** No message of OpenSSL is shown: it says less than these, and no part of a key can be in them. */
export function checkPair(yaml: YamlFile, cert: Pem, key: Pem): void {
  const certificate = attempt(() => (CERTIFICATE.test(cert.text) ? new X509Certificate(cert.text) : undefined));
  const privateKey = attempt(() => createPrivateKey({ key: key.text, format: 'pem' }));
  if (!certificate) yaml.fail(cert.field, 'holds no PEM certificate');
  if (!privateKey) yaml.fail(key.field, 'holds no PEM private key, or one that is encrypted');
  if (certificate && privateKey && !certificate.checkPrivateKey(privateKey)) {
    yaml.fail(key.field, 'is not the key of the certificate');
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/;

/** The readable certificates of a PEM text; the rest is passed over, as Go does. */
export function certificatesOf(text: string): readonly string[] {
  const blocks = text.match(new RegExp(CERTIFICATE, 'g')) ?? [];
  return blocks.filter((block) => attempt(() => new X509Certificate(block)) !== undefined);
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
