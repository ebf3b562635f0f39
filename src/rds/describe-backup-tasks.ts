import { PROGRESS_STATUSES, TASK_STATUSES } from '../domain/model.js';
import type { BackupTask, Mode, TaskField, UnexpectedValue } from '../domain/model.js';
import { cutText, fieldOf, isObject, listOf, textOf } from './fields.js';
import type { JsonObject } from './fields.js';

/**
 * DescribeBackupTasks: Items.BackupJob, read tolerantly. Whatever the API lists is shown, at worst as a task `Other` of
 * mode `Unknown`: an answer that is a little odd must not hide a running backup.
 * https://www.alibabacloud.com/help/en/rds/developer-reference/api-rds-2014-08-15-describebackuptasks
 */

/** Stands for the id of an entry that has none; no real job has it. */
export const NO_JOB_ID = '0';

/** An instance runs one backup at a time, with a few in the queue. */
const MAX_TASKS = 5_000;
const MAX_TEXT = 100;

const TASK_ACTIONS: ReadonlySet<string> = new Set(['TempBackupTask', 'NormalBackupTask']);

/** Undefined when the answer holds no believable list. */
export function readBackupTasks(answer: JsonObject): readonly BackupTask[] | undefined {
  const entries = listOf(answer, 'Items', 'BackupJob');
  if (entries === undefined || entries.length > MAX_TASKS) return undefined;
  if (entries.length <= 1) return entries.map(readTask);
  const tasks = new Map<string, BackupTask>();
  for (const entry of entries) {
    const task = readTask(entry);
    const twin = tasks.get(task.backupJobId);
    tasks.set(task.backupJobId, twin === undefined ? task : furtherOf(twin, task));
  }
  return [...tasks.values()];
}

function readTask(entry: unknown): BackupTask {
  const unexpected: UnexpectedValue[] = [];
  const note = (field: TaskField, value: unknown): void => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    unexpected.push({ field, value: cutText(text, MAX_TEXT) });
  };
  const job = isObject(entry) ? entry : {};
  if (job !== entry) note('BackupJobId', entry);
  const backupStatus = readWord(job, { field: 'BackupStatus', words: TASK_STATUSES, note });
  const progressStatus = readWord(job, { field: 'BackupProgressStatus', words: PROGRESS_STATUSES, note });
  return {
    backupJobId: job === entry ? readJobId(job, note) : NO_JOB_ID,
    mode: readMode(job, note),
    backupStatus,
    progressStatus,
    processPercent: readProcess(job, { ended: rankOf(backupStatus ?? progressStatus) === ENDED, note }),
    taskAction: readTaskAction(job, note),
    backupId: textOf(job, 'BackupId', MAX_TEXT),
    unexpected,
  };
}

type Note = (field: TaskField, value: unknown) => void;

/** Given as a string by the documentation, as a number by the API. */
function readJobId(job: JsonObject, note: Note): string {
  const id = textOf(job, 'BackupJobId', MAX_TEXT);
  if (id === undefined || !/^\d+$/.test(id)) note('BackupJobId', fieldOf(job, 'BackupJobId') ?? '');
  return id ?? NO_JOB_ID;
}

interface Enumeration<Word extends string> {
  readonly field: TaskField;
  readonly words: readonly (Word | 'Other')[];
  readonly note: Note;
}

function readWord<Word extends string>(
  job: JsonObject,
  { field, words, note }: Enumeration<Word>,
): Word | 'Other' | undefined {
  const value = fieldOf(job, field);
  if (value === undefined) return undefined;
  const word = words.find((candidate) => candidate === value && candidate !== 'Other');
  if (word === undefined) note(field, value);
  return word ?? 'Other';
}

function readMode(job: JsonObject, note: Note): Mode {
  const value = fieldOf(job, 'JobMode');
  if (value === 'Automated' || value === 'Manual') return value;
  if (value !== undefined) note('JobMode', value);
  return 'Unknown';
}

function readTaskAction(job: JsonObject, note: Note): string {
  const value = fieldOf(job, 'TaskAction');
  const action = textOf(job, 'TaskAction', MAX_TEXT) ?? '';
  if (value !== undefined && !TASK_ACTIONS.has(action)) note('TaskAction', value);
  return action;
}

/** Whatever the API says, sums and times made from a percentage stay within what a number and a date can hold. */
const MAX_PERCENT = 1_000;

/** Percent in decimal digits. Above 100 on an ended task is known: manual backups were seen to end at 125. */
function readProcess(job: JsonObject, { ended, note }: { ended: boolean; note: Note }): number | undefined {
  const value = fieldOf(job, 'Process');
  if (value === undefined) return undefined;
  const [, digits, sign] = /^(-?\d+(?:\.\d+)?)\s*(%?)$/.exec(textOf(job, 'Process') ?? '') ?? [];
  const percent = Number(digits);
  const usable = digits !== undefined && Number.isFinite(percent);
  const most = ended ? MAX_PERCENT : 100;
  if (!usable || sign === '%' || percent < 0 || percent > most) note('Process', value);
  return usable ? Math.min(MAX_PERCENT, Math.max(-MAX_PERCENT, percent)) : undefined;
}

const ENDED = 2;

/** Queued, running, ended. */
function rankOf(status: string | undefined): number {
  if (status === 'NoStart') return 0;
  return status === 'Finished' || status === 'Failed' ? ENDED : 1;
}

/** Two entries with one id contradict each other: the one furthest along is the newer truth. */
function furtherOf(one: BackupTask, other: BackupTask): BackupTask {
  const lead =
    rankOf(other.backupStatus ?? other.progressStatus) - rankOf(one.backupStatus ?? one.progressStatus) ||
    (other.processPercent ?? -1) - (one.processPercent ?? -1);
  const further = lead > 0 ? other : one;
  const twice: UnexpectedValue = { field: 'BackupJobId', value: further.backupJobId };
  return { ...further, unexpected: [...one.unexpected, ...other.unexpected, twice] };
}
