import { Secret } from '../../secret.js';
import { certificatesOf, checkPair, readPem } from './pem.js';
import type { Pem } from './pem.js';
import { CIPHERS, CURVES, lookup, VERSIONS } from './tls-names.js';
import type { TlsVersion } from './tls-names.js';
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
  readonly warn: (warning: string) => unknown;
}

type Section = ReadonlyMap<(typeof KEYS)[number], Field>;

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
  const pem = (name: 'cert' | 'key' | 'client_ca'): Pem | undefined =>
    readPem(yaml, { name, inline: section.get(name), file: section.get(`${name}_file`), readFile });
  const [cert, key, ca] = [pem('cert'), pem('key'), pem('client_ca')];
  for (const name of ['cert', 'key'] as const) {
    if (text(name) === undefined && text(`${name}_file`) === undefined)
      yaml.fail(field, `needs ${name} or ${name}_file`);
  }
  const clientAuth = readClientAuth(yaml, section, ca);
  if (cert && key) checkPair(yaml, cert, key);
  if (settings.minVersion > settings.maxVersion) warn('min_version is above max_version: no client can connect');
  const clientCa = ca && certificatesOf(ca.text);
  if (ca && clientCa?.length === 0 && following) yaml.fail(ca.field, 'holds no PEM certificate');
  else if (clientCa?.length === 0) warn('the client CA holds no certificate: no client certificate is trusted');
  if (!ca && clientAuth.includes('Verify'))
    warn('without a client CA, certificates of any public authority are trusted');
  return Object.freeze({ ...settings, cert: cert?.text ?? '', key: new Secret(key?.text ?? ''), clientCa, clientAuth });
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
