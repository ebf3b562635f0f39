import { expect } from 'chai';
import type { Pace, RawTask } from '../../../dist/simulator/timeline.js';
import { Timeline } from '../../../dist/simulator/timeline.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const pace: Pace = { epochMs: 1_000_000, timeScale: 1, backupEveryMs: 4 * HOUR_MS };

/** The times, by the minute, at which the listing changes its words, and the words. */
function changes(timeline: Timeline, hours: number): string[] {
  const seen: string[] = [];
  let before = '';
  for (let minute = 0; minute < hours * 60; minute++) {
    const words = timeline
      .listedAt(pace.epochMs + minute * MINUTE_MS)
      .map(wordsOf)
      .join(', ');
    if (words !== before) seen.push(`${minute}: ${words || '-'}`);
    before = words;
  }
  return seen;
}

/** The millisecond at which a job ends. */
function endOf(timeline: Timeline, jobId: number): number {
  let [before, after] = [0, 0];
  for (let minute = 0; after === 0 && minute < 24 * 60; minute++) {
    const atMs = pace.epochMs + minute * MINUTE_MS;
    if (isListed(timeline, jobId, atMs)) before = atMs;
    else if (before > 0) after = atMs;
  }
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (isListed(timeline, jobId, middle)) before = middle;
    else after = middle;
  }
  return after;
}

function isListed(timeline: Timeline, jobId: number, atMs: number): boolean {
  return timeline.listedAt(atMs).some(({ BackupJobId }) => Number(BackupJobId) === jobId);
}

function wordsOf({ JobMode, BackupStatus, BackupProgressStatus }: RawTask): string {
  return `${JobMode} ${BackupStatus ?? `(${BackupProgressStatus})`}`;
}

