import { dirname, isAbsolute, join } from 'node:path';
import { normalHash } from './bcrypt-hash.js';
import { UsageError } from '../../errors.js';
import { errorCode } from './pem.js';
import { readTlsConfig } from './tls-config.js';
import type { TlsConfig } from './tls-config.js';
import { YamlFile } from './yaml-file.js';
import type { Field } from './yaml-file.js';
import type { Secret } from '../../secret.js';

/**
 * The file of `--web.config.file`, checked. The format is that of Prometheus' exporter-toolkit:
 * https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
 */
export interface WebConfig {
  /** Undefined: plain HTTP. */
  readonly tls: TlsConfig | undefined;
  /** Set on every answer; blank: taken away. */
  readonly headers: Readonly<Record<string, string>>;
  /** User names and their bcrypt hashes. Empty: no authentication. */
  readonly users: ReadonlyMap<string, Secret>;
  readonly rateLimit: RateLimitConfig | undefined;
  /** Accepted, but hardly what is meant. */
  readonly warnings: readonly string[];
}

export interface RateLimitConfig {
  readonly intervalMs: number;
  readonly burst: number;
}

export interface ReadOptions {
  /** The content of a file. @throws the file system's error */
  readonly readFile: (path: string) => Buffer;
  /** Whether there is a last good configuration to fall back on. */
  readonly following: boolean;
}

/** The headers that may be set, and the values of those that have a closed set of them. */
const HEADERS: Readonly<Record<string, readonly string[] | undefined>> = {
  'Strict-Transport-Security': undefined,
  'X-Content-Type-Options': ['nosniff'],
  'X-Frame-Options': ['deny', 'sameorigin'],
  'X-XSS-Protection': undefined,
  'Content-Security-Policy': undefined,
};

/**
 * Reads the file and every file it names, relative to its own directory.
 * @throws UsageError with every problem
 */
export function readWebConfig(file: string, { readFile, following }: ReadOptions): WebConfig {
  const yaml = new YamlFile(file, readSelf(file, readFile));
  const top = yaml.section(yaml.root, ['tls_server_config', 'http_server_config', 'basic_auth_users', 'rate_limit']);
  const warnings: string[] = [];
  const warn = (warning: string): unknown => warnings.push(warning);
  const directory = dirname(file);
  const tls = readTlsConfig(yaml, top.get('tls_server_config'), {
    readFile: (path) => readFile(isAbsolute(path) ? path : join(directory, path)),
    warn,
    following,
  });
  const headers = readHttpConfig(yaml, top.get('http_server_config'), warn);
  const users = readUsers(yaml, top.get('basic_auth_users'));
  const rateLimit = readRateLimit(yaml, top.get('rate_limit'));
  yaml.throwProblems();
  return Object.freeze({ tls, headers, users, rateLimit, warnings });
}

function readSelf(file: string, readFile: ReadOptions['readFile']): Buffer {
  try {
    return readFile(file);
  } catch (error) {
    throw new UsageError([`${file}:1: cannot be read: ${errorCode(error)}`]);
  }
}

function readHttpConfig(
  yaml: YamlFile,
  section: Field | undefined,
  warn: (warning: string) => unknown,
): Readonly<Record<string, string>> {
  const http = yaml.section(section, ['http2', 'headers']);
  // On by default, and accepted for the sake of shared files; every client falls back to HTTP/1.1.
  if (yaml.flag(http.get('http2')) === true) warn('http2 is not offered: clients speak HTTP/1.1');
  const headers: Record<string, string> = {};
  for (const [name, field] of yaml.section(http.get('headers'), Object.keys(HEADERS))) {
    const value = yaml.text(field) ?? '';
    const allowed = HEADERS[name];
    if (allowed !== undefined && !allowed.includes(value)) yaml.fail(field, `must be ${allowed.join(' or ')}`);
    headers[name] = headerValue(value);
  }
  return Object.freeze(headers);
}

/** A folded or block text may hold line ends, which no header can carry. Beyond ASCII, UTF-8 bytes are sent. */
function headerValue(text: string): string {
  const line = text.replaceAll(/[\u0000-\u0008\u000a-\u001f\u007f]+/g, ' ');
  return Buffer.from(line, 'utf8').toString('latin1');
}

function readUsers(yaml: YamlFile, section: Field | undefined): ReadonlyMap<string, Secret> {
  const users = new Map<string, Secret>();
  if (section === undefined) return users;
  for (const [name, field] of yaml.fields(section)) {
    const hash = normalHash(yaml.text(field) ?? '');
    if (typeof hash === 'string') yaml.fail(field, hash);
    else users.set(name, hash);
  }
  return users;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const GO_DURATION = /^\+?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;

/** Milliseconds of a Go duration such as `1m30s`; undefined if it is none or negative. */
function goDurationMs(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (!GO_DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(\D+)/g)) total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  return total;
}

function readRateLimit(yaml: YamlFile, section: Field | undefined): RateLimitConfig | undefined {
  const fields = yaml.section(section, ['interval', 'burst']);
  const interval = fields.get('interval');
  const burst = fields.get('burst');
  const intervalMs = goDurationMs(yaml.text(interval) ?? '0');
  const size = Number(/^\+?\d{1,9}$/.exec(yaml.text(burst) ?? '0')?.[0] ?? Number.NaN);
  if (interval !== undefined && intervalMs === undefined) {
    yaml.fail(interval, 'must be a duration with a unit, such as 100ms, or 0 for no limit');
  }
  if (burst !== undefined && Number.isNaN(size)) yaml.fail(burst, 'must be a whole number');
  if (section === undefined || intervalMs === undefined || intervalMs === 0 || Number.isNaN(size)) return undefined;
  // The toolkit takes a burst of 0 and then refuses every request.
  if (size === 0) return yaml.fail(burst ?? section, 'burst must be at least 1, or every request is refused');
  return Object.freeze({ intervalMs, burst: size });
}
