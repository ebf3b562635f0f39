import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import { expect } from 'chai';
import { applyLookup, applyPoll, newInstanceState } from '../../../dist/domain/apply-poll.js';
import { RECORD_VERSION } from '../../../dist/state/migrations.js';
import { readRecord, writeRecord } from '../../../dist/state/record.js';
import type { InstanceState } from '../../../dist/domain/instance-state.js';
import { StateStore } from '../../../dist/state/store.js';
import type { Logger } from '../../../dist/log.js';
import { instanceKey } from '../../../dist/domain/model.js';
import type { BackupTask } from '../../../dist/domain/model.js';
import { instanceOf, taskOf } from '../../helpers/build.js';
import { FakeClock } from '../../helpers/fake-clock.js';

const FIXTURES = new URL('../../../test/fixtures/state/', import.meta.url);
const CURRENT = `version-${RECORD_VERSION}`;
const START = new FakeClock().now();

/** What an exporter of that version left, of three instances: one with everything, an idle one and one that is gone. */
interface Fixture {
  readonly version: string;
  readonly records: Readonly<Record<string, string>>;
}

function fixture(name: string): Fixture {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FIXTURES), 'utf8')) as Fixture;
}

/** The state that every fixture is of, and when it was written. */
function sample(): { readonly busy: InstanceState; readonly at: number } {
  const queued = {
    mode: 'Manual',
    backupStatus: undefined,
    progressStatus: 'NoStart',
    processPercent: undefined,
  } as const;
  const novel = [{ field: 'TaskAction', value: 'Novel' }] as const;
  let [state, at] = [newInstanceState(instanceOf('rm-busy'), START), START];
  const poll = (tasks: readonly BackupTask[], ...asked: readonly string[]): void => {
    at += 30_000;
    const context = { nowMs: at, activeIntervalMs: 30_000, lastScrapeMs: at - 1 };
    ({ state } = applyPoll(state, { ok: true, tasks }, context));
    for (const backupJobId of asked) {
      ({ state } = applyLookup(state, { backupJobId, result: { ok: true, value: undefined } }, context));
    }
  };
  // All three outcomes.
  poll([taskOf('101'), taskOf('102', { mode: 'Manual' }), taskOf('103')]);
  poll([
    taskOf('101', { backupStatus: 'Finished', processPercent: 100 }),
    taskOf('102', { backupStatus: 'Failed', mode: 'Manual' }),
    taskOf('103'),
  ]);
  poll([]);
  for (let answer = 0; answer < 3; answer++) poll([], '103');
  // One that runs, one that is queued, one that left the listing, and one whose end is not counted yet.
  poll([taskOf('104', { processPercent: 20, unexpected: novel }), taskOf('105', queued), taskOf('106')]);
  const ended = taskOf('107', { mode: 'Unknown', backupStatus: 'Finished', processPercent: 100 });
  poll([taskOf('104', { processPercent: 40 }), taskOf('105', queued), ended]);
  return { busy: state, at };
}

