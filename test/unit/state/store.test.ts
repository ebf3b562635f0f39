import { EventEmitter, once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pendingJobIds } from '../../../dist/domain/activity.js';
import { newInstanceState } from '../../../dist/domain/apply-poll.js';
import { Fleet } from '../../../dist/state/fleet.js';
import type { FleetEvent } from '../../../dist/domain/apply-poll.js';
import { StateWriter } from '../../../dist/state/writer.js';
import { readRecord, writeRecord } from '../../../dist/state/record.js';
import type { InstanceState } from '../../../dist/domain/instance-state.js';
import { StateStore } from '../../../dist/state/store.js';
import type { Logger } from '../../../dist/log.js';
import { instanceKey } from '../../../dist/domain/model.js';
import type { BackupTask } from '../../../dist/domain/model.js';
import { estimatedEndAt } from '../../../dist/domain/estimate-end.js';
import { errorOf, instanceOf, taskOf } from '../../helpers/build.js';
import { FakeClock } from '../../helpers/fake-clock.js';

const DAY = 86_400_000;
const RM1 = instanceOf('rm-1');
const KEY = instanceKey(RM1);

/** A fleet with its store, as one run of the exporter has it. */
interface Run {
  readonly fleet: Fleet;
  readonly keeper: StateWriter;
  readonly events: FleetEvent[];
  readonly saved: boolean[];
  /** Emits `saved` whenever `saved` grows. */
  readonly told: EventEmitter;
  /** A scrape, the listing and, given that, the answer to a lookup. */
  poll(tasks: readonly BackupTask[], ended?: BackupTask): Promise<void>;
}

