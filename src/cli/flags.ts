import type { ListenAddress } from '../http/server.js';
import { isIPv6 } from 'node:net';
import { parseArgs } from 'node:util';
import { UsageError } from '../errors.js';
import { LOG_FORMATS, LOG_LEVELS } from '../log.js';
import type { LogFormat, LogLevel } from '../log.js';
import { FLAGS } from './flag-table.js';
import type { FlagRow } from './flag-table.js';
import { nearest, quote } from '../config/problems.js';

/** The command line, checked, with every default filled in. */
export interface Flags {
  readonly configFile: string;
  readonly configCheck: boolean;
  readonly configCheckPermissions: boolean;
  readonly once: boolean;
  readonly demo: boolean;
  readonly demoInstances: number;
  readonly listenAddresses: readonly ListenAddress[];
  readonly telemetryPath: string;
  readonly webConfigFile: string | undefined;
  readonly enableLifecycle: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly version: boolean;
  readonly help: boolean;
}

type FlagName = (typeof FLAGS)[number]['name'];

const ROWS: ReadonlyMap<string, FlagRow> = new Map(FLAGS.map((row) => [row.name, row]));
const DEMO_ADDRESS = '127.0.0.1:10525';
const MAX_DEMO_INSTANCES = 100_000;
/** Routes of their own; a route does not care about case or a slash at its end. */
const TAKEN = new Set(['/', '/api/v1/status', '/config', '/-/healthy', '/-/ready', '/-/reload', '/assets']);

/** @throws UsageError with one line: the first thing that is wrong */
export function parseFlags(argv: readonly string[]): Flags {
  const given = readFlags(argv);
  rejectCombinations(given);
  const has = (name: FlagName): boolean => given.has(name);
  const text = (name: FlagName): string => given.get(name)?.[0] ?? ROWS.get(name)?.fallback ?? '';
  const demo = has('demo');
  const addresses = given.get('web.listen-address') ?? [demo ? DEMO_ADDRESS : text('web.listen-address')];
  return {
    configFile: text('config.file'),
    configCheck: has('config.check'),
    configCheckPermissions: has('config.check-permissions'),
    once: has('once'),
    demo,
    demoInstances: parseCount(text('demo.instances')),
    listenAddresses: addresses.map(parseAddress),
    telemetryPath: parseTelemetryPath(text('web.telemetry-path')),
    webConfigFile: has('web.config.file') ? text('web.config.file') : undefined,
    enableLifecycle: has('web.enable-lifecycle'),
    logLevel: parseWord('log.level', LOG_LEVELS, text('log.level')),
    logFormat: parseWord('log.format', LOG_FORMATS, text('log.format')),
    version: has('version'),
    help: has('help'),
  };
}

/** The values of each flag given; of a switch, an empty one. */
function readFlags(argv: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const options = Object.fromEntries([...ROWS.values()].map((row) => [row.name, parseOptionOf(row)]));
  // Not strict: the messages of parseArgs are long, and know nothing of --help.
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === 'positional') throw usage(`unexpected argument ${quote(token.value)}`);
    if (token.kind === 'option-terminator') continue;
    const { name, rawName, value, inlineValue } = token;
    const row = ROWS.get(name);
    if (row === undefined || (rawName !== `--${name}` && rawName !== `-${row.short}`)) throw unknownFlag(rawName, name);
    const values = given.get(name) ?? [];
    if (values.length > 0 && row.repeatable !== true) throw usage(`--${name} is given more than once`);
    given.set(name, [...values, readValue(row, { value, inline: inlineValue === true })]);
  }
  return given;
}

function parseOptionOf({ value, short }: FlagRow): { type: 'string' | 'boolean'; short?: string } {
  return { type: value === undefined ? 'boolean' : 'string', ...(short !== undefined && { short }) };
}

/** A flag that another one would silently ignore is a mistake. */
function rejectCombinations(given: ReadonlyMap<string, unknown>): void {
  for (const { name, needs, excludes = [] } of ROWS.values()) {
    if (!given.has(name)) continue;
    const excluded = excludes.find((other) => given.has(other));
    if (excluded !== undefined) throw usage(`--${name} cannot be combined with --${excluded}`);
    if (needs !== undefined && !given.has(needs)) throw usage(`--${name} needs --${needs}`);
  }
}

function readValue(row: FlagRow, { value, inline }: { value: string | undefined; inline: boolean }): string {
  if (row.value === undefined) {
    if (value !== undefined) throw usage(`--${row.name} takes no value`);
    return '';
  }
  if (value === undefined || value === '' || (!inline && value.startsWith('-'))) {
    throw usage(`--${row.name} needs a value: --${row.name}=${row.value}`);
  }
  return value;
}

function unknownFlag(rawName: string, name: string): UsageError {
  const meant = nearest(name, [...ROWS.keys()]);
  return usage(`unknown flag ${quote(rawName)}${meant === undefined ? '' : `; did you mean --${meant}?`}`);
}

function usage(problem: string): UsageError {
  return new UsageError([`${problem} (see --help)`]);
}

function badValue(name: FlagName, value: string, rule: string): UsageError {
  return usage(`--${name}: ${quote(value)} ${rule}`);
}

function parseWord<W extends string>(name: FlagName, words: readonly W[], value: string): W {
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw badValue(name, value, `is not one of ${words.join(', ')}`);
  return word;
}

function parseCount(value: string): number {
  const count = /^\d+$/.test(value) ? Number(value) : 0;
  if (count >= 1 && count <= MAX_DEMO_INSTANCES) return count;
  throw badValue('demo.instances', value, `is not a whole number from 1 to ${MAX_DEMO_INSTANCES}`);
}

function parseAddress(value: string): ListenAddress {
  const [, v6, name = '', digits] = /^(?:\[([^\s[\]]+)\]|([\w.-]*)):(\d{1,5})$/.exec(value) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535 || (v6 !== undefined && !isIPv6(v6))) {
    throw badValue('web.listen-address', value, 'is not [HOST]:PORT, such as :10525, 127.0.0.1:10525 or [::1]:10525');
  }
  return { host: v6 ?? (name === '' ? undefined : name), port };
}

function parseTelemetryPath(value: string): string {
  if (!/^(?:\/|(?:\/[\w.~-]+)+)$/.test(value) || /\/\.{1,2}(?:\/|$)/.test(value)) {
    throw badValue(
      'web.telemetry-path',
      value,
      'is not a path such as /metrics: letters, digits and . _ ~ - between slashes',
    );
  }
  const lower = value.toLowerCase();
  if (TAKEN.has(lower) || lower.startsWith('/assets/')) {
    throw badValue('web.telemetry-path', value, 'is taken by another route');
  }
  return value;
}
