import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import type { Clock } from '../clock.js';
import { UsageError, messageOf } from '../errors.js';
import type { Logger } from '../log.js';
import { RECORD_VERSION } from './record.js';

/** Loaded only when state is configured. */
export type Database = ClassicLevel;

export interface DatabaseOptions {
  /** A directory; made if it is missing. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const VERSION_KEY = 'version';
const NEWER_VERSION = 'NEWER_VERSION';

/**
 * Opens or makes the database. A damaged one is repaired; one that cannot be repaired or was written by a newer version is
 * set aside under a name with the time, and an empty one takes its place.
 * @throws UsageError when the directory cannot be used; Error when another process holds it
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { path } = options;
  try {
    await mkdir(path, { recursive: true });
  } catch (thrown) {
    throw unusable(path, thrown);
  }
  const database = await openOrMend(options);
  try {
    writeFileSync(join(path, 'HOLDER'), `process ${process.pid} on ${hostname()}\n`);
  } catch (thrown) {
    await database.close();
    throw unusable(path, thrown);
  }
  return database;
}

export function databasePath(path: string): string {
  return join(path, 'db');
}

async function openOrMend(options: DatabaseOptions): Promise<Database> {
  const { path, log } = options;
  try {
    const database = await openChecked(path);
    const loss = lossOf(path);
    if (loss !== undefined) log.error('the state was damaged: its latest changes are lost', { path, error: loss });
    return database;
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === 'LEVEL_LOCKED') throw new Error(`state: ${path} is held by ${holderOf(path)}`, { cause: thrown });
    if (code === NEWER_VERSION) return setAside(options, 'newer', messageOf(thrown));
    if (!isDamage(thrown)) throw unusable(path, thrown);
    return repair(options, thrown);
  }
}

async function openChecked(path: string): Promise<Database> {
  const { ClassicLevel } = await import('classic-level');
  const database: Database = new ClassicLevel(databasePath(path), { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  // A database that has lost CURRENT would be made anew over its own data.
  await database.open({ createIfMissing: !holdsData(path) });
  try {
    const version = await database.get(VERSION_KEY);
    if (version === undefined) await database.put(VERSION_KEY, String(RECORD_VERSION), { sync: true });
    else if (Number(version) !== RECORD_VERSION) {
      throw Object.assign(new Error(`it has version ${version}, this exporter writes ${RECORD_VERSION}`), {
        code: NEWER_VERSION,
      });
    }
    await readThrough(database);
    return database;
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

function holdsData(path: string): boolean {
  const folder = databasePath(path);
  return existsSync(folder) && readdirSync(folder).some((name) => /\.(ldb|log)$/.test(name));
}

/** Damage to a table shows when it is read. */
async function readThrough(database: Database): Promise<void> {
  for await (const [key] of database.iterator()) void key;
}

/** LevelDB opens with what it can read of its log, and tells of the rest in its own file alone. */
function lossOf(path: string): string | undefined {
  return /dropping \d+ bytes; .*/.exec(readFileSync(join(databasePath(path), 'LOG'), 'utf8'))?.[0];
}

async function repair(options: DatabaseOptions, cause: unknown): Promise<Database> {
  const { path, log } = options;
  try {
    const { ClassicLevel } = await import('classic-level');
    await ClassicLevel.repair(databasePath(path));
    const database = await openChecked(path);
    log.warn('the state was corrupt and has been repaired', { path, error: reasonOf(cause) });
    return database;
  } catch (thrown) {
    return setAside(options, 'corrupt', reasonOf(thrown));
  }
}

async function setAside(
  { path, clock, log }: DatabaseOptions,
  why: 'corrupt' | 'newer',
  reason: string,
): Promise<Database> {
  const time = new Date(clock.toWall(clock.now())).toISOString().replaceAll(':', '-');
  const aside = join(path, `db.${why}-${time}`);
  try {
    renameSync(databasePath(path), aside);
  } catch (thrown) {
    throw unusable(path, thrown);
  }
  log.error('the state could not be used: it is set aside and a new one begun', { aside, reason });
  return openChecked(path);
}

function holderOf(path: string): string {
  try {
    return readFileSync(join(path, 'HOLDER'), 'utf8').trim();
  } catch {
    return 'another process';
  }
}

function unusable(path: string, thrown: unknown): UsageError {
  return new UsageError([
    `state.path: "${path}" cannot be used: ${reasonOf(thrown)}: give a directory that can be written`,
  ]);
}

/** What a repair may mend, unlike a disk that is full, read-only or out of order. */
function isDamage(thrown: unknown): boolean {
  return /^Corruption|invalid argument|no such file/i.test(reasonOf(thrown));
}

/** LevelDB wraps the reason of a failed opening. */
function reasonOf(thrown: unknown): string {
  return messageOf(thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown);
}

function codeOf(thrown: unknown): unknown {
  const cause: unknown = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
  return typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
}
