import { expect } from 'chai';
import type { FleetEvent } from '../../../dist/domain/apply-poll.js';
import { Fleet } from '../../../dist/state/fleet.js';
import { StateWriter } from '../../../dist/state/writer.js';
import type { InstanceState } from '../../../dist/domain/instance-state.js';
import { instanceKey } from '../../../dist/domain/model.js';
import type { BackupTask, Instance, PollResult } from '../../../dist/domain/model.js';
import { errorOf, instanceOf, taskOf } from '../../helpers/build.js';
import { FakeClock, settle } from '../../helpers/fake-clock.js';

const RM1 = instanceOf('rm-1');
const KEY = instanceKey(RM1);
const QUEUED = { backupStatus: undefined, progressStatus: 'NoStart' } as const;

/** The write-behind never comes due here: the clock stands still unless a test moves it. */
describe('what a scrape shows', () => {
  let clock: FakeClock;
  let fleet: Fleet;
  let onDisk: Map<string, string>;
  let writes: number;
  let disk: 'works' | 'fails' | 'hangs';
  /** Ends the last write that hangs. */
  let release: () => void;
  let events: FleetEvent['type'][];

  beforeEach(async () => {
    clock = new FakeClock();
    [onDisk, disk] = [new Map(), 'works'];
    await restart();
    fleet.watch(RM1);
    await clock.advance(1_000);
    writes = 0;
  });

  /** A new process, after a kill: it has what is on disk. */
  async function restart(): Promise<void> {
    const files = (onDisk = new Map(onDisk));
    [events, writes] = [[], 0];
    const quiet = (): void => undefined;
    const keeper = new StateWriter({
      clock,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      store: {
        readAll: async () => files,
        async write(changes) {
          writes++;
          if (disk === 'fails') throw new Error('no space left on device');
          if (disk === 'hangs') await new Promise<void>((resolve) => (release = resolve));
          for (const [key, text] of changes) if (text !== undefined) files.set(key, text);
        },
        close: async () => undefined,
      },
    });
    const onEvent = (_: unknown, { type }: FleetEvent): void => void events.push(type);
    fleet = new Fleet({ clock, activeIntervalMs: () => 30_000, onEvent, keeper }, await keeper.load());
    keeper.start({ forget: () => undefined, onSaved: () => undefined });
  }

  function listed(...tasks: readonly BackupTask[]): PollResult {
    return { ok: true, tasks };
  }

  async function poll(...tasks: readonly BackupTask[]): Promise<void> {
    await fleet.apply(KEY, listed(...tasks));
  }

  function scraped(): InstanceState {
    return fleet.scrape().find(({ instance }) => instance.instanceId === 'rm-1')!;
  }

  /** What a kill at this moment leaves of the instance. */
  async function afterKill(): Promise<InstanceState> {
    await restart();
    return fleet.watch(RM1);
  }

  it('of a task survives a kill at once, the first of its mode or not', async () => {
    for (const job of ['1', '2']) {
      await poll(taskOf(job));
      await clock.advance(1);
      expect(scraped().tasks.map(({ task }) => task.backupJobId)).to.deep.equal([job]);
      await poll(taskOf(job, { backupStatus: 'Finished' }));
      await poll();
    }
    await poll(taskOf('3'));
    expect(scraped().tasks.map(({ task }) => task.backupJobId)).to.deep.equal(['3']);
    expect((await afterKill()).tasks.map(({ task }) => task.backupJobId)).to.deep.equal(['3']);
  });

  it('of the time since when a task runs survives a kill at once', async () => {
    await poll(taskOf('1', QUEUED));
    await clock.advance(60_000);
    await poll(taskOf('1'));
    const { runningSince } = scraped().tasks[0]!;
    expect(runningSince).to.equal(clock.now());
    expect((await afterKill()).tasks[0]!.runningSince).to.equal(runningSince);
  });

  for (const [name, result] of [
    ['that worked', listed()],
    ['that failed', { ok: false, error: errorOf('timeout') }],
  ] as const) {
    it(`of when an instance was first seen survives a kill at once, after a first poll ${name}`, async () => {
      const rm2 = instanceOf('rm-2');
      fleet.watch(rm2);
      const seenAt = clock.now();
      await fleet.apply(instanceKey(rm2), result);
      expect(fleet.scrape()).to.have.length(2);
      await afterKill();
      await clock.advance(5_000);
      expect(fleet.watch(rm2).firstSeenAt).to.equal(seenAt);
    });
  }

  it('of when an instance was first seen waits for a write that is under way', async () => {
    disk = 'hangs';
    fleet.watch(instanceOf('rm-2'));
    await clock.advance(1_000);
    void fleet.apply(instanceKey(instanceOf('rm-2')), listed());
    await settle();
    expect(fleet.scrape().map(({ lastPoll }) => lastPoll)).to.deep.equal([undefined, undefined]);
  });

  it('of an instance that is known from before a restart waits for no write', async () => {
    await afterKill();
    await poll();
    expect([writes, scraped().lastPoll?.at]).to.deep.equal([0, clock.now()]);
  });

  it('of many instances waits for one write, however many come while another is under way', async () => {
    const [first, ...others] = Array.from({ length: 16 }, (_, n) => instanceOf(`rm-${n}`));
    for (const instance of [first!, ...others]) fleet.watch(instance);
    await clock.advance(1_000);
    writes = 0;
    const learn = (instance: Instance): Promise<unknown> => fleet.apply(instanceKey(instance), listed(taskOf('1')));
    disk = 'hangs';
    const learnt = [learn(first!)];
    await settle();
    disk = 'works';
    learnt.push(...others.map(learn));
    release();
    await Promise.all(learnt);
    expect(writes).to.equal(2);
    expect([...onDisk.values()].filter((text) => text.includes('"backupJobId":"1"'))).to.have.length(16);
  });

  it('waits for no write where nothing new is learnt', async () => {
    await poll(taskOf('1'));
    expect(writes).to.equal(1);
    await clock.advance(30_000);
    writes = 1;
    await poll(taskOf('1', { processPercent: 50 }));
    await poll(taskOf('1', { processPercent: 60 }));
    expect([writes, scraped().tasks[0]!.task.processPercent]).to.deep.equal([1, 60]);
    await clock.advance(1_000);
    expect(writes).to.equal(2);
  });

  it('holds no new task before it is on disk, nor is it logged', async () => {
    disk = 'hangs';
    void poll(taskOf('1'));
    await settle();
    expect([scraped().tasks, events]).to.deep.equal([[], []]);
  });

  it('holds a new task all the same after 30 s of a disk that hangs, and at once from then on', async () => {
    disk = 'hangs';
    void poll(taskOf('1'));
    await clock.advance(29_999);
    expect(scraped().tasks).to.deep.equal([]);
    await clock.advance(1);
    expect(scraped().tasks.map(({ task }) => task.backupJobId)).to.deep.equal(['1']);
    await poll(taskOf('1'), taskOf('2'));
    expect(scraped().tasks.map(({ task }) => task.backupJobId)).to.deep.equal(['1', '2']);
  });

  it('holds a new task all the same where the disk fails, and each once in the log', async () => {
    disk = 'fails';
    await poll(taskOf('1'));
    await poll(taskOf('1'), taskOf('2'));
    expect(scraped().tasks.map(({ task }) => task.backupJobId)).to.deep.equal(['1', '2']);
    expect(events).to.deep.equal(['task_seen', 'task_seen']);
  });

  /** A backup of 11 minutes without progress, polled all the time, a kill, and its end after `downMs`. */
  async function durationOver(downMs: number): Promise<number | undefined> {
    for (let n = 0; n <= 20; n++) {
      await poll(taskOf('1'));
      await clock.advance(30_000);
    }
    await poll(taskOf('1'));
    await clock.advance(1_000);
    const killed = await afterKill();
    expect(killed).to.include({ lastPoll: undefined, lastGoodPollAt: undefined });
    await clock.advance(downMs - 1_000);
    scraped();
    await poll(taskOf('1', { backupStatus: 'Finished' }));
    return scraped().outcomes.Automated!.last.Finished!.durationMs;
  }

  it('of how long a task took is known after a restart of up to two active intervals', async () => {
    expect(await durationOver(60_000)).to.equal(690_000);
  });

  it('of how long a task took is absent after a longer one', async () => {
    expect(await durationOver(60_001)).to.equal(undefined);
  });

  it('costs no write where nothing is open, nor for a task that ended and is still listed', async () => {
    await poll(taskOf('1'));
    await clock.advance(1);
    scraped();
    await poll(taskOf('1', { backupStatus: 'Finished' }));
    await clock.advance(1_000);
    const before = onDisk.get(KEY);
    for (let hour = 0; hour < 24; hour++) {
      await clock.advance(3_600_000);
      await poll(taskOf('1', { backupStatus: 'Finished' }));
    }
    await clock.advance(1_000);
    expect(onDisk.get(KEY)).to.equal(before);
  });
});