describe('the state over a restart', () => {
  let path: string;
  let clock: FakeClock;
  let logged: string[];

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'state-'));
    clock = new FakeClock();
    logged = [];
  });
  afterEach(() => rmSync(path, { recursive: true, force: true }));

  async function start(): Promise<Run> {
    const tell = (msg: string): void => void logged.push(msg);
    const log: Logger = { debug: tell, info: tell, warn: tell, error: tell };
    const store = await StateStore.open({ path, clock, log });
    const keeper = new StateWriter({ store, clock, log });
    const [events, saved]: [FleetEvent[], boolean[]] = [[], []];
    const told = new EventEmitter();
    const onEvent = (_: unknown, event: FleetEvent): void => void events.push(event);
    const fleet = new Fleet({ clock, activeIntervalMs: () => 30_000, onEvent, keeper }, await keeper.load());
    keeper.start({ forget: (key) => fleet.forget(key), onSaved: (ok) => told.emit('saved', saved.push(ok)) });

    const poll = async (tasks: readonly BackupTask[], ended?: BackupTask): Promise<void> => {
      await clock.advance(1);
      fleet.scrape();
      await fleet.apply(KEY, { ok: true, tasks });
      if (ended !== undefined) {
        await fleet.lookedUp(KEY, { backupJobId: ended.backupJobId, result: { ok: true, value: ended } });
      }
    };
    return { fleet, keeper, events, saved, told, poll };
  }

  it('keeps first seen, progress, running since, counters and counted jobs', async () => {
    const before = await start();
    before.fleet.watch(RM1);
    await before.poll([taskOf('1'), taskOf('2', { mode: 'Manual' })]);
    await clock.advance(20_000);
    await before.poll([taskOf('1', { backupStatus: 'Finished' }), taskOf('2', { mode: 'Manual', processPercent: 20 })]);
    const { lastPoll: _, lastGoodPollAt: __, ...kept } = before.fleet.get(KEY)!;
    await before.keeper.close();
    await clock.advance(3_600_000);
    const after = await start();
    const state = after.fleet.watch(RM1);
    // The counters of Manual have not moved: they are shown at 0 anew.
    const outcomes = { ...kept.outcomes, Manual: { ...kept.outcomes.Manual, openedAt: clock.now() } };
    expect(JSON.parse(JSON.stringify(state))).to.deep.include(JSON.parse(JSON.stringify({ ...kept, outcomes })));
    expect(state).to.include({ lastPoll: undefined, lastGoodPollAt: undefined });
    await after.poll([taskOf('1', { backupStatus: 'Finished' }), taskOf('2', { mode: 'Manual', processPercent: 20 })]);
    expect(after.events).to.deep.equal([]);
    const [ended, running] = kept.tasks;
    const polled = [ended, { ...running, lastOpenAt: clock.now() }];
    expect(JSON.parse(JSON.stringify(after.fleet.get(KEY)!.tasks))).to.deep.equal(JSON.parse(JSON.stringify(polled)));
    await after.keeper.close();
  });

  it('asks for a task that ended meanwhile and counts it once', async () => {
    const before = await start();
    before.fleet.watch(RM1);
    await before.poll([taskOf('1')]);
    await before.keeper.close();
    const after = await start();
    after.fleet.watch(RM1);
    await after.poll([]);
    await after.poll([], taskOf('1', { backupStatus: 'Failed' }));
    await after.poll([taskOf('1', { backupStatus: 'Failed' })]);
    expect(after.fleet.get(KEY)?.outcomes.Automated?.counts).to.deep.equal({ Finished: 0, Failed: 1, Unknown: 0 });
    await after.keeper.close();
  });

  it('has an outcome on disk before it is shown', async () => {
    const run = await start();
    run.fleet.watch(RM1);
    await run.poll([taskOf('1')]);
    const applied = run.poll([taskOf('1', { backupStatus: 'Finished' })]);
    expect(run.fleet.get(KEY)?.outcomes.Automated?.counts.Finished).to.equal(0);
    await applied;
    expect(run.fleet.get(KEY)?.outcomes.Automated?.counts.Finished).to.equal(1);
    await run.keeper.close();
  });

  it('keeps how long an outcome has been open and how often its lookup failed, and looks it up at once', async () => {
    const before = await start();
    before.fleet.watch(RM1);
    await before.poll([taskOf('1')]);
    await clock.advance(30_000);
    await before.poll([]);
    const leftAt = clock.now();
    for (let failure = 0; failure < 19; failure++) {
      await before.fleet.lookedUp(KEY, { backupJobId: '1', result: { ok: false, error: errorOf('server') } });
    }
    expect(pendingJobIds(before.fleet.get(KEY)!, leftAt + 599_999)).to.deep.equal([]);
    await before.keeper.close();
    await clock.advance(30_000);
    const after = await start();
    const [tracked] = after.fleet.watch(RM1).tasks;
    expect(tracked).to.include({ unlistedAt: leftAt, failedLookups: 19, durationMs: 30_001 });
    await after.poll([]);
    expect(pendingJobIds(after.fleet.get(KEY)!, clock.now())).to.deep.equal(['1']);
    await after.fleet.lookedUp(KEY, { backupJobId: '1', result: { ok: false, error: errorOf('server') } });
    expect(after.fleet.get(KEY)?.outcomes.Automated?.counts).to.deep.equal({ Finished: 0, Failed: 0, Unknown: 1 });
    await after.keeper.close();
  });

  it('holds wall clock times, so that a clock set right in between moves nothing', async () => {
    const before = await start();
    before.fleet.watch(RM1);
    await before.keeper.close();
    const firstSeen = clock.toWall(clock.now());
    clock.wallOffsetMs = 5_000_000;
    const after = await start();
    expect(clock.toWall(after.fleet.watch(RM1).firstSeenAt)).to.equal(firstSeen);
    await after.keeper.close();
  });

  for (const stepMs of [3_600_000, -3_600_000]) {
    it(`keeps every age when the wall clock was set by ${stepMs / 3_600_000} h before it`, async () => {
      const before = await start();
      const rm2 = instanceOf('rm-2');
      before.fleet.watch(RM1);
      before.fleet.watch(rm2);
      await before.poll([taskOf('1'), taskOf('2', { mode: 'Manual' })]);
      await clock.advance(20_000);
      await before.poll([taskOf('1', { backupStatus: 'Finished' }), taskOf('2', { mode: 'Manual' })]);
      clock.wallOffsetMs = stepMs;
      // The next look after the store; nothing else is written.
      const ages = JSON.stringify([before.fleet.get(KEY), before.fleet.get(instanceKey(rm2))]);
      await clock.advance(10_000);
      await before.keeper.close();
      const after = await start();
      // What a process knows for itself alone is left out.
      const now = [RM1, rm2].map((instance) => {
        const { lastPoll, lastGoodPollAt } = before.fleet.get(instanceKey(instance))!;
        return Object.assign({}, after.fleet.watch(instance), { lastPoll, lastGoodPollAt });
      });
      // So is since when counters are shown at 0: that begins anew.
      const withoutOpenedAt = (key: string, value: unknown): unknown => (key === 'openedAt' ? undefined : value);
      expect(JSON.parse(JSON.stringify(now), withoutOpenedAt)).to.deep.equal(JSON.parse(ages, withoutOpenedAt));
      await after.keeper.close();
    });
  }

  it('has nothing in the future after a wall clock was put back in between', async () => {
    const before = await start();
    before.fleet.watch(RM1);
    await before.poll([taskOf('1'), taskOf('2', { mode: 'Manual' })]);
    await clock.advance(20_000);
    await before.poll([taskOf('1', { backupStatus: 'Finished' }), taskOf('2', { mode: 'Manual', processPercent: 20 })]);
    await before.keeper.close();
    clock.wallOffsetMs = -3_600_000;
    const after = await start();
    const now = clock.now();
    const { firstSeenAt, tasks, outcomes } = after.fleet.watch(RM1);
    expect(firstSeenAt).to.equal(now);
    for (const tracked of tasks) {
      expect(tracked).to.include({ firstSeenAt: now, lastProgressAt: now, runningSince: now });
    }
    expect(outcomes.Automated?.last.Finished?.at).to.equal(now);
    await after.keeper.close();
  });

  describe('where the wall clock was set in between', () => {
    let fleet: Fleet;

    beforeEach(() => restart(new Map()));

    function restart(remembered: ReadonlyMap<string, InstanceState>): void {
      fleet = new Fleet({ clock, activeIntervalMs: () => 30_000, onEvent: () => undefined }, remembered);
      fleet.watch(RM1);
    }

    function restartAt(wallOffsetMs: number): void {
      const text = writeRecord({ state: fleet.get(KEY)!, goneAt: null }, clock);
      clock.wallOffsetMs = wallOffsetMs;
      restart(new Map([[KEY, readRecord(KEY, text, clock).state]]));
    }

    async function poll(task: BackupTask): Promise<InstanceState> {
      await clock.advance(1);
      fleet.scrape();
      return (await fleet.apply(KEY, { ok: true, tasks: [task] }))!;
    }

    it('has no duration of a task that was polled at a time yet to come, however long it runs on', async () => {
      await poll(taskOf('1'));
      await clock.advance(40 * 60_000);
      await poll(taskOf('1', { processPercent: 50 }));
      // Not as far back as it began.
      restartAt(-20 * 60_000);
      for (let percent = 51; percent < 80; percent++) {
        await clock.advance(30_000);
        await poll(taskOf('1', { processPercent: percent }));
        // What is stored by now is as little to be believed.
        if (percent === 60) restartAt(-20 * 60_000);
      }
      const { tasks } = fleet.get(KEY)!;
      expect(estimatedEndAt(fleet.get(KEY)!, tasks[0]!, clock.now())).to.equal(undefined);
      const { outcomes } = await poll(taskOf('1', { backupStatus: 'Finished' }));
      expect(outcomes.Automated!.last.Finished).to.include({ durationMs: undefined, at: clock.now() });
    });
  });

  it('is held by one process alone, which it names', async () => {
    const run = await start();
    const second = await start().catch((error: unknown) => error);
    expect(second).to.be.instanceOf(Error);
    expect((second as Error).message).to.match(new RegExp(`^state: ${path} is held by process ${process.pid} on `));
    await run.keeper.close();
  });

  it('is repaired when it is corrupt', async () => {
    const run = await start();
    run.fleet.watch(RM1);
    await run.keeper.close();
    const manifest = readdirSync(join(path, 'db')).find((name) => name.startsWith('MANIFEST'))!;
    writeFileSync(join(path, 'db', manifest), 'garbage');
    const after = await start();
    expect(logged).to.deep.equal(['the state was corrupt and has been repaired']);
    expect(after.fleet.watch(RM1).firstSeenAt).to.equal(clock.now());
    await after.keeper.close();
  });

  it('is not believed where any byte of a record is another, or its key', () => {
    const state = newInstanceState(RM1, clock.now());
    const record = writeRecord({ state, goneAt: null }, clock);
    expect(readRecord(KEY, record, clock).state.firstSeenAt).to.equal(state.firstSeenAt);
    for (let at = 0; at < record.length; at++) {
      const changed = String.fromCharCode(record.charCodeAt(at) ^ 1);
      expect(() => readRecord(KEY, record.slice(0, at) + changed + record.slice(at + 1), clock), `${at}`).to.throw();
    }
    expect(() => readRecord(`${KEY}0`, record, clock)).to.throw('it is of another instance');
  });

  it('forgets an instance that is gone for 7 days, and no sooner', async () => {
    const run = await start();
    run.fleet.watch(RM1);
    const seenAt = clock.now();
    run.fleet.unwatch(KEY);
    await clock.advance(7 * DAY - 3_600_000);
    expect(run.fleet.watch(RM1).firstSeenAt).to.equal(seenAt);
    run.fleet.unwatch(KEY);
    await clock.advance(8 * DAY);
    expect(run.fleet.watch(RM1).firstSeenAt).to.equal(clock.now());
    await run.keeper.close();
  });

  it('forgets an instance of before the restart that never came back', async () => {
    const before = await start();
    before.fleet.watch(RM1);
    await before.keeper.close();
    for (let restart = 0; restart < 9; restart++) {
      const run = await start();
      await clock.advance(DAY);
      await run.keeper.close();
    }
    const after = await start();
    expect(after.fleet.watch(RM1).firstSeenAt).to.equal(clock.now());
    await after.keeper.close();
  });

  it('that cannot be saved is reported, and its outcomes are shown once it can', async () => {
    const run = await start();
    run.fleet.watch(RM1);
    await run.poll([taskOf('1'), taskOf('2', { mode: 'Manual' })]);
    rmSync(path, { recursive: true });
    await run.poll([taskOf('1', { backupStatus: 'Finished' }), taskOf('2', { mode: 'Manual', processPercent: 20 })]);
    await run.poll([taskOf('1', { backupStatus: 'Finished' }), taskOf('2', { mode: 'Manual', processPercent: 30 })]);
    const unsaved = run.fleet.get(KEY);
    expect(unsaved?.outcomes.Automated?.counts.Finished).to.equal(0);
    expect(unsaved?.tasks.map(({ task }) => [task.backupStatus, task.processPercent])).to.deep.equal([
      ['Finished', 10],
      ['Uploading', 30],
    ]);
    expect([run.saved, existsSync(path)]).to.deep.equal([[false], false]);
    const again = once(run.told, 'saved');
    await clock.advance(10_000);
    await again;
    await run.poll([]);
    expect(run.fleet.get(KEY)?.outcomes.Automated?.counts.Finished).to.equal(1);
    expect(run.saved).to.deep.equal([false, true]);
    await run.keeper.close();
  });

  it('in a place that cannot be written is an error at the start', async () => {
    rmSync(path, { recursive: true });
    writeFileSync(path, 'a file');
    chmodSync(path, 0o600);
    const failure = await start().catch((error: unknown) => error);
    expect((failure as Error).name).to.equal('UsageError');
    expect((failure as Error).message).to.match(
      /^state\.path: ".*" cannot be used: .*: give a directory that can be written$/,
    );
  });
});
