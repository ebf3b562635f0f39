import { expect } from 'chai';
import { readBackupTasks } from '../../../dist/rds/describe-backup-tasks.js';
import { applyPoll } from '../../../dist/domain/apply-poll.js';
import { aPlace, aState, expose, NOW } from './fleet.js';

interface Told {
  /** The whole exposition of the instance after this answer. */
  readonly text: string;
  readonly unexpected: readonly string[];
}

/** From the answer of DescribeBackupTasks, as it is on the wire, to the page. */
async function pageAfter(body: object): Promise<Told> {
  const tasks = readBackupTasks(JSON.parse(JSON.stringify(body)) as Record<string, unknown>);
  if (tasks === undefined) throw new Error('the answer was refused');
  const context = { nowMs: NOW - 10_000, activeIntervalMs: 30_000, lastScrapeMs: undefined };
  const { state, events } = applyPoll(aState({ lastPoll: undefined }), { ok: true, tasks }, context);
  const unexpected = events.flatMap((event) =>
    event.type === 'unexpected_value' ? [`${event.value.field}=${event.value.value}`] : [],
  );
  return { text: await expose({ states: [state], places: [aPlace()] }), unexpected };
}

const RUNNING = {
  BackupJobId: '88120417',
  BackupProgressStatus: 'Uploading',
  BackupStatus: 'Uploading',
  JobMode: 'Automated',
  Process: '62',
  TaskAction: 'NormalBackupTask',
};
const listing = (...BackupJob: readonly unknown[]): object => ({ RequestId: 'x', Items: { BackupJob } });
const running = (over: object): object => listing({ ...RUNNING, ...over });
const without = (key: keyof typeof RUNNING): object =>
  listing(Object.fromEntries(Object.entries(RUNNING).filter(([name]) => name !== key)));

/** An odd answer, the plain one that it must read as, and what is told as unexpected. */
const CASES: readonly (readonly [what: string, odd: object, plain: object, unexpected: readonly string[]])[] = [
  ['Items missing', { RequestId: 'x' }, listing(), []],
  ['BackupJob missing', { RequestId: 'x', Items: {} }, listing(), []],
  ['a single object for a list', { RequestId: 'x', Items: { BackupJob: RUNNING } }, running({}), []],
  ['the id as a number', running({ BackupJobId: 88_120_417 }), running({}), []],
  ['the percentage as a number', running({ Process: 62 }), running({}), []],
  ['the percentage with its sign', running({ Process: '62%' }), running({}), ['Process=62%']],
  ['a percentage above 100', running({ Process: '132' }), running({ Process: '100' }), ['Process=132']],
  ['a percentage below 0', running({ Process: '-3' }), running({ Process: '0' }), ['Process=-3']],
  ['a percentage that is no number', running({ Process: 'half' }), without('Process'), ['Process=half']],
  ['BackupStatus absent', without('BackupStatus'), running({}), []],
  ['an action that is absent', without('TaskAction'), running({ TaskAction: '' }), []],
  [
    'a status of another case',
    running({ BackupStatus: 'Queued' }),
    running({ BackupStatus: 'Other' }),
    ['BackupStatus=Queued'],
  ],
  ['a mode that nobody knows', running({ JobMode: 'Weekly' }), running({ JobMode: 'Daily' }), ['JobMode=Weekly']],
  [
    'two entries with one id',
    listing({ ...RUNNING, BackupStatus: 'NoStart', Process: '0' }, RUNNING),
    running({}),
    ['BackupJobId=88120417'],
  ],
];

describe('an odd answer of the API', () => {
  for (const [what, odd, plain, unexpected] of CASES) {
    it(`reads as the plain one, to the last byte of the page: ${what}`, async () => {
      const told = await pageAfter(odd);
      expect(told.unexpected).to.deep.equal(unexpected);
      expect(told.text).to.equal((await pageAfter(plain)).text);
      expect(told.text).to.contain('alicloud_rds_backup_tasks{');
    });
  }

  it('shows a word that the page of the API does not list as the state Other, with every state there', async () => {
    const { text } = await pageAfter(running({ BackupStatus: 'Compressing' }));
    const states = [...text.matchAll(/^alicloud_rds_backup_task_status\{.*status="(\w+)"\} (\d)$/gm)].map(
      ([, state, value]) => `${state} ${value}`,
    );
    expect(states).to.deep.equal([
      'NoStart 0',
      'Checking 0',
      'Preparing 0',
      'Waiting 0',
      'Uploading 0',
      'Finished 0',
      'Failed 0',
      'Other 1',
    ]);
  });
});
