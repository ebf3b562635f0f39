/**
 * The expressions of the dashboards. Like the alert rules they aggregate to the instance (and mode) first, so that a
 * second copy of the exporter, a renamed instance or a new pod changes nothing.
 */
import { PROGRESS_STATUSES, TASK_STATUSES } from '../../../dist/domain/model.js';

export const PLACE = 'account, region_id';
export const INSTANCE = 'account, region_id, instance_id';
export const TASK = 'account, region_id, instance_id, mode';

const JOB = 'job=~"$job"';
const OF_PLACE = `${JOB},account=~"$account",region_id=~"$region"`;
const OF_INSTANCE = `${OF_PLACE},instance_id=~"$instance"`;

const PREFIX = 'alicloud_rds_backup_';

/** A metric of instances, narrowed by the variables. */
export function ofInstance(metric: string, matchers = ''): string {
  return `${PREFIX}${metric}{${OF_INSTANCE}${matchers === '' ? '' : `,${matchers}`}}`;
}

/** A metric of accounts and regions, narrowed by the variables. */
export function ofPlace(metric: string, matchers = ''): string {
  return `${PREFIX}exporter_${metric}{${OF_PLACE}${matchers === '' ? '' : `,${matchers}`}}`;
}

/** A metric of the process. */
export function ofProcess(metric: string): string {
  return `${metric}{${JOB}}`;
}

/** The number of elements, also 0. */
export function countOrZero(expr: string): string {
  return `count(${expr}) or vector(0)`;
}

/**
 * The number of elements, 0 where there is none among those of `all`. Absent where `all` is empty: with the exporter
 * down nobody knows that no backup is stuck.
 */
export function countAmong(all: string, expr: string): string {
  return `count(${expr}) or 0 * count(${all})`;
}

/** The instance's name as a further label; one name even while a rename shows two. */
export function named(expr: string): string {
  const names = `max by (${INSTANCE}, name) (${ofInstance('instance_info')})`;
  return `(${expr}) * on (${INSTANCE}) group_left (name) topk by (${INSTANCE}) (1, ${names})`;
}

const lastGoodPoll = `max by (${INSTANCE}) (${ofInstance('instance_last_poll_success_timestamp_seconds')})`;

export const instances = `max by (${INSTANCE}) (${ofInstance('instance_info')})`;
export const runningSince = `min by (${TASK}) (${ofInstance('task_running_since_timestamp_seconds')})`;
export const progress = `max by (${TASK}) (${ofInstance('task_progress_ratio')})`;
export const runningProgress = `${progress} and on (${TASK}) ${runningSince}`;
export const heldBack = `max by (${PLACE}) (${ofPlace('api_cooldown')})`;
export const queued = `max by (${TASK}) (${ofInstance('task_status', 'status="NoStart"')}) == 1`;
export const stuckAfter = `max by (${TASK}) (${ofInstance('task_stuck_after_seconds')})`;
export const pollAge = `time() - ${lastGoodPoll}`;
export const pollSuccess = `max by (${INSTANCE}) (${ofInstance('instance_poll_success')})`;

const lastProgress = `max by (${TASK}) (${ofInstance('task_last_progress_timestamp_seconds')})`;

/** As of the last good poll, for running tasks. */
export const withoutProgress = `(${lastGoodPoll} - on (${INSTANCE}) group_right () ${lastProgress}) and on (${TASK}) ${stuckAfter}`;
export const stuck = `(${lastGoodPoll} - on (${INSTANCE}) group_right () ${lastProgress}) > on (${TASK}) ${stuckAfter}`;

export function lastCompletion(outcome: string): string {
  return `max by (${INSTANCE}) (${ofInstance('last_completion_timestamp_seconds', `outcome="${outcome}"`)})`;
}

/** When the last failure was that no success followed, within 7 days. */
export const failed = `(${lastCompletion('Failed')} > time() - 7 * 86400) unless on (${INSTANCE}) (${lastCompletion('Finished')} > ${lastCompletion('Failed')})`;

/** A state set as one number a task: the place of its state in the list, from 1. */
function stateOf(metric: string, states: readonly string[]): string {
  return states
    .map((state, index) => `${index + 1} * (max by (${TASK}) (${ofInstance(metric, `status="${state}"`)}) == 1)`)
    .join(' or ');
}

export const status = stateOf('task_status', TASK_STATUSES);
export const progressStatus = stateOf('task_progress_status', PROGRESS_STATUSES);
