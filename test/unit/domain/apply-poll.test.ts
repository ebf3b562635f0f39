import { expect } from 'chai';
import { applyLookup, applyPoll, newInstanceState } from '../../../dist/domain/apply-poll.js';
import type { Applied, ApplyContext, FleetEvent } from '../../../dist/domain/apply-poll.js';
import { isActive, pendingJobIds } from '../../../dist/domain/activity.js';
import type { InstanceState, TrackedTask } from '../../../dist/domain/instance-state.js';
import { displayedTasks, isFresh, isStuck, openTasks } from '../../../dist/domain/task-status.js';
import type { BackupTask, Lookup, PollResult } from '../../../dist/domain/model.js';
import { errorOf, instanceOf, taskOf } from '../../helpers/build.js';

const MINUTE = 60_000;

/** Feeds polls into one instance's state. */
class Watched {
  state: InstanceState = newInstanceState(instanceOf('rm-1'), 0);
  events: FleetEvent[] = [];
  /** Undefined: a moment before each poll. */
  scrapes: { lastMs: number | undefined } | undefined;

  /** A listing, then the answers to lookups. */
  poll(nowMs: number, tasks: readonly BackupTask[], answers: readonly (readonly [string, BackupTask?])[] = []): this {
    this.result(nowMs, { ok: true, tasks });
    for (const [backupJobId, value] of answers) this.lookup(nowMs, { backupJobId, result: { ok: true, value } });
    return this;
  }

  result(nowMs: number, result: PollResult): this {
    return this.#take(nowMs, (context) => applyPoll(this.state, result, context));
  }

  lookup(nowMs: number, lookup: Lookup): this {
    return this.#take(nowMs, (context) => applyLookup(this.state, lookup, context));
  }

  #take(nowMs: number, apply: (context: ApplyContext) => Applied): this {
    const lastScrapeMs = this.scrapes === undefined ? nowMs - 0.5 : this.scrapes.lastMs;
    const applied = apply({ nowMs, activeIntervalMs: 30_000, lastScrapeMs });
    this.state = applied.state;
    this.events.push(...applied.events);
    return this;
  }

  task(backupJobId: string): TrackedTask | undefined {
    return this.state.tasks.find(({ task }) => task.backupJobId === backupJobId);
  }

  get counts(): unknown {
    return this.state.outcomes.Automated?.counts;
  }
}

const finished = (id: string): BackupTask =>
  taskOf(id, { backupStatus: 'Finished', progressStatus: 'Finished', processPercent: 100, backupId: '77' });
const failed = (id: string): BackupTask => taskOf(id, { backupStatus: 'Failed' });

