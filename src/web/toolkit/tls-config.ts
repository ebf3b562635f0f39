import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Secret } from '../../secret.js';
import { shown } from './yaml-file.js';
import type { Field, YamlFile } from './yaml-file.js';

export const CLIENT_AUTH = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
export type ClientAuth = (typeof CLIENT_AUTH)[number];

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** The checked `tls_server_config`, files read. The certificate and the key belong together. */
export interface TlsConfig {
  readonly cert: string;
  readonly key: Secret;
  /** The certificates that client certificates are checked against, PEM; undefined: the public authorities. */
  readonly clientCa: readonly string[] | undefined;
  readonly clientAuth: ClientAuth;
  /** Undefined: any; an empty list: none. */
  readonly allowedSans: readonly string[] | undefined;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL's names, for versions up to TLS 1.2. Undefined: Node's defaults. */
  readonly ciphers: readonly string[] | undefined;
  readonly preferServerCiphers: boolean;
  /** OpenSSL's names. Undefined: the default. */
  readonly curves: readonly string[] | undefined;
}

const VERSIONS: Readonly<Record<string, TlsVersion>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

const CURVES: Readonly<Record<string, string>> = {
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
  X25519: 'X25519',
};

/** Go's `tls.CipherSuites()`. Those of TLS 1.3 may be named but not chosen among: all three are always on. */
const CIPHERS: Readonly<Record<string, string>> = {
  TLS_AES_128_GCM_SHA256: 'TLS_AES_128_GCM_SHA256',
  TLS_AES_256_GCM_SHA384: 'TLS_AES_256_GCM_SHA384',
  TLS_CHACHA20_POLY1305_SHA256: 'TLS_CHACHA20_POLY1305_SHA256',
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
};

const KEYS = [
  'cert',
  'key',
  'client_ca',
  'cert_file',
  'key_file',
  'client_ca_file',
  'client_auth_type',
  'client_allowed_sans',
  'min_version',
  'max_version',
  'cipher_suites',
  'prefer_server_cipher_suites',
  'curve_preferences',
] as const;

interface Surroundings {
  /** Whether there is a last good configuration to fall back on; then a client CA without a certificate is an error. */
  readonly following: boolean;
  readonly readFile: (path: string) => Buffer;
  readonly warn: (warning: string) => void;
}

type Section = ReadonlyMap<(typeof KEYS)[number], Field>;

/** A PEM text given inline or by file, and the field to blame for it. */
interface Pem {
  readonly field: Field;
  readonly text: string;
}

/** Undefined without a key that switches TLS on: certificate, key, client CA or `client_auth_type`. */
export function readTlsConfig(
  yaml: YamlFile,
  field: Field | undefined,
  { readFile, warn, following }: Surroundings,
): TlsConfig | undefined {
  const section: Section = yaml.section(field, KEYS);
  const text = (key: (typeof KEYS)[number]): string | undefined => yaml.text(section.get(key)) || undefined;
  const [minVersion, maxVersion] = [
    version(yaml, section.get('min_version')),
    version(yaml, section.get('max_version')),
  ];
  const settings = {
    allowedSans: yaml.list(section.get('client_allowed_sans'))?.map((item) => yaml.text(item) ?? ''),
    minVersion: minVersion ?? 'TLSv1.2',
    maxVersion: maxVersion ?? 'TLSv1.3',
    ciphers: names(yaml, section.get('cipher_suites'), CIPHERS),
    preferServerCiphers: yaml.flag(section.get('prefer_server_cipher_suites')) ?? true,
    curves: names(yaml, section.get('curve_preferences'), CURVES),
  };
  const switches = ['cert', 'cert_file', 'key', 'key_file', 'client_ca', 'client_ca_file', 'client_auth_type'] as const;
  if (field === undefined || !switches.some((key) => text(key) !== undefined)) {
    if (section.size > 0) warn('tls_server_config names no certificate, so TLS stays off');
    return undefined;
  }
  const pem = (name: 'cert' | 'key' | 'client_ca'): Pem | undefined => {
    const [inline, file] = [section.get(name), section.get(`${name}_file`)];
    const [given, path] = [text(name), text(`${name}_file`)];
    if (given !== undefined && path !== undefined && file) yaml.fail(file, `must not stand beside ${name}`);
    else if (given !== undefined && inline) return { field: inline, text: given };
    else if (path !== undefined && file) return readPem(yaml, file, () => readFile(path));
    else if (name !== 'client_ca') yaml.fail(field, `needs ${name} or ${name}_file`);
    return undefined;
  };
  const [cert, key, ca] = [pem('cert'), pem('key'), pem('client_ca')];
  const clientAuth = readClientAuth(yaml, section, ca);
  if (cert && key) checkPair(yaml, cert, key);
  if (settings.minVersion > settings.maxVersion) warn('min_version is above max_version: no client can connect');
  const clientCa = ca && certificatesOf(ca.text);
  if (ca && clientCa?.length === 0 && following) yaml.fail(ca.field, 'holds no PEM certificate');
  else if (clientCa?.length === 0) warn('the client CA holds no certificate: no client certificate is trusted');
  if (!ca && clientAuth.includes('Verify'))
    warn('without client_ca_file, certificates of any public authority are trusted');
  return Object.freeze({ ...settings, cert: cert?.text ?? '', key: new Secret(key?.text ?? ''), clientCa, clientAuth });
}