describe('the timeline of a simulated instance', () => {
  it('queues a backup, runs it through its states and drops it when it ends', () => {
    expect(changes(new Timeline(2, 'failing', pace), 4)).to.deep.equal([
      '0: Automated (NoStart)',
      '4: Automated Checking',
      '12: Automated Preparing',
      '20: Automated Waiting',
      '24: Automated Uploading',
      '50: -',
    ]);
  });

  it('keeps a backup made by hand waiting until the automatic one has ended', () => {
    expect(changes(new Timeline(5, 'steady', pace), 5)).to.deep.equal([
      '131: Automated (NoStart)',
      '136: Automated Checking',
      '144: Automated Preparing',
      '153: Automated Waiting',
      '157: Automated Uploading',
      '178: Automated Uploading, Manual (NoStart)',
      '221: Manual (NoStart)',
      '222: Manual Checking',
      '225: Manual Preparing',
      '229: Manual Waiting',
      '231: Manual Uploading',
      '260: -',
    ]);
  });

  it('tells a task that ended by its id alone, for half of the time to the next backup', () => {
    const timeline = new Timeline(2, 'failing', pace);
    const [task] = timeline.listedAt(pace.epochMs);
    const jobId = Number(task?.BackupJobId);
    const endMs = endOf(timeline, jobId);
    expect(timeline.findAt(jobId, endMs - 1)).to.deep.equal({ ...timeline.listedAt(endMs - 1)[0] });
    expect(timeline.listedAt(endMs)).to.deep.equal([]);
    expect(timeline.findAt(jobId, endMs)).to.deep.equal({
      BackupJobId: '30000',
      BackupProgressStatus: 'Uploading',
      BackupStatus: 'Failed',
      JobMode: 'Automated',
      Process: '57',
      TaskAction: 'NormalBackupTask',
    });
    expect(timeline.findAt(jobId, endMs + 2 * HOUR_MS - 1)).to.include({ BackupStatus: 'Failed' });
    expect(timeline.findAt(jobId, endMs + 2 * HOUR_MS + 1)).to.equal(undefined);
    expect(timeline.findAt(jobId + 1, endMs)).to.equal(undefined);
  });

  it('gives a finished task its backup id, and one made by hand a percentage beyond 100', () => {
    const timeline = new Timeline(5, 'steady', pace);
    const [automated, manual] = [60_002, 60_003].map((id) => timeline.findAt(id, endOf(timeline, id)));
    expect(automated).to.deep.equal({
      BackupJobId: 60_002,
      BackupProgressStatus: 'Finished',
      BackupStatus: 'Finished',
      JobMode: 'Automated',
      Process: '100',
      TaskAction: 'NormalBackupTask',
      BackupId: '60502',
    });
    expect(manual).to.include({ JobMode: 'Manual', Process: '125', TaskAction: 'TempBackupTask', BackupId: '60503' });
  });

  it('keeps the books of what has ended', () => {
    const timeline = new Timeline(5, 'steady', pace);
    const ended = (minutes: number): unknown[] =>
      timeline.endedUntil(pace.epochMs + minutes * MINUTE_MS).map((task) => [task.BackupJobId, task.BackupStatus]);
    expect(ended(220)).to.deep.equal([]);
    expect(ended(221)).to.deep.equal([[60_002, 'Finished']]);
    expect(ended(442)).to.deep.equal([
      [60_002, 'Finished'],
      [60_003, 'Finished'],
      [60_004, 'Finished'],
      [60_005, 'Finished'],
    ]);
    expect(new Timeline(3, 'stuck', pace).endedUntil(pace.epochMs + 1000 * HOUR_MS)).to.deep.equal([]);
  });

  it('stops the progress of a stuck backup for good', () => {
    const timeline = new Timeline(3, 'stuck', pace);
    const at = (hours: number): RawTask[] => timeline.listedAt(pace.epochMs + hours * HOUR_MS);
    expect(at(1).map(({ BackupStatus, Process }) => [BackupStatus, Process])).to.deep.equal([['Uploading', '54']]);
    expect(at(1)).to.deep.equal(at(1000));
    expect(at(0.3)).to.not.deep.equal(at(1));
  });

  it('lets an idle instance rest', () => {
    expect(changes(new Timeline(3, 'idle', pace), 24)).to.deep.equal([]);
  });

  it('never runs two backups of an instance at once, and no progress goes back', () => {
    const wrong: unknown[] = [];
    let jobs = 0;
    for (let nth = 0; nth < 30; nth++) {
      const timeline = new Timeline(nth * 71_993, 'steady', pace);
      const progress = new Map<string, number>();
      for (let minute = 0; minute < 12 * 60; minute += 2) {
        const tasks = timeline.listedAt(pace.epochMs + minute * MINUTE_MS);
        if (tasks.filter(({ BackupStatus }) => BackupStatus !== undefined).length > 1) wrong.push(tasks);
        for (const task of tasks) {
          const id = String(task.BackupJobId);
          if (Number(id) > 2 ** 31 - 1 || Number(task.Process) < (progress.get(id) ?? 0)) wrong.push(task);
          progress.set(id, Number(task.Process));
        }
      }
      jobs += progress.size;
    }
    expect(wrong).to.deep.equal([]);
    expect(jobs).to.be.greaterThan(90);
  });

  it('says the same for the same inputs, whatever was asked before', () => {
    const one = new Timeline(77, 'steady', pace);
    const times = Array.from({ length: 200 }, (_, index) => pace.epochMs + ((index * 7919) % 2880) * MINUTE_MS);
    const asked = times.map((time) => one.listedAt(time));
    const other = new Timeline(77, 'steady', pace);
    expect(
      times
        .toReversed()
        .map((time) => other.listedAt(time))
        .toReversed(),
    ).to.deep.equal(asked);
  });

  it('runs faster by the factor of its pace', () => {
    const fast = new Timeline(77, 'steady', { ...pace, timeScale: 60 });
    const slow = new Timeline(77, 'steady', pace);
    for (let second = 0; second < 2880; second += 5) {
      expect(fast.listedAt(pace.epochMs + second * 1000)).to.deep.equal(slow.listedAt(pace.epochMs + second * 60_000));
    }
  });
});
