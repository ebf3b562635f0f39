import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import type { Clock } from '../clock.js';
import { UsageError, messageOf } from '../errors.js';
import type { Logger } from '../log.js';
import { RECORD_VERSION, migrate } from './migrations.js';

/** Loaded only when state is configured. */
export type Database = ClassicLevel;

export interface DatabaseOptions {
  /** A directory; made if it is missing. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const VERSION_KEY = 'version';
const RECORD_PREFIX = 'instance\n';
/** The keys of all records. */
export const RECORDS = { gte: RECORD_PREFIX, lt: `${RECORD_PREFIX}\uffff` };

export function recordKey(key: string): string {
  return RECORD_PREFIX + key;
}

/**
 * Opens or makes the database. The records of an older version are migrated. A damaged database is repaired; one that cannot
 * be repaired is set aside under a name with the time, and an empty one takes its place.
 * @throws UsageError when the directory cannot be used or a newer exporter wrote to it, which leaves it as it is; Error when
 * another process holds it
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
    if (thrown instanceof UsageError) throw thrown;
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
    // A newer state is neither read nor repaired.
    const version = await versionOf(database, path);
    await readThrough(database);
    await toCurrentVersion(database, version);
    return database;
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

/** Undefined for a database that was only just made. */
async function versionOf(database: Database, path: string): Promise<number | undefined> {
  const text = await database.get(VERSION_KEY);
  if (text === undefined) return undefined;
  const version = Number(text);
  if (!(version >= 1)) throw new Error(`Corruption: its version is "${text}"`);
  if (version > RECORD_VERSION) {
    throw new UsageError([
      `state.path: "${path}" was written by a newer exporter (version ${text} of the state; this one reads up to ${RECORD_VERSION}): ` +
        'start the newer exporter, or give another directory',
    ]);
  }
  return version;
}

async function toCurrentVersion(database: Database, version: number | undefined): Promise<void> {
  if (version === RECORD_VERSION) return;
  const changes = database.batch();
  for await (const [key, record] of database.iterator(RECORDS)) {
    changes.put(key, migrated(record, version ?? RECORD_VERSION));
  }
  await changes.put(VERSION_KEY, String(RECORD_VERSION)).write({ sync: true });
}

/** A damaged record stays as it is: whoever reads it drops it and says so. */
function migrated(record: string, from: number): string {
  try {
    return migrate(record, from);
  } catch {
    return record;
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
    if (thrown instanceof UsageError) throw thrown;
    return setAside(options, reasonOf(thrown));
  }
}

async function setAside({ path, clock, log }: DatabaseOptions, reason: string): Promise<Database> {
  const time = new Date(clock.toWall(clock.now())).toISOString().replaceAll(':', '-');
  const aside = join(path, `db.corrupt-${time}`);
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
