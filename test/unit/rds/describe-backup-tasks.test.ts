import { expect } from 'chai';
import * as fc from 'fast-check';
import { readBackupTasks } from '../../../dist/rds/describe-backup-tasks.js';
import type { BackupTask, UnexpectedValue } from '../../../dist/domain/model.js';

const RUNNING = {
  BackupJobId: '88120417',
  BackupProgressStatus: 'Uploading',
  BackupStatus: 'Uploading',
  JobMode: 'Automated',
  Process: '62',
  TaskAction: 'NormalBackupTask',
};

function read(...jobs: readonly unknown[]): readonly BackupTask[] {
  return readBackupTasks({ RequestId: 'x', Items: { BackupJob: jobs } })!;
}

function readOne(job: unknown): BackupTask {
  const tasks = read(job);
  expect(tasks).to.have.lengthOf(1);
  return tasks[0]!;
}

function unexpectedOf(fields: Record<string, unknown>): readonly UnexpectedValue[] {
  return readOne({ ...RUNNING, ...fields }).unexpected;
}

describe('an answer of DescribeBackupTasks', () => {
  it('gives each field of a running task', () => {
    expect(readOne(RUNNING)).to.deep.equal({
      backupJobId: '88120417',
      mode: 'Automated',
      backupStatus: 'Uploading',
      progressStatus: 'Uploading',
      processPercent: 62,
      taskAction: 'NormalBackupTask',
      backupId: undefined,
      unexpected: [],
    });
  });

  it('gives a queued task, whose BackupStatus is absent, and an id that is a number', () => {
    const queued = {
      BackupJobId: 88120533,
      BackupProgressStatus: 'NoStart',
      JobMode: 'Manual',
      Process: '0',
      TaskAction: 'TempBackupTask',
    };
    expect(readOne(queued)).to.deep.equal({
      backupJobId: '88120533',
      mode: 'Manual',
      backupStatus: undefined,
      progressStatus: 'NoStart',
      processPercent: 0,
      taskAction: 'TempBackupTask',
      backupId: undefined,
      unexpected: [],
    });
  });

  it('gives the backup set of a task that was asked for by id', () => {
    const ended = {
      ...RUNNING,
      BackupId: '1904417702',
      BackupStatus: 'Finished',
      BackupProgressStatus: 'Finished',
      Process: '100',
    };
    expect(readOne(ended)).to.include({ backupId: '1904417702', backupStatus: 'Finished', processPercent: 100 });
  });

  it('is an empty list when Items or BackupJob is missing, null or empty', () => {
    for (const answer of [
      {},
      { Items: null },
      { Items: '' },
      { Items: {} },
      { Items: { BackupJob: null } },
      { Items: { BackupJob: [] } },
    ]) {
      expect(readBackupTasks(answer), JSON.stringify(answer)).to.deep.equal([]);
    }
  });

  it('is a list of one when BackupJob is a single object', () => {
    expect(readBackupTasks({ Items: { BackupJob: RUNNING } })).to.have.lengthOf(1);
  });

  it('is refused when Items or BackupJob is of another type', () => {
    for (const answer of [
      { Items: 'none' },
      { Items: 5 },
      { Items: [RUNNING] },
      { Items: true },
      { Items: { BackupJob: 'none' } },
      { Items: { BackupJob: 7 } },
    ]) {
      expect(readBackupTasks(answer), JSON.stringify(answer)).to.equal(undefined);
    }
  });

  it('may hold a thousand tasks, but not an unbelievable number', () => {
    const jobs = Array.from({ length: 1_000 }, (_, index) => ({ ...RUNNING, BackupJobId: index + 1 }));
    expect(read(...jobs)).to.have.lengthOf(1_000);
    const unbelievable = Array.from({ length: 5_001 }, () => RUNNING);
    expect(readBackupTasks({ Items: { BackupJob: unbelievable } })).to.equal(undefined);
    expect(readBackupTasks({ Items: { BackupJob: unbelievable.slice(1) } })).to.have.lengthOf(1);
  });

  it('is read whatever the case of its names', () => {
    expect(readOne({ BackupjobId: '7', backupStatus: 'Waiting', JOBMODE: 'Manual' })).to.include({
      backupJobId: '7',
      backupStatus: 'Waiting',
      mode: 'Manual',
    });
  });

  it('never makes the reader throw, and every task that is listed is told of', () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom('Finished', 'NoStart', '25%', '125', 'Automated'));
    const job = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          BackupJobId: value,
          BackupStatus: value,
          BackupProgressStatus: value,
          Process: value,
          JobMode: value,
          TaskAction: value,
          BackupId: value,
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(fc.array(job, { maxLength: 8 }), (jobs) => {
        const tasks = read(...jobs);
        expect(tasks.length > 0).to.equal(jobs.length > 0);
        expect(new Set(tasks.map((task) => task.backupJobId)).size).to.equal(tasks.length);
        for (const task of tasks) {
          expect(task.backupJobId).not.to.equal('');
          expect(task.processPercent === undefined || Number.isFinite(task.processPercent)).to.equal(true);
        }
      }),
    );
  });
});

