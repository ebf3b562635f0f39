import { writeSync } from 'node:fs';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ['logfmt', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Undefined values are left out. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One line an event. */
export interface Logger {
  debug(msg: string, fields?: LogFields): void;
  info(msg: string, fields?: LogFields): void;
  warn(msg: string, fields?: LogFields): void;
  error(msg: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** The wall clock, in milliseconds since the epoch. */
  readonly wallNow: () => number;
  /** Takes a whole line with its newline; must have written it when it returns, so that the last line survives an exit. */
  readonly write?: (line: string) => void;
}

/** Logs to stderr, one line an event with control characters escaped: `time`, `level`, `msg`, then the fields. */
export function createLogger({ level, format, wallNow, write = writeStderr }: LoggerOptions): Logger {
  const lowest = LOG_LEVELS.indexOf(level);
  const render = format === 'json' ? jsonLine : logfmtLine;
  const at = (entryLevel: LogLevel): Logger[LogLevel] => {
    if (LOG_LEVELS.indexOf(entryLevel) < lowest) return () => undefined;
    return (msg, fields) =>
      write(`${render({ time: new Date(wallNow()).toISOString(), level: entryLevel, msg, ...fields })}\n`);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function jsonLine(entry: LogFields): string {
  return JSON.stringify(entry).replaceAll(UNPRINTABLE, escapeControl);
}

function logfmtLine(entry: LogFields): string {
  return Object.entries(entry)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${logfmtValue(String(value))}`)
    .join(' ');
}

/** Control characters, line separators and the marks that reorder text: what could forge or hide a part of a line. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const NEEDS_QUOTES = /[\s"=\\]|^$/;

function logfmtValue(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll(UNPRINTABLE, escapeControl);
  return NEEDS_QUOTES.test(escaped) ? `"${escaped}"` : escaped;
}

function escapeControl(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Synchronous; a closed or full stderr must not kill the daemon. */
function writeStderr(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // Nowhere is left to say it.
  }
}