describe('a task that is followed', () => {
  it('is first seen queued, then runs, then progresses', () => {
    const watched = new Watched();
    const queued = taskOf('1', { backupStatus: undefined, progressStatus: 'NoStart', processPercent: 0 });
    watched.poll(1_000, [queued]).poll(31_000, [queued]);
    expect(watched.task('1')).to.include({ firstSeenAt: 1_000, lastProgressAt: 1_000, runningSince: undefined });
    watched.poll(61_000, [taskOf('1', { processPercent: 0 })]);
    expect(watched.task('1')).to.include({ firstSeenAt: 1_000, lastProgressAt: 61_000, runningSince: 61_000 });
    watched.poll(91_000, [taskOf('1', { processPercent: 5 })]).poll(121_000, [taskOf('1', { processPercent: 5 })]);
    expect(watched.task('1')).to.include({ lastProgressAt: 91_000, runningSince: 61_000 });
  });

  it('has its speed measured from where it was when first seen running', () => {
    const watched = new Watched().poll(0, [taskOf('1', { backupStatus: 'NoStart', processPercent: 0 })]);
    expect(watched.task('1')?.runningFromPercent).to.equal(undefined);
    watched.poll(30_000, [taskOf('1', { processPercent: 3 })]).poll(60_000, [taskOf('1', { processPercent: 9 })]);
    expect(watched.task('1')).to.include({ runningSince: 30_000, runningFromPercent: 3 });
    const unknown = new Watched().poll(0, [taskOf('1', { processPercent: undefined })]);
    expect(unknown.poll(30_000, [taskOf('1', { processPercent: 9 })]).task('1')?.runningFromPercent).to.equal(
      undefined,
    );
  });

  it('progresses when its percentage goes back or its progress status changes', () => {
    const watched = new Watched().poll(0, [taskOf('1', { processPercent: 50 })]);
    expect(watched.poll(1_000, [taskOf('1', { processPercent: 40 })]).task('1')?.lastProgressAt).to.equal(1_000);
    const other = taskOf('1', { processPercent: 40, progressStatus: 'Waiting' });
    expect(watched.poll(2_000, [other]).task('1')?.lastProgressAt).to.equal(2_000);
    expect(watched.poll(3_000, [other]).task('1')?.lastProgressAt).to.equal(2_000);
    expect(watched.poll(4_000, [{ ...other, backupStatus: 'Waiting' }]).task('1')?.lastProgressAt).to.equal(4_000);
  });

  it('has a mode of its own when JobMode was never given', () => {
    const watched = new Watched().poll(0, [taskOf('1', { mode: 'Unknown' })]);
    expect(watched.task('1')?.task.mode).to.equal('Unknown');
    expect(watched.state.outcomes).to.have.all.keys('Unknown');
  });

  it('is never stuck while it is queued or once it has ended', () => {
    for (const backupStatus of ['NoStart', 'Failed'] as const) {
      const watched = new Watched();
      watched.scrapes = { lastMs: undefined };
      watched.poll(0, [taskOf('1', { backupStatus })]).poll(120 * MINUTE, [taskOf('1', { backupStatus })]);
      expect(isStuck(watched.state, watched.task('1')!), backupStatus).to.equal(false);
    }
  });

  it('is not stuck before a poll has worked', () => {
    const watched = new Watched().poll(0, [taskOf('1')]);
    watched.state = { ...watched.state, lastGoodPollAt: undefined };
    expect(isStuck(watched.state, watched.task('1')!)).to.equal(false);
  });

  it('is stuck once the last good poll saw no progress for longer than its threshold, not while nothing is seen', () => {
    const watched = new Watched().poll(0, [taskOf('1')]);
    const stuck = (): boolean => isStuck(watched.state, watched.task('1')!);
    expect(watched.poll(30 * MINUTE, [taskOf('1')]) && stuck()).to.equal(false);
    watched.result(90 * MINUTE, { ok: false, error: errorOf('connection') });
    expect(stuck()).to.equal(false);
    expect(watched.poll(30 * MINUTE + 1, [taskOf('1')]) && stuck()).to.equal(true);
    expect(watched.poll(91 * MINUTE, [taskOf('1', { processPercent: 11 })]) && stuck()).to.equal(false);
  });

  it('is displayed before others if it is further along, then by the higher job id', () => {
    const queued = (id: string): BackupTask => taskOf(id, { backupStatus: 'NoStart' });
    const watched = new Watched().poll(0, [queued('99'), taskOf('9'), taskOf('10'), finished('100')]);
    const displayed = (): string[] => displayedTasks(watched.state).map(({ task }) => task.backupJobId);
    expect(displayed()).to.deep.equal(['10', '9', '99', '100']);
    watched.poll(1, [queued('99'), queued('9'), finished('100')]);
    expect(displayed()).to.deep.equal(['10', '99', '9', '100']);
    watched.poll(2, [queued('99'), queued('9'), finished('100')], [['10', finished('10')]]);
    expect(displayed()).to.deep.equal(['99', '9', '100']);
    expect(openTasks(watched.state, 'Automated')).to.equal(2);
  });

  it('is displayed by the higher job id, whatever the order of the listing and the length of the ids', () => {
    for (const [listed, displayed] of [
      ['11 12', '12 11'],
      ['12 11', '12 11'],
      ['9 12', '12 9'],
      ['12 9', '12 9'],
      ['11 02 12', '12 11 02'],
      ['7', '7'],
    ] as const) {
      const tasks = listed.split(' ').map((id) => taskOf(id));
      const shown = displayedTasks(new Watched().poll(0, tasks).state);
      expect(shown.map(({ task }) => task.backupJobId).join(' '), listed).to.equal(displayed);
    }
  });

  it('keeps its times when it returns after a gap of one poll', () => {
    const watched = new Watched().poll(0, [taskOf('1')]).poll(30_000, []);
    expect(pendingJobIds(watched.state, 60_000)).to.deep.equal(['1']);
    watched.poll(60_000, [taskOf('1')]);
    expect(watched.task('1')).to.include({ firstSeenAt: 0, lastProgressAt: 0, outcomeLookups: undefined });
    expect(watched.events.map(({ type }) => type)).to.deep.equal(['task_seen']);
  });

  it('keeps its mode when an answer leaves it out', () => {
    const watched = new Watched().poll(0, [taskOf('1')]).poll(1, [taskOf('1', { mode: 'Unknown' })]);
    expect(watched.task('1')?.task.mode).to.equal('Automated');
    expect(watched.state.outcomes).to.not.have.property('Unknown');
  });
});

