import { expect } from 'chai';
import { Fleet } from '../../../dist/state/fleet.js';
import { StateWriter } from '../../../dist/state/writer.js';
import { instanceKey } from '../../../dist/domain/model.js';
import type { BackupTask } from '../../../dist/domain/model.js';
import { instanceOf, taskOf } from '../../helpers/build.js';
import { FakeClock, settle } from '../../helpers/fake-clock.js';

const RM1 = instanceOf('rm-1');
const KEY = instanceKey(RM1);
const ENDED = taskOf('1', { backupStatus: 'Finished' });

describe('a disk that hangs', () => {
  let clock: FakeClock;
  let fleet: Fleet;
  let keeper: StateWriter;
  /** Each ends one write that hangs. */
  let hung: (() => void)[];
  let isHanging: boolean;
  let onDisk: Map<string, string | undefined>;
  let saved: boolean[];
  let logged: unknown[];

  beforeEach(async () => {
    clock = new FakeClock();
    [hung, isHanging, onDisk, saved, logged] = [[], false, new Map(), [], []];
    const note = (msg: string, fields?: object): void => void logged.push([msg, fields]);
    const store = {
      readAll: async () => new Map<string, string>(),
      async write(changes: ReadonlyMap<string, string | undefined>) {
        if (isHanging) await new Promise<void>((resolve) => hung.push(resolve));
        for (const [key, text] of changes) onDisk.set(key, text);
      },
      close: async () => undefined,
    };
    keeper = new StateWriter({ store, clock, log: { debug: note, info: note, warn: note, error: note } });
    fleet = new Fleet({ clock, activeIntervalMs: () => 30_000, onEvent: () => undefined, keeper });
    keeper.start({ forget: () => undefined, onSaved: (ok) => saved.push(ok) });
    fleet.watch(RM1);
    await poll(taskOf('1'));
    await clock.advance(1_000);
    fleet.scrape();
    isHanging = true;
  });

  async function poll(task: BackupTask): Promise<void> {
    await fleet.apply(KEY, { ok: true, tasks: [task] });
  }

  function finished(): number | undefined {
    return fleet.get(KEY)?.outcomes.Automated?.counts.Finished;
  }

  it('holds up no poll for longer than 30 s, is told of, and shows the outcome once it is stored', async () => {
    let polls = 0;
    void poll(ENDED).then(() => polls++);
    await clock.advance(29_999);
    expect([polls, saved]).to.deep.equal([0, []]);
    await clock.advance(1);
    expect([polls, saved]).to.deep.equal([1, [false]]);
    for (let hour = 0; hour < 24; hour++) {
      await clock.advance(3_600_000);
      await poll(ENDED);
    }
    expect([finished(), saved, hung.length]).to.deep.equal([0, [false], 1]);

    isHanging = false;
    hung[0]!();
    await settle();
    expect(saved).to.deep.equal([false, true]);
    await poll(ENDED);
    await poll(ENDED);
    expect(finished()).to.equal(1);
    expect(onDisk.get(KEY)).to.contain('"Finished":1');
    expect(logged).to.deep.equal([
      ['the state cannot be saved: it is kept in memory and tried again', { error: 'a write has not ended for 30 s' }],
      ['the state is saved again', undefined],
    ]);
  });

  it('leaves an outcome to the next poll when the instance went and came back meanwhile', async () => {
    const applied = fleet.apply(KEY, { ok: true, tasks: [ENDED] });
    await settle();
    fleet.unwatch(KEY);
    fleet.watch(RM1);
    isHanging = false;
    hung[0]!();
    expect(await applied).to.equal(undefined);
    expect(finished()).to.equal(0);
    await clock.advance(1_000);
    expect(onDisk.get(KEY)).to.contain('"Finished":0');
    fleet.scrape();
    await poll(ENDED);
    expect(finished()).to.equal(1);
    expect(onDisk.get(KEY)).to.contain('"Finished":1');
  });

  it('lets no counter move that only a scrape during the write could have shown', async () => {
    const failed = (): number | undefined => fleet.get(KEY)?.outcomes.Manual?.counts.Failed;
    const manual = taskOf('2', { mode: 'Manual' });
    const applied = poll(manual);
    await clock.advance(1_000);
    expect(fleet.scrape()[0]?.outcomes).to.not.have.property('Manual');
    await clock.advance(1_000);
    isHanging = false;
    hung[0]!();
    await applied;
    await poll({ ...manual, backupStatus: 'Failed' });
    expect(failed()).to.equal(0);
    await clock.advance(1);
    fleet.scrape();
    await poll({ ...manual, backupStatus: 'Failed' });
    expect(failed()).to.equal(1);
  });

  it('has counters that have not moved shown at 0 anew when the instance comes back', async () => {
    isHanging = false;
    fleet.unwatch(KEY);
    await clock.advance(600_000);
    fleet.scrape();
    fleet.watch(RM1);
    await poll(ENDED);
    expect(finished()).to.equal(0);
    await clock.advance(1);
    fleet.scrape();
    await poll(ENDED);
    expect(finished()).to.equal(1);
  });

  it('is told of when nothing but progress is to be stored', async () => {
    await poll(taskOf('1', { processPercent: 11 }));
    await clock.advance(1_000 + 30_000);
    expect(saved).to.deep.equal([false]);
  });
});
