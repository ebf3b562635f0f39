import type { Call, Result } from './call.js';
import type { SimulatedFleet } from './fleet.js';
import { listedTasks, tasksById } from './fleet.js';
import type { SimulatedInstance } from './instances.js';
import type { Refusal } from './refusal.js';
import { missing, refusal } from './refusal.js';
import type { RawTask } from './timeline.js';

const ENGINES = new Set(['MySQL', 'SQLServer', 'PostgreSQL', 'MariaDB']);
const MAX_INT32 = 2_147_483_647;

/** DescribeBackupTasks: one instance a call, no paging, unknown parameters ignored. */
export function describeBackupTasks(fleet: SimulatedFleet, call: Call, nowMs: number): Result {
  const instanceId = call.parameters.get('DBInstanceId') ?? '';
  if (instanceId === '') return missing('DBInstanceId');
  const jobId = call.parameters.get('BackupJobId');
  const status = call.parameters.get('BackupJobStatus');
  const mode = call.parameters.get('BackupMode');
  if (!isJobId(jobId)) return malformed('BackupJobId', jobId);
  if (!isOneOf(status, ['NoStart', 'Progressing'])) return malformed('BackupJobStatus', status);
  if (!isOneOf(mode, ['Automated', 'Manual'])) return malformed('BackupMode', mode);

  const member = fleet.find(call.account, instanceId);
  if (member === undefined || member.instance.regionId !== call.regionId)
    return refusal('InvalidDBInstanceName.NotFound');
  const unsupported = whyUnsupported(member.instance);
  if (unsupported !== undefined) return unsupported;

  const tasks = jobId === undefined ? listedTasks(member, nowMs) : tasksById(member, jobId, nowMs);
  return { body: { Items: { BackupJob: tasks.filter((task) => matches(task, status, mode)) } } };
}

function whyUnsupported({ instanceType, engine }: SimulatedInstance): Refusal | undefined {
  if (instanceType === 'Readonly') return refusal('ReadDBInstanceNotSupport');
  if (instanceType !== 'Primary') return refusal('IncorrectDBInstanceType');
  return ENGINES.has(engine) ? undefined : refusal('IncorrectDBInstanceEngine');
}

function matches(task: Partial<RawTask>, status: string | undefined, mode: string | undefined): boolean {
  if (mode !== undefined && task.JobMode !== mode) return false;
  if (status === undefined) return true;
  const shown = task.BackupStatus ?? task.BackupProgressStatus;
  return status === 'NoStart' ? shown === 'NoStart' : !['NoStart', 'Finished', 'Failed'].includes(shown ?? '');
}

function isJobId(value: string | undefined): boolean {
  return value === undefined || (/^\d{1,10}$/.test(value) && Number(value) <= MAX_INT32);
}

function isOneOf(value: string | undefined, words: readonly string[]): boolean {
  return value === undefined || words.includes(value);
}

function malformed(name: string, value: string | undefined): Refusal {
  return refusal('InvalidParameters.Format', { message: `Specified parameter ${name} is not valid: ${value ?? ''}.` });
}