describe('the outcome of a task', () => {
  it('is open once it left the listing: its series stay as they were until the API says', () => {
    const watched = new Watched().poll(0, [taskOf('1', { processPercent: 90 })]).poll(30_000, []);
    expect(openTasks(watched.state, 'Automated')).to.equal(1);
    expect(watched.task('1')?.task.processPercent).to.equal(90);
    expect(watched.counts).to.deep.equal({ Finished: 0, Failed: 0, Unknown: 0 });
    watched.poll(60_000, [], [['1', finished('1')]]);
    expect(watched.counts).to.deep.equal({ Finished: 1, Failed: 0, Unknown: 0 });
    expect(watched.state.tasks).to.deep.equal([]);
    expect(watched.state.outcomes.Automated?.last.Finished).to.deep.equal({
      outcome: 'Finished',
      at: 60_000,
      durationMs: 30_000,
      backupJobId: '1',
      backupId: '77',
    });
  });

  it('is Unknown after three answers without an end, where a failed call is no answer', () => {
    const watched = new Watched()
      .poll(0, [taskOf('1')])
      .poll(30_000, [])
      .poll(60_000, [], [['1']])
      .poll(90_000, []);
    watched.poll(120_000, [], [['1']]);
    expect(watched.counts).to.deep.equal({ Finished: 0, Failed: 0, Unknown: 0 });
    expect(pendingJobIds(watched.state, 120_000)).to.deep.equal(['1']);
    watched.poll(150_000, [], [['1']]);
    expect(watched.counts).to.deep.equal({ Finished: 0, Failed: 0, Unknown: 1 });
    expect(watched.state.tasks).to.deep.equal([]);
  });

  it('is looked up from the next poll on, and ever more rarely while that fails, until 20 failures make it Unknown', () => {
    const watched = new Watched().poll(0, [taskOf('1')]);
    const lookups: number[] = [];
    let endedAt = 0;
    for (let nowMs = 30_000; endedAt === 0; nowMs += 30_000) {
      watched.poll(nowMs, []);
      for (const backupJobId of pendingJobIds(watched.state, nowMs)) {
        lookups.push(nowMs / 30_000);
        watched.lookup(nowMs, { backupJobId, result: { ok: false, error: errorOf('server') } });
      }
      if (watched.state.tasks.length === 0) endedAt = nowMs;
    }
    const everyTenMinutes = Array.from({ length: 13 }, (_, n) => 53 + 20 * n);
    expect(lookups).to.deep.equal([2, 3, 5, 9, 17, 33, ...everyTenMinutes, 313]);
    expect(endedAt).to.equal(313 * 30_000);
    expect(watched.state.outcomes.Automated).to.deep.equal({
      counts: { Finished: 0, Failed: 0, Unknown: 1 },
      last: { Unknown: { outcome: 'Unknown', at: endedAt, durationMs: 30_000, backupJobId: '1', backupId: undefined } },
    });
    expect(watched.events.map(({ type }) => type)).to.deep.equal(['task_seen', 'lookup_failing', 'task_ended']);
  });

  it('is looked up as rarely while that is throttled, which is no failure', () => {
    const watched = new Watched().poll(0, [taskOf('1'), taskOf('2')]);
    const lookups: number[] = [];
    for (let poll = 1; poll < 100; poll++) {
      watched.poll(poll * 30_000, [taskOf('2')]);
      for (const backupJobId of pendingJobIds(watched.state, poll * 30_000)) {
        lookups.push(poll);
        watched.lookup(poll * 30_000, { backupJobId, result: { ok: false, error: errorOf('throttled') } });
      }
    }
    expect(lookups).to.deep.equal([2, 3, 5, 9, 17, 33, 53, 73, 93]);
    expect(watched.task('1')).to.include({ unlistedAt: 30_000, outcomeLookups: 0 });
    expect(watched.task('1')).to.not.have.property('failedLookups');
    expect([watched.events.length, isActive(watched.state)]).to.deep.equal([2, true]);
    // An earlier version did not note when it left.
    watched.state = {
      ...watched.state,
      tasks: watched.state.tasks.map((task) => ({ ...task, unlistedAt: undefined })),
    };
    watched.lookup(5_000_000, { backupJobId: '1', result: { ok: false, error: errorOf('throttled') } });
    expect(watched.task('1')?.nextLookupAt).to.equal(5_015_000);
  });

  it('is Unknown a day after the API last vouched for the task, whatever keeps the lookups from being made', () => {
    const day = 86_400_000;
    const heldBack = { backupJobId: '1', result: { ok: false, error: errorOf('held_back') } } as const;
    const watched = new Watched()
      .poll(0, [taskOf('1')])
      .poll(30_000, [])
      .poll(60_000, [], [['1', taskOf('1')]])
      .poll(90_000, [])
      .lookup(90_000, heldBack)
      .poll(90_000 + day - 1, [])
      .lookup(90_000 + day - 1, heldBack);
    expect(watched.task('1')).to.include({ unlistedAt: 90_000, outcomeLookups: 0 });
    expect(watched.task('1')).to.not.have.property('failedLookups');
    expect(watched.events.map(({ type }) => type)).to.deep.equal(['task_seen']);
    watched.poll(90_000 + day, []);
    expect(watched.state.tasks).to.deep.equal([]);
    expect(watched.counts).to.deep.equal({ Finished: 0, Failed: 0, Unknown: 1 });
  });

  it('counts failed lookups anew once the API says that the task runs', () => {
    const failing = { backupJobId: '1', result: { ok: false, error: errorOf('timeout') } } as const;
    const watched = new Watched().poll(0, [taskOf('1')]).poll(30_000, []);
    expect(watched.lookup(30_001, failing).events.at(-1)).to.deep.equal({
      type: 'lookup_failing',
      task: taskOf('1'),
      error: failing.result.error,
    });
    for (let failure = 2; failure < 20; failure++) watched.lookup(30_000 + failure, failing);
    expect(watched.task('1')?.failedLookups).to.equal(19);
    expect(watched.events.map(({ type }) => type)).to.deep.equal(['task_seen', 'lookup_failing']);
    watched.poll(60_000, [], [['1', taskOf('1')]]).lookup(60_001, failing);
    expect(watched.task('1')).to.include({ failedLookups: 1, outcomeLookups: 0 });
  });

  it('of a task that returned to the listing is not taken from a lookup that was under way', () => {
    const watched = new Watched().poll(0, [taskOf('1')]).poll(30_000, [taskOf('1')], [['1', finished('1')]]);
    expect(watched.counts).to.deep.equal({ Finished: 0, Failed: 0, Unknown: 0 });
    expect(watched.task('1')?.task.backupStatus).to.equal('Uploading');
  });

  it('has the duration up to the first poll that no longer saw the task run, in the listing or by id', () => {
    const watched = new Watched().poll(0, [taskOf('1')]).poll(30_000, []);
    watched.poll(60_000, [], [['1', taskOf('1')]]).poll(90_000, [], [['1', taskOf('1')]]);
    watched.poll(120_000, []).poll(150_000, [], [['1', finished('1')]]);
    expect(watched.state.outcomes.Automated?.last.Finished).to.include({ at: 150_000, durationMs: 120_000 });
  });

  it('has no duration if the instance went unpolled for long after the API said by id that the task runs', () => {
    const watched = new Watched().poll(0, [taskOf('1')]).poll(30_000, []);
    watched.poll(60_000, [], [['1', taskOf('1')]]).poll(120_001, []);
    watched.poll(150_000, [], [['1', finished('1')]]);
    expect(watched.state.outcomes.Automated?.last.Finished).to.include({ at: 150_000, durationMs: undefined });
  });

  it('stays open while the API says that the task has not ended', () => {
    const watched = new Watched().poll(0, [taskOf('1')]).poll(30_000, []);
    for (let poll = 2; poll < 9; poll++)
      watched.poll(poll * 30_000, [], [['1', taskOf('1', { processPercent: poll })]]);
    expect(pendingJobIds(watched.state, 240_000)).to.deep.equal(['1']);
    watched.poll(270_000, []);
    expect(pendingJobIds(watched.state, 270_000)).to.deep.equal(['1']);
    expect(watched.task('1')).to.include({ firstSeenAt: 0, lastProgressAt: 240_000 });
  });

  it('comes from BackupStatus alone', () => {
    const half = taskOf('1', { backupStatus: undefined, progressStatus: 'Finished' });
    const watched = new Watched().poll(0, [taskOf('1')]).poll(30_000, [half]);
    expect(watched.counts).to.deep.equal({ Finished: 0, Failed: 0, Unknown: 0 });
    watched
      .poll(60_000, [])
      .poll(90_000, [], [['1', half]])
      .poll(120_000, [], [['1', half]])
      .poll(150_000, [], [['1', half]]);
    expect(watched.counts).to.deep.equal({ Finished: 0, Failed: 0, Unknown: 1 });
  });

  it('is counted once, however long the ended task lingers in the listing or comes back', () => {
    const watched = new Watched().poll(0, [taskOf('1')]);
    for (let poll = 1; poll < 5; poll++) watched.poll(poll * 30_000, [failed('1')]);
    watched
      .poll(200_000, [])
      .poll(230_000, [failed('1')])
      .poll(260_000, []);
    expect(watched.counts).to.deep.equal({ Finished: 0, Failed: 1, Unknown: 0 });
    expect(pendingJobIds(watched.state, 300_000)).to.deep.equal([]);
  });

  const NOTHING = { Finished: 0, Failed: 0, Unknown: 0 };
  const ONE_FAILED = { Finished: 0, Failed: 1, Unknown: 0 };
  const manual = (task: BackupTask): BackupTask => ({ ...task, mode: 'Manual' });

  for (const [how, polls] of [
    ['is first seen already ended', [[failed('1')], [failed('1')], []]],
    ['is first seen ended and leaves the listing', [[failed('1')], [], []]],
    ['ends at its second sighting', [[taskOf('1')], [failed('1')], []]],
    ['lingers in the listing', [[taskOf('1')], [failed('1')], [failed('1')]]],
  ] as const) {
    it(`is counted once a scrape has shown 0, when the task ${how}`, () => {
      const watched = new Watched();
      watched.scrapes = { lastMs: 1_000 };
      watched.poll(1_000, polls[0]).poll(31_000, polls[1]);
      expect([watched.counts, isActive(watched.state)]).to.deep.equal([NOTHING, true]);
      expect(watched.events.map(({ type }) => type)).to.deep.equal(['task_seen']);
      watched.scrapes.lastMs = 1_001;
      watched.poll(61_000, polls[2]);
      expect([watched.counts, isActive(watched.state)]).to.deep.equal([ONE_FAILED, false]);
      const at = polls[0][0].backupStatus === 'Failed' ? 1_000 : 31_000;
      expect(watched.state.outcomes.Automated?.last.Failed?.at).to.equal(at);
      expect(watched.events.map(({ type }) => type)).to.deep.equal(['task_seen', 'task_ended']);
    });
  }

  it('is counted once a scrape has shown 0, when a lookup tells it', () => {
    const watched = new Watched();
    watched.scrapes = { lastMs: undefined };
    watched.poll(0, [taskOf('1')]).poll(30_000, []);
    watched.poll(60_000, [], [['1', failed('1')]]).poll(90_000, []);
    expect([watched.counts, pendingJobIds(watched.state, 90_000)]).to.deep.equal([NOTHING, []]);
    watched.scrapes.lastMs = 91_000;
    watched.poll(120_000, []);
    expect(watched.counts).to.deep.equal(ONE_FAILED);
    expect(watched.state.outcomes.Automated?.last.Failed).to.include({ at: 60_000, durationMs: 30_000 });
  });

  it('is counted once a scrape has shown the 0 of its mode, when its mode changes', () => {
    const watched = new Watched().poll(0, [taskOf('1')]).poll(30_000, [taskOf('1')]);
    watched.scrapes = { lastMs: 59_999 };
    watched.poll(60_000, [manual(failed('1'))]).poll(90_000, []);
    expect(watched.state.outcomes.Manual?.counts).to.deep.equal(NOTHING);
    watched.scrapes.lastMs = 90_001;
    watched.poll(120_000, []);
    expect([watched.state.outcomes.Manual?.counts, watched.counts]).to.deep.equal([ONE_FAILED, NOTHING]);
  });

  it('is counted at once in a mode whose 0 a scrape has shown, whatever waits in another', () => {
    const watched = new Watched().poll(0, [taskOf('1')]).poll(30_000, [failed('1')]);
    expect(watched.counts).to.deep.equal(ONE_FAILED);
    watched.scrapes = { lastMs: 30_001 };
    watched.poll(60_000, [failed('1'), failed('2'), manual(failed('3'))]);
    expect(watched.counts).to.deep.equal({ ...NOTHING, Failed: 2 });
    expect(watched.state.outcomes.Manual?.counts).to.deep.equal(NOTHING);
    expect(watched.state.outcomes).to.not.have.property('Unknown');
  });

  it('is counted with all others of its mode once a scrape has shown 0', () => {
    const watched = new Watched();
    watched.scrapes = { lastMs: undefined };
    watched.poll(1_000, [failed('1'), failed('2')]).poll(31_000, [failed('1'), failed('2'), failed('3')]);
    expect(watched.counts).to.deep.equal(NOTHING);
    watched.scrapes.lastMs = 40_000;
    watched.poll(61_000, []);
    expect(watched.counts).to.deep.equal({ ...NOTHING, Failed: 3 });
  });

  it('is counted after five minutes when nobody scrapes, not earlier', () => {
    const watched = new Watched();
    watched.scrapes = { lastMs: undefined };
    watched.poll(1_000_000, [failed('1')]).poll(1_300_000, []);
    expect(watched.counts).to.deep.equal(NOTHING);
    watched.poll(1_300_001, []);
    expect(watched.counts).to.deep.equal(ONE_FAILED);
  });

  it('has no duration if the instance went unpolled for more than two active intervals before the end', () => {
    const watched = new Watched().poll(0, [taskOf('1')]).poll(60_001, [finished('1')]);
    expect(watched.state.outcomes.Automated?.last.Finished?.durationMs).to.equal(undefined);
    watched.poll(70_000, [taskOf('2')]).poll(130_000, [finished('2')]);
    expect(watched.state.outcomes.Automated?.last.Finished?.durationMs).to.equal(60_000);
  });

  it('has a duration up to exactly two active intervals after the last good poll', () => {
    const watched = new Watched().poll(0, [taskOf('1')]).poll(60_000, [finished('1')]);
    expect(watched.state.outcomes.Automated?.last.Finished?.durationMs).to.equal(60_000);
  });

  it('has no duration when the task was never seen running, or ended unseen over a restart', () => {
    const queued = new Watched().poll(0, [taskOf('1', { backupStatus: 'NoStart' })]).poll(30_000, [finished('1')]);
    expect(queued.state.outcomes.Automated?.last.Finished).to.include({ at: 30_000, durationMs: undefined });
    const restarted = new Watched().poll(0, [taskOf('1')]);
    restarted.state = { ...restarted.state, lastPoll: undefined, lastGoodPollAt: undefined };
    restarted.poll(7_200_000, [finished('1')]);
    expect(restarted.state.outcomes.Automated?.last.Finished).to.include({ at: 7_200_000, durationMs: undefined });
  });

  it('has no duration when the state of an earlier version does not say when the task was last seen open', () => {
    const watched = new Watched().poll(0, [taskOf('1')]);
    const tasks = watched.state.tasks.map((tracked) => Object.assign(tracked, { lastOpenAt: undefined }));
    watched.state = { ...watched.state, tasks };
    watched.poll(30_000, [finished('1')]);
    expect(watched.state.outcomes.Automated?.last.Finished).to.include({ at: 30_000, durationMs: undefined });
  });

  it('is told with the task, its mode and its completion', () => {
    const watched = new Watched().poll(0, [taskOf('1')]).poll(30_000, [failed('1')]);
    const completion = { outcome: 'Failed', at: 30_000, durationMs: 30_000, backupJobId: '1', backupId: undefined };
    expect(watched.events).to.deep.equal([
      { type: 'task_seen', task: taskOf('1') },
      { type: 'task_ended', task: failed('1'), completion },
    ]);
  });

  it('is noted and not counted while it cannot be stored', () => {
    const before = new Watched().poll(0, [taskOf('1')]).state;
    const context = { nowMs: 30_000, activeIntervalMs: 30_000, lastScrapeMs: 20_000, canPersist: false };
    const { state, events } = applyPoll(before, { ok: true, tasks: [failed('1')] }, context);
    expect([state.outcomes.Automated?.counts, events]).to.deep.equal([NOTHING, []]);
    const later = applyPoll(state, { ok: true, tasks: [] }, { ...context, nowMs: 60_000, canPersist: true });
    expect(later.state.outcomes.Automated?.counts).to.deep.equal(ONE_FAILED);
    expect(later.state.outcomes.Automated?.last.Failed).to.include({ at: 30_000, durationMs: 30_000 });
  });

  it('is remembered for all jobs still listed and the last 32 others', () => {
    const watched = new Watched();
    const lingering = finished('1');
    watched.poll(0, [taskOf('1')]).poll(1, [lingering]);
    for (let job = 2; job < 50; job++)
      watched.poll(job * 2, [lingering, taskOf(`${job}`)]).poll(job * 2 + 1, [lingering, finished(`${job}`)]);
    watched.poll(1_000, [lingering]);
    expect(watched.state.countedJobs).to.have.length(33);
    expect(watched.state.countedJobs[0]).to.equal('1');
    expect(watched.counts).to.deep.equal({ Finished: 49, Failed: 0, Unknown: 0 });
  });
});