describe('a value that the documentation does not list', () => {
  it('becomes Other in a status, and is told of', () => {
    const task = readOne({ ...RUNNING, BackupStatus: 'Compressing', BackupProgressStatus: 'Failed' });
    expect(task).to.include({ backupStatus: 'Other', progressStatus: 'Other' });
    expect(task.unexpected).to.deep.equal([
      { field: 'BackupStatus', value: 'Compressing' },
      { field: 'BackupProgressStatus', value: 'Failed' },
    ]);
  });

  it('is also the word Other itself, and a status that is no text', () => {
    expect(unexpectedOf({ BackupStatus: 'Other' })).to.deep.equal([{ field: 'BackupStatus', value: 'Other' }]);
    expect(unexpectedOf({ BackupStatus: { a: 1 } })).to.deep.equal([{ field: 'BackupStatus', value: '{"a":1}' }]);
  });

  it('becomes mode Unknown, which an absent JobMode is without being told of', () => {
    expect(readOne({ ...RUNNING, JobMode: 'Scheduled' })).to.include({ mode: 'Unknown' });
    expect(unexpectedOf({ JobMode: 'Scheduled' })).to.deep.equal([{ field: 'JobMode', value: 'Scheduled' }]);
    expect(readOne({ ...RUNNING, JobMode: undefined })).to.deep.include({ mode: 'Unknown', unexpected: [] });
  });

  it('stays as it is in TaskAction, cut to 100 characters', () => {
    expect(readOne({ ...RUNNING, TaskAction: 'CloneTask' }).taskAction).to.equal('CloneTask');
    expect(unexpectedOf({ TaskAction: 'x'.repeat(200) })).to.deep.equal([
      { field: 'TaskAction', value: 'x'.repeat(100) },
    ]);
    expect(readOne({ ...RUNNING, TaskAction: 'x'.repeat(200) }).taskAction).to.equal('x'.repeat(100));
    expect(readOne({ ...RUNNING, TaskAction: '' })).to.deep.include({ taskAction: '', unexpected: [] });
  });
});

describe('Process', () => {
  const cases: readonly (readonly [unknown, number | undefined, boolean])[] = [
    ['25', 25, true],
    [25, 25, true],
    [' 25 ', 25, true],
    ['62.5', 62.5, true],
    ['12.34', 12.34, true],
    ['100', 100, true],
    ['25 %', 25, false],
    ['x25', undefined, false],
    ['25x', undefined, false],
    ['0', 0, true],
    ['', undefined, true],
    [null, undefined, true],
    [undefined, undefined, true],
    ['25%', 25, false],
    ['125', 125, false],
    ['-1', -1, false],
    ['1000.5', 1_000, false],
    [99_999_999_999_990, 1_000, false],
    ['-99999999999990', -1_000, false],
    ['abc', undefined, false],
    ['1e2', undefined, false],
    ['0x10', undefined, false],
    ['Infinity', undefined, false],
    [true, undefined, false],
    [{}, undefined, false],
    ['9'.repeat(400), undefined, false],
  ];
  for (const [given, percent, expected] of cases) {
    it(`${given === undefined ? 'nothing' : JSON.stringify(given).slice(0, 12)} is ${percent ?? 'absent'}${expected ? '' : ', unexpected'}`, () => {
      const task = readOne({ ...RUNNING, Process: given });
      expect(task.processPercent).to.equal(percent);
      expect(task.unexpected.map(({ field }) => field)).to.deep.equal(expected ? [] : ['Process']);
    });
  }

  it('above 1,000 is known on no task', () => {
    const ended = { ...RUNNING, BackupStatus: 'Finished' };
    expect(readOne({ ...ended, Process: '1000' })).to.deep.include({ processPercent: 1_000, unexpected: [] });
    expect(readOne({ ...ended, Process: '1001' })).to.deep.include({
      processPercent: 1_000,
      unexpected: [{ field: 'Process', value: '1001' }],
    });
  });

  it('above 100 is known on an ended task', () => {
    for (const ended of [
      { BackupStatus: 'Finished' },
      { BackupStatus: 'Failed' },
      { BackupStatus: undefined, BackupProgressStatus: 'Finished' },
    ]) {
      expect(readOne({ ...RUNNING, ...ended, Process: '125' })).to.deep.include({
        processPercent: 125,
        unexpected: [],
      });
    }
  });
});