describe('the versions of the state', () => {
  let path: string;
  let logged: unknown[];

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'state-'));
    logged = [];
  });
  afterEach(() => rmSync(path, { recursive: true, force: true }));

  async function inDatabase<T>(work: (database: ClassicLevel) => Promise<T>): Promise<T> {
    const database = new (await import('classic-level')).ClassicLevel(join(path, 'db'));
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }

  function lay({ version, records }: Fixture): Promise<void> {
    return inDatabase(async (database) => {
      await database.put('version', version);
      for (const [key, text] of Object.entries(records)) await database.put(`instance\n${key}`, text);
    });
  }

  function content(): Promise<readonly (readonly [string, string])[]> {
    return inDatabase((database) => database.iterator().all());
  }

  function open(): Promise<StateStore> {
    const tell = (...line: unknown[]): void => void logged.push(line);
    const log: Logger = { debug: tell, info: tell, warn: tell, error: tell };
    return StateStore.open({ path, clock: new FakeClock(), log });
  }

  async function readAll(): Promise<Readonly<Record<string, string>>> {
    const store = await open();
    const records = await store.readAll();
    await store.close();
    return Object.fromEntries(records);
  }

  it('are all kept as fixtures; a change of what is written is a new one', () => {
    const versions = readdirSync(FIXTURES).map((file) => fixture(file.replace('.json', '')).version);
    expect(new Set(versions.map(Number))).to.deep.equal(
      new Set(Array.from({ length: RECORD_VERSION }, (_, n) => n + 1)),
    );
    const { busy, at } = sample();
    const key = instanceKey(busy.instance);
    expect(writeRecord({ state: busy, goneAt: null }, new FakeClock(at))).to.equal(fixture(CURRENT).records[key]);
  });

  /** What version 1 knows less of its tasks and outcomes. */
  const lossOf1 = ({ tasks, outcomes }: InstanceState, less: object): object => ({
    tasks: tasks.map((task) => ({ ...task, lastOpenAt: task.lastProgressAt, unlistedAt: undefined, ...less })),
    outcomes: Object.fromEntries(
      Object.entries(outcomes).map(([mode, seen]) => [mode, { ...seen, openedAt: undefined }]),
    ),
  });
  for (const [name, lossOf] of [
    ['version-1-without-checksums', (state: InstanceState) => lossOf1(state, { runningFromPercent: undefined })],
    ['version-1', (state: InstanceState) => lossOf1(state, {})],
    ['version-2', () => ({})],
  ] as const) {
    it(`up to today's: ${name} becomes it, and stays so`, async () => {
      await lay(fixture(name));
      const clock = new FakeClock(START + 86_400_000);
      const wanted = Object.entries(fixture(CURRENT).records).map(([key, text]) => {
        const { state, goneAt } = readRecord(key, text, clock);
        return { state: { ...state, ...lossOf(state) }, goneAt };
      });
      for (let start = 0; start < 2; start++) {
        const found = Object.entries(await readAll()).map(([key, text]) => readRecord(key, text, clock));
        expect(JSON.parse(JSON.stringify(found))).to.have.deep.members(JSON.parse(JSON.stringify(wanted)));
      }
      expect(Object.fromEntries(await content()).version).to.equal(String(RECORD_VERSION));
      expect([logged, readdirSync(path)]).to.deep.equal([[], ['HOLDER', 'db']]);
    });
  }

  it('of today are read as they are', async () => {
    await lay(fixture(CURRENT));
    const before = await content();
    expect(await readAll()).to.deep.equal(fixture(CURRENT).records);
    expect(await content()).to.deep.equal(before);
  });

  it('leave a damaged record to its reader, and the others whole', async () => {
    const { version, records } = fixture('version-1');
    const [key] = Object.keys(records);
    await lay({ version, records: { ...records, [key!]: 'x' } });
    const { [key!]: damaged, ...others } = await readAll();
    expect(damaged).to.equal('x');
    for (const [other, text] of Object.entries(others)) readRecord(other, text, new FakeClock());
  });

  it('after today are refused by name, and left untouched', async () => {
    const newer = String(RECORD_VERSION + 1);
    await lay({ ...fixture(CURRENT), version: newer });
    const before = await content();
    const refused: unknown = await open().catch((error: unknown) => error);
    expect([(refused as Error).name, (refused as Error).message]).to.deep.equal([
      'UsageError',
      `state.path: "${path}" was written by a newer exporter (version ${newer} of the state; this one reads up to ` +
        `${RECORD_VERSION}): start the newer exporter, or give another directory`,
    ]);
    expect(await content()).to.deep.equal(before);
    expect([logged, readdirSync(path)]).to.deep.equal([[], ['db']]);
  });

  it('after today are not repaired either', async () => {
    const newer = String(RECORD_VERSION + 1);
    // Noise, so that it is not packed, and enough of it for a table of many blocks; the version is in the last.
    const records = Array.from({ length: 400 }, (_, n) => [`r${n}`, randomBytes(500).toString('hex')]);
    await lay({ version: newer, records: Object.fromEntries(records) });
    await inDatabase((database) => database.compactRange('a', 'z'));
    const table = readdirSync(join(path, 'db')).find((file) => file.endsWith('.ldb'));
    const bytes = readFileSync(join(path, 'db', table!));
    bytes.fill(0xff, 100, 20_000);
    writeFileSync(join(path, 'db', table!), bytes);
    const refused: unknown = await open().catch((error: unknown) => error);
    expect((refused as Error).message).to.contain('was written by a newer exporter');
    expect(readFileSync(join(path, 'db', table!)).equals(bytes)).to.equal(true);
  });

  for (const version of ['0', '-1', 'two', '']) {
    it(`do not include "${version}": that is damage`, async () => {
      await lay({ ...fixture(CURRENT), version });
      expect(await readAll()).to.deep.equal({});
      expect(readdirSync(path)).to.deep.equal(['HOLDER', 'db', 'db.corrupt-2026-01-15T08-30-00.000Z']);
    });
  }
});