describe('a poll that fails', () => {
  it('leaves the tasks as they were and is told once per kind of trouble', () => {
    const watched = new Watched().poll(0, [taskOf('1')]);
    const down = { ok: false, error: errorOf('connection') } as const;
    watched
      .result(1, down)
      .result(2, down)
      .result(3, { ok: false, error: errorOf('denied') })
      .poll(4, [taskOf('1')]);
    expect(watched.events.map(({ type }) => type)).to.deep.equal([
      'task_seen',
      'poll_failing',
      'poll_failing',
      'poll_recovered',
    ]);
    expect(watched.state).to.deep.include({ lastPoll: { at: 4, error: undefined }, lastGoodPollAt: 4 });
  });

  it('is no sign of an instance without backup tasks, whatever else its first poll gives', () => {
    const down = { ok: false, error: errorOf('connection') } as const;
    const watched = new Watched();
    expect(watched.state.countedJobs).to.deep.equal([]);
    watched.result(0, down);
    expect([watched.state.unsupported, watched.events]).to.deep.equal([
      undefined,
      [{ type: 'poll_failing', error: down.error }],
    ]);
  });

  it('changes nothing when it was held back, throttled or aborted', () => {
    const watched = new Watched().poll(0, []);
    const before = watched.state;
    for (const kind of ['held_back', 'throttled', 'aborted'] as const)
      watched.result(1, { ok: false, error: errorOf(kind) });
    expect(watched.state).to.equal(before);
  });

  const unsupported = { ok: false, error: errorOf('unsupported', { message: 'read-only' }) } as const;

  it('marks an instance that has no backup tasks, until a poll works', () => {
    const watched = new Watched().result(0, unsupported).result(3_600_000, unsupported);
    const { error } = unsupported;
    expect(watched.state).to.deep.include({ unsupported: 'read-only', lastPoll: { at: 3_600_000, error } });
    expect(watched.events).to.deep.equal([{ type: 'unsupported', error }]);
    expect(watched.poll(3_600_001, []).state.unsupported).to.equal(undefined);
    expect(watched.events.map(({ type }) => type)).to.deep.equal(['unsupported', 'poll_recovered']);
  });

  it('takes an instance that worked for one without backup tasks only when two answers, an interval apart, say so', () => {
    const watched = new Watched().poll(0, [taskOf('1')]).result(30_000, unsupported);
    watched.result(59_999, unsupported);
    expect([watched.state.unsupported, watched.task('1')?.firstSeenAt]).to.deep.equal([undefined, 0]);
    watched.result(89_999, { ok: false, error: errorOf('held_back') }).result(89_999, unsupported);
    expect([watched.state.unsupported, watched.state.tasks]).to.deep.equal(['read-only', []]);
    expect(watched.events.map(({ type }) => type)).to.deep.equal(['task_seen', 'poll_failing', 'unsupported']);
    expect(new Watched().poll(0, []).result(30_000, unsupported).state.unsupported).to.equal(undefined);
  });

  it('loses neither a task nor an end that was seen when one answer says that there are no backup tasks', () => {
    const watched = new Watched();
    watched.scrapes = { lastMs: undefined };
    watched
      .poll(0, [failed('1'), taskOf('2')])
      .result(30_000, unsupported)
      .poll(60_000, [taskOf('2')]);
    watched.result(90_000, unsupported);
    expect(watched.task('2')?.firstSeenAt).to.equal(0);
    watched.scrapes.lastMs = 61_000;
    watched.poll(120_000, [taskOf('2')]);
    expect(watched.counts).to.deep.equal({ Finished: 0, Failed: 1, Unknown: 0 });
  });

  it('counts an end that was seen, once a scrape has shown 0, also of an instance that has no backup tasks any more', () => {
    const watched = new Watched();
    watched.scrapes = { lastMs: undefined };
    watched
      .poll(0, [failed('1'), taskOf('2')])
      .result(30_000, unsupported)
      .result(60_000, unsupported);
    expect(watched.counts).to.deep.equal({ Finished: 0, Failed: 0, Unknown: 0 });
    expect(watched.state.tasks.map(({ task }) => task.backupJobId)).to.deep.equal(['1']);
    watched.scrapes.lastMs = 61_000;
    watched.result(3_660_000, unsupported);
    expect([watched.counts, watched.state.tasks]).to.deep.equal([{ Finished: 0, Failed: 1, Unknown: 0 }, []]);
    expect(watched.events.map(({ type }) => type)).to.deep.equal([
      'task_seen',
      'task_seen',
      'poll_failing',
      'unsupported',
      'task_ended',
    ]);
  });

  it('leaves an instance without backup tasks as it is, also when another failure comes in between', () => {
    const watched = new Watched().poll(0, []).result(300_000, unsupported).result(600_000, unsupported);
    watched.result(4_200_000, { ok: false, error: errorOf('connection') }).result(4_500_000, unsupported);
    expect(watched.state.unsupported).to.equal('read-only');
    expect(watched.events.map(({ type }) => type)).to.deep.equal(['poll_failing', 'unsupported', 'poll_failing']);
  });

  it('asks a remembered instance twice as well', () => {
    const watched = new Watched().poll(0, [taskOf('1')]);
    watched.state = { ...watched.state, lastPoll: undefined, lastGoodPollAt: undefined };
    expect(watched.result(30_000, unsupported).task('1')?.firstSeenAt).to.equal(0);
  });
});

