import type { ApiError, ErrorKind, Instance, BackupTask } from '../../dist/domain/model.js';

/** An instance with everything filled in; what a test does not say does not matter to it. */
export function instanceOf(instanceId: string, over: Partial<Instance> = {}): Instance {
  return {
    account: 'production',
    regionId: 'cn-hangzhou',
    instanceId,
    name: '',
    engine: 'MySQL',
    engineVersion: '8.0',
    labels: {},
    stuckAfterMs: 1_800_000,
    ...over,
  };
}

/** A running automatic backup, unless told otherwise. */
export function taskOf(backupJobId: string, over: Partial<BackupTask> = {}): BackupTask {
  return {
    backupJobId,
    mode: 'Automated',
    backupStatus: 'Uploading',
    progressStatus: 'Uploading',
    processPercent: 10,
    taskAction: 'NormalBackupTask',
    backupId: undefined,
    unexpected: [],
    ...over,
  };
}

export function errorOf(kind: ErrorKind, over: Partial<ApiError> = {}): ApiError {
  return { kind, code: kind, message: `it failed: ${kind}`, requestId: undefined, retryAfterMs: undefined, ...over };
}