function readPem(yaml: YamlFile, field: Field, read: () => Buffer): Pem | undefined {
  try {
    return { field, text: read().toString('utf8') };
  } catch (error) {
    return yaml.fail(field, `cannot be read: ${errorCode(error)}`);
  }
}

/** Such as ENOENT. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

function readClientAuth(yaml: YamlFile, section: Section, ca: Pem | undefined): ClientAuth {
  const field = section.get('client_auth_type');
  const text = yaml.text(field) || 'NoClientCert';
  const type = text === 'RequireClientCert' ? 'RequireAnyClientCert' : CLIENT_AUTH.find((known) => known === text);
  const sans = section.get('client_allowed_sans');
  if (field && type === undefined) yaml.fail(field, `${shown(text)} is none of ${CLIENT_AUTH.join(', ')}`);
  if (ca && type === 'NoClientCert') yaml.fail(ca.field, 'needs a client_auth_type that asks for a certificate');
  if (yaml.list(sans) !== undefined && sans && type !== undefined && !type.startsWith('Require')) {
    yaml.fail(sans, 'needs client_auth_type RequireAndVerifyClientCert or RequireAnyClientCert');
  }
  return type ?? 'NoClientCert';
}

function version(yaml: YamlFile, field: Field | undefined): TlsVersion | undefined {
  const text = yaml.text(field);
  if (field === undefined || text === undefined) return undefined;
  return lookup(VERSIONS, text) ?? yaml.fail(field, `${shown(text)} is none of ${Object.keys(VERSIONS).join(', ')}`);
}

/** The list in OpenSSL's names; undefined when it is left out or empty. */
function names(
  yaml: YamlFile,
  field: Field | undefined,
  known: Readonly<Record<string, string>>,
): readonly string[] | undefined {
  const found: string[] = [];
  for (const item of yaml.list(field) ?? []) {
    const text = yaml.text(item) ?? '';
    const name = lookup(known, text);
    if (name === undefined) yaml.fail(item, `${shown(text)} is none of ${Object.keys(known).join(', ')}`);
    else found.push(name);
  }
  return found.length > 0 ? found : undefined;
}

function lookup<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** No message of OpenSSL is shown: it says less than these, and no part of a key can be in them. */
function checkPair(yaml: YamlFile, cert: Pem, key: Pem): void {
  const certificate = attempt(() => (cert.text.includes('-----BEGIN ') ? new X509Certificate(cert.text) : undefined));
  const privateKey = attempt(() => createPrivateKey({ key: key.text, format: 'pem' }));
  if (!certificate) yaml.fail(cert.field, 'holds no PEM certificate');
  if (!privateKey) yaml.fail(key.field, 'holds no PEM private key, or one that is encrypted');
  if (certificate && privateKey && !certificate.checkPrivateKey(privateKey)) {
    yaml.fail(key.field, 'is not the key of the certificate');
  }
}

/** The readable certificates of a PEM text; the rest is passed over, as Go does. */
function certificatesOf(text: string): readonly string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.filter((block) => attempt(() => new X509Certificate(block)) !== undefined);
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
