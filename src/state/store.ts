import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RECORDS, databasePath, openDatabase, recordKey } from './leveldb.js';
import type { Database, DatabaseOptions } from './leveldb.js';

interface OpenDatabase {
  readonly database: Database;
  /** Written once by each opening: what tells this database from another in its place. */
  readonly current: string;
}

/** Texts by key, crash-safe, in an embedded LevelDB. Whoever opens it holds it alone. */
export class StateStore {
  readonly #options: DatabaseOptions;
  #held: OpenDatabase | undefined;

  private constructor(options: DatabaseOptions, held: OpenDatabase) {
    this.#options = options;
    this.#held = held;
  }

  /** @throws UsageError when the directory cannot be used; Error when another process holds it */
  static async open(options: DatabaseOptions): Promise<StateStore> {
    return new StateStore(options, await hold(options));
  }

  /** Every record, by key. */
  async readAll(): Promise<ReadonlyMap<string, string>> {
    const { database } = (this.#held ??= await hold(this.#options));
    const records = new Map<string, string>();
    for await (const [key, text] of database.iterator(RECORDS)) {
      records.set(key.slice(RECORDS.gte.length), text);
    }
    return records;
  }

  /**
   * Writes and deletes (undefined) in one step; on disk when it resolves. One call at a time.
   * @throws if that failed, also when the directory was removed meanwhile: the store may have lost anything by then. The
   * next call opens it anew
   */
  async write(changes: ReadonlyMap<string, string | undefined>): Promise<void> {
    const { database, current } = (this.#held ??= await hold(this.#options));
    const operations = [...changes].map(([key, value]) =>
      value === undefined
        ? ({ type: 'del', key: recordKey(key) } as const)
        : ({ type: 'put', key: recordKey(key), value } as const),
    );
    try {
      await database.batch(operations, { sync: true });
      // LevelDB goes on writing to files that were unlinked under it.
      if ((await currentOf(this.#options)) !== current) throw new Error(`${this.#options.path} was replaced`);
    } catch (thrown) {
      // After a write that failed half-way LevelDB may lose those that come after it.
      this.#held = undefined;
      await database.close();
      throw thrown;
    }
  }

  async close(): Promise<void> {
    await this.#held?.database.close();
  }
}

async function hold(options: DatabaseOptions): Promise<OpenDatabase> {
  const database = await openDatabase(options);
  return { database, current: await currentOf(options) };
}

async function currentOf({ path }: DatabaseOptions): Promise<string> {
  const { dev, ino } = await stat(join(databasePath(path), 'CURRENT'));
  return `${dev}:${ino}`;
}