describe('a task without a usable id', () => {
  it('is shown under the id 0 rather than lost', () => {
    expect(readOne({ ...RUNNING, BackupJobId: undefined })).to.deep.include({
      backupJobId: '0',
      backupStatus: 'Uploading',
      unexpected: [{ field: 'BackupJobId', value: '' }],
    });
    expect(unexpectedOf({ BackupJobId: {} })).to.deep.equal([{ field: 'BackupJobId', value: '{}' }]);
  });

  it('keeps an id that is no number', () => {
    expect(readOne({ ...RUNNING, BackupJobId: ' job-7\n' })).to.deep.include({
      backupJobId: 'job-7',
      unexpected: [{ field: 'BackupJobId', value: ' job-7\n' }],
    });
  });

  it('holds no half of a surrogate pair, neither as given nor by being cut to 100 characters', () => {
    const half = JSON.parse(String.raw`"\ud83d"`) as string;
    const tail = `${'x'.repeat(99)}\u{1f600}`;
    const [given, cut] = read(
      { ...RUNNING, BackupJobId: `1${half}`, TaskAction: half },
      { ...RUNNING, BackupJobId: tail, TaskAction: tail, BackupId: tail },
    );
    const wanted = `${'x'.repeat(99)}\ufffd`;
    expect([given?.backupJobId, given?.taskAction]).to.deep.equal(['1\ufffd', '\ufffd']);
    expect([cut?.backupJobId, cut?.taskAction, cut?.backupId]).to.deep.equal([wanted, wanted, wanted]);
    const told = [given, cut].flatMap((task) => task?.unexpected.map(({ value }) => value) ?? []);
    expect(told).to.deep.equal(['1\ufffd', '\ufffd', wanted, wanted]);
  });

  it('keeps an id that is a number only in part, and says so', () => {
    for (const id of ['12x', 'x12']) {
      expect(unexpectedOf({ BackupJobId: id })).to.deep.equal([{ field: 'BackupJobId', value: id }]);
    }
  });

  it('has its texts cut to 100 characters', () => {
    const [id, backupId] = ['1'.repeat(200), '2'.repeat(200)];
    expect(readOne({ ...RUNNING, BackupJobId: id, BackupId: backupId })).to.deep.include({
      backupJobId: '1'.repeat(100),
      backupId: '2'.repeat(100),
      unexpected: [],
    });
  });

  it('is shown as Other when the entry is no object at all', () => {
    expect(readOne('surprise')).to.deep.include({
      backupJobId: '0',
      mode: 'Unknown',
      backupStatus: undefined,
      unexpected: [{ field: 'BackupJobId', value: 'surprise' }],
    });
  });
});

describe('two entries with one id', () => {
  const twice: UnexpectedValue = { field: 'BackupJobId', value: '88120417' };

  it('become the one furthest along, in either order', () => {
    const queued = { ...RUNNING, BackupStatus: 'NoStart', Process: '0' };
    const ended = { ...RUNNING, BackupStatus: 'Finished', Process: '100' };
    for (const jobs of [
      [queued, RUNNING, ended],
      [ended, RUNNING, queued],
      [RUNNING, ended, queued],
    ]) {
      const tasks = read(...jobs);
      expect(tasks).to.have.lengthOf(1);
      expect(tasks[0]).to.deep.include({ backupStatus: 'Finished', processPercent: 100, unexpected: [twice, twice] });
    }
  });

  it('become the one with more progress when they are equally far', () => {
    for (const jobs of [
      [RUNNING, { ...RUNNING, Process: '70' }],
      [{ ...RUNNING, Process: 70 }, RUNNING],
    ]) {
      expect(read(...jobs)).to.deep.equal([{ ...readOne(RUNNING), processPercent: 70, unexpected: [twice] }]);
    }
  });

  const queued = { ...RUNNING, BackupStatus: 'NoStart', Process: '99' };
  const ended = { ...RUNNING, BackupStatus: 'Failed', Process: '1' };
  const bare = { ...RUNNING, BackupStatus: undefined };
  for (const [what, further, other] of [
    ['the running rather than the queued one', { ...RUNNING, Process: '1' }, queued],
    ['the ended rather than the running one', ended, RUNNING],
    ['the ended rather than the queued one', ended, queued],
    ['the finished rather than the running one', { ...ended, BackupStatus: 'Finished' }, RUNNING],
    [
      'the one that has ended by BackupStatus, whatever its progress',
      ended,
      { ...queued, BackupProgressStatus: 'Finished' },
    ],
    ['the one that runs by its progress where BackupStatus is absent', { ...bare, Process: '1' }, queued],
    [
      'the one that has ended by its progress where BackupStatus is absent',
      { ...bare, BackupProgressStatus: 'Finished', Process: '1' },
      RUNNING,
    ],
    [
      'the running rather than one queued by its progress alone',
      { ...RUNNING, Process: '1' },
      { ...bare, BackupProgressStatus: 'NoStart', Process: '9' },
    ],
    [
      'the one whose percentage is known, even if that is 0',
      { ...RUNNING, Process: '0' },
      { ...RUNNING, Process: undefined },
    ],
  ] as const) {
    it(`become ${what}, in either order`, () => {
      const { unexpected: _, ...expected } = readOne(further);
      expect(read(further, other)[0]).to.deep.include(expected);
      expect(read(other, further)[0]).to.deep.include(expected);
    });
  }

  it('become the first when nothing tells them apart', () => {
    for (const process of ['62', undefined]) {
      const one = { ...RUNNING, Process: process, BackupId: '1' };
      expect(read(one, { ...one, BackupId: '2' }).map(({ backupId }) => backupId)).to.deep.equal(['1']);
    }
  });

  it('leave other tasks alone', () => {
    expect(read(RUNNING, { ...RUNNING, BackupJobId: 2 }, RUNNING).map((task) => task.backupJobId)).to.deep.equal([
      '88120417',
      '2',
    ]);
  });
});