describe('an unexpected value', () => {
  it('is told once per job and field', () => {
    const odd = (id: string): BackupTask => taskOf(id, { unexpected: [{ field: 'Process', value: '25%' }] });
    const watched = new Watched()
      .poll(0, [odd('1')])
      .poll(1, [odd('1')])
      .poll(2, [taskOf('1')])
      .poll(3, [odd('1'), odd('2')]);
    expect(new Watched().poll(0, [taskOf('1')]).task('1')?.reportedFields).to.deep.equal([]);
    const told = watched.events
      .filter((event) => event.type === 'unexpected_value')
      .map(({ task }) => task.backupJobId);
    expect(told).to.deep.equal(['1', '2']);
  });
});

describe('an instance', () => {
  it('is fresh until its last good poll is as old as the limit, unless it has no backup tasks', () => {
    const { state } = new Watched().poll(1_000, []);
    expect([isFresh(state, 1_999, 1_000), isFresh(state, 2_000, 1_000)]).to.deep.equal([true, false]);
    expect(isFresh({ ...state, unsupported: 'read-only' }, 1_000, 1_000)).to.equal(false);
    expect(isFresh({ ...state, lastGoodPollAt: undefined }, 1_000, 1_000)).to.equal(false);
  });

  it('is idle while its only open outcome cannot be had: three lookups failed', () => {
    const watched = new Watched().poll(0, [taskOf('1')]).poll(30_000, []);
    const activity = [1, 2, 3].map((failure) => {
      watched.lookup(30_000 + failure, { backupJobId: '1', result: { ok: false, error: errorOf('server') } });
      return isActive(watched.state);
    });
    expect(activity).to.deep.equal([true, true, false]);
  });

  it('is active while a task is listed that has not ended, however long it waits, or an outcome is open', () => {
    const watched = new Watched().poll(0, []);
    expect(isActive(watched.state)).to.equal(false);
    watched.poll(0, [taskOf('1', { backupStatus: 'NoStart' })]);
    expect(isActive(watched.state)).to.equal(true);
    watched.poll(6_000_000, [taskOf('1', { backupStatus: 'NoStart' })]);
    expect(isActive(watched.state)).to.equal(true);
    expect(isActive(watched.poll(6_030_000, [taskOf('1')]).state)).to.equal(true);
    expect(isActive(watched.poll(6_060_000, []).state)).to.equal(true);
    expect(isActive(watched.poll(6_090_000, [], [['1', finished('1')]]).state)).to.equal(false);
    expect(isActive(watched.poll(6_120_000, [finished('1')]).state)).to.equal(false);
  });
});
