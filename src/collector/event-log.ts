import type { FleetEvent } from '../domain/apply-poll.js';
import type { LogFields, Logger } from '../log.js';
import type { Instance, AccountRegion } from '../domain/model.js';

/** Odd values are told once each; a cloud that makes up new ones for ever must not fill the memory. */
const MAX_TOLD_VALUES = 1_000;

export function regionFields({ account, regionId }: AccountRegion): LogFields {
  return { account, region_id: regionId };
}

export function instanceFields(instance: Instance): LogFields {
  return { ...regionFields(instance), instance_id: instance.instanceId };
}

/** Logs what polls change: one line an event. */
export function createFleetLog(log: Logger): (instance: Instance, event: FleetEvent) => void {
  const toldValues = new Set<string>();
  return (instance, event) => {
    const fields = instanceFields(instance);
    switch (event.type) {
      case 'poll_failing': {
        const { code, message, requestId } = event.error;
        return log.warn('poll failing', { ...fields, code, request_id: requestId, error: message });
      }
      case 'poll_recovered':
        return log.info('poll recovered', fields);
      case 'unsupported':
        return log.info('instance has no backup tasks', {
          ...fields,
          code: event.error.code,
          error: event.error.message,
        });
      case 'task_seen': {
        const { backupJobId, mode, backupStatus, progressStatus } = event.task;
        const status = backupStatus ?? progressStatus;
        return log.info('backup task seen', { ...fields, backup_job_id: backupJobId, mode, status });
      }
      case 'lookup_failing': {
        const { code, message, requestId } = event.error;
        const { backupJobId } = event.task;
        return log.warn('backup task lookup failing; retrying', {
          ...fields,
          backup_job_id: backupJobId,
          code,
          request_id: requestId,
          error: message,
        });
      }
      case 'task_ended': {
        const { backupJobId, backupId, outcome, durationMs } = event.completion;
        const duration = durationMs === undefined ? undefined : Math.round(durationMs / 1000);
        return log[outcome === 'Finished' ? 'info' : 'warn']('backup task ended', {
          ...fields,
          backup_job_id: backupJobId,
          backup_id: backupId,
          mode: event.task.mode,
          outcome,
          duration_seconds: duration,
        });
      }
      case 'unexpected_value': {
        const { field, value } = event.value;
        const key = `${field}\n${value}`;
        if (toldValues.has(key) || toldValues.size >= MAX_TOLD_VALUES) return undefined;
        toldValues.add(key);
        return log.warn('the API gave a value that its documentation does not list', { ...fields, field, value });
      }
    }
  };
}
