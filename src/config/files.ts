import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { UsageError } from '../errors.js';

const MAX_CONFIG_BYTES = 2 * 1024 * 1024;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'a circle of symbolic links',
  ENAMETOOLONG: 'the path is too long',
};

/** Why a file cannot be used, in words; undefined when it can. Anything but a regular file could block or never end. */
export function fileProblem(path: string, maxBytes: number): string | undefined {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return 'it is a directory';
    if (!stat.isFile()) return 'it is not a regular file';
    if (stat.size > maxBytes) return `it is larger than ${maxBytes / 1024} KiB`;
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** The reason of a failed file operation, in words and without the path. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return REASONS[code] ?? code;
}

/** @throws UsageError when the file is absent, no regular file, too large, unreadable or not UTF-8 */
export function readConfigFile(path: string): string {
  const problem = fileProblem(path, MAX_CONFIG_BYTES);
  if (problem !== undefined) throw unreadable(path, problem);
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw unreadable(path, reasonOf(error));
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unreadable(path, 'it is not UTF-8 text');
  }
}

function unreadable(path: string, reason: string): UsageError {
  return new UsageError([`${path}: cannot read the configuration: ${reason}; name the file with --config.file`]);
}
