import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import type { Clock } from '../clock.js';
import { UsageError, messageOf } from '../errors.js';
import type { Logger } from '../log.js';
import { RECORD_VERSION } from './record.js';

/** The database, loaded only when state is configured. */
type Database = ClassicLevel;

export interface StoreOptions {
  /** A directory; made if it is missing. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const VERSION_KEY = 'version';
const RECORD_PREFIX = 'instance\n';
const RECORD_END = 'instance\n\uffff';

/**
 * Texts by key, crash-safe, in an embedded LevelDB. Whoever opens it holds it alone.
 */
export class Store {
  readonly #path: string;
  readonly #database: Database;

  private constructor(path: string, database: Database) {
    this.#path = path;
    this.#database = database;
  }

  /**
   * Opens or makes the store. A corrupt one is repaired; one that cannot be repaired or was written by a newer version is
   * set aside under a name with the time, and an empty one takes its place.
   * @throws UsageError when the directory cannot be written; Error when another process holds it
   */
  static async open(options: StoreOptions): Promise<Store> {
    const { path } = options;
    try {
      mkdirSync(path, { recursive: true });
    } catch (thrown) {
      throw unusable(path, thrown);
    }
    const database = await openDatabase(options);
    writeFileSync(join(path, 'HOLDER'), `process ${process.pid} on ${hostname()}\n`);
    return new Store(path, database);
  }

  /** Every record, by key. */
  async readAll(): Promise<ReadonlyMap<string, string>> {
    const records = new Map<string, string>();
    for await (const [key, text] of this.#database.iterator({ gte: RECORD_PREFIX, lt: RECORD_END })) {
      records.set(key.slice(RECORD_PREFIX.length), text);
    }
    return records;
  }

  /**
   * Writes and deletes (undefined) in one step; on disk when it resolves.
   * @throws if that failed, also when the directory was removed meanwhile
   */
  async write(changes: ReadonlyMap<string, string | undefined>): Promise<void> {
    // LevelDB goes on writing to files that were unlinked under it.
    statSync(join(databasePath(this.#path), 'CURRENT'));
    const operations = [...changes].map(([key, value]) =>
      value === undefined
        ? ({ type: 'del', key: RECORD_PREFIX + key } as const)
        : ({ type: 'put', key: RECORD_PREFIX + key, value } as const),
    );
    await this.#database.batch(operations, { sync: true });
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

function databasePath(path: string): string {
  return join(path, 'db');
}

async function openDatabase(options: StoreOptions): Promise<Database> {
  try {
    return await openChecked(options.path);
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === 'LEVEL_LOCKED')
      throw new Error(`state: ${options.path} is held by ${holderOf(options.path)}`, { cause: thrown });
    if (code === NEWER_VERSION) return setAside(options, 'newer', messageOf(thrown));
    if (isAccessProblem(thrown)) throw unusable(options.path, thrown);
    return repair(options, thrown);
  }
}

const NEWER_VERSION = 'NEWER_VERSION';

async function openChecked(path: string): Promise<Database> {
  const { ClassicLevel } = await import('classic-level');
  const database: Database = new ClassicLevel(databasePath(path), { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  await database.open();
  try {
    const version = await database.get(VERSION_KEY);
    if (version === undefined) await database.put(VERSION_KEY, String(RECORD_VERSION), { sync: true });
    else if (Number(version) !== RECORD_VERSION) {
      throw Object.assign(new Error(`it has version ${version}, this exporter writes ${RECORD_VERSION}`), {
        code: NEWER_VERSION,
      });
    }
    return database;
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

async function repair(options: StoreOptions, cause: unknown): Promise<Database> {
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
  { path, clock, log }: StoreOptions,
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

function isAccessProblem(thrown: unknown): boolean {
  return /permission denied|read-only file system|no space left|not a directory/i.test(reasonOf(thrown));
}

/** LevelDB wraps the reason of a failed opening. */
function reasonOf(thrown: unknown): string {
  return messageOf(thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown);
}

function codeOf(thrown: unknown): unknown {
  const cause: unknown = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
  return typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
}
