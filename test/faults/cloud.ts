import type { LookupFunction } from 'node:net';
import type { Clock } from '../../dist/clock.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';

export const KEY = { accessKeyId: 'test-key-id', accessKeySecret: 'test-key-secret' };
export const ACCOUNT = 'a';
/** The region that faults strike, and the one that they must not reach. */
export const SICK = 'eu-central-1';
export const WELL = 'cn-hangzhou';

/** What each region holds: three with nothing to do, a backup that runs on, and one that ends while the fault lasts. */
export const ROLES = ['idle', 'calm', 'quiet', 'running', 'ending'] as const;
export type Role = (typeof ROLES)[number];

export function idOf(regionId: string, role: Role): string {
  return `rm-${regionId}-${role}`;
}

/** One account in some regions, behind real sockets. */
export interface Cloud {
  readonly simulator: Simulator;
  /** The name resolution of the exporter: asks nobody. */
  readonly lookup: LookupFunction;
  /** What the name of the region SICK resolves to: an address, the news that there is none, or nothing ever. */
  readonly name: { answer: 'address' | 'none' | 'never' };
  /** The configuration of an exporter of this cloud; `more` is appended. Everything is discovered, timings are the defaults. */
  configuration(more?: string): string;
  /** The running backup of a region is at this percentage now. */
  progress(regionId: string, percent: number): void;
  /** The backup that was to end has: it left the listing, and is known by its id as finished. */
  end(regionId: string): void;
  close(): Promise<void>;
}

const RUNNING_JOB = 41;
const ENDING_JOB = 42;

export async function startCloud(clock: Clock, regions: readonly string[] = [WELL, SICK]): Promise<Cloud> {
  const simulator = await startSimulator({ clock, accounts: [{ name: ACCOUNT, ...KEY }], regions, recordCalls: true });
  const setTasks = (regionId: string, role: Role, tasks: { listed?: object[]; ended?: object[] }): void =>
    simulator.fleet.setTasks(ACCOUNT, idOf(regionId, role), tasks);
  for (const regionId of regions) {
    for (const role of ROLES) {
      simulator.fleet.addInstance({ account: ACCOUNT, regionId, instanceId: idOf(regionId, role) });
    }
    setTasks(regionId, 'running', { listed: [runningTask(RUNNING_JOB, 40)] });
    setTasks(regionId, 'ending', { listed: [runningTask(ENDING_JOB, 60)] });
  }
  const name: Cloud['name'] = { answer: 'address' };
  const endpointOf = (regionId: string): string => {
    const url = simulator.endpoints[regionId] ?? '';
    // The others go by their address: they need no name.
    return regionId === SICK ? url.replace('127.0.0.1', 'localhost') : url;
  };
  return {
    simulator,
    name,
    lookup(hostname, _options, callback) {
      if (name.answer === 'address') callback(null, [{ address: '127.0.0.1', family: 4 }]);
      if (name.answer === 'none')
        callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' }), '');
    },
    configuration: (more = '') => `accounts:
  - name: ${ACCOUNT}
    credentials: {type: access_key, access_key_id: ${KEY.accessKeyId}, access_key_secret: ${KEY.accessKeySecret}}
    regions: [${regions.map((id) => `{id: ${id}, endpoint: "${endpointOf(id)}"}`).join(', ')}]
${more}`,
    progress: (regionId, percent) => setTasks(regionId, 'running', { listed: [runningTask(RUNNING_JOB, percent)] }),
    end: (regionId) => setTasks(regionId, 'ending', { ended: [finishedTask(ENDING_JOB)] }),
    close: () => simulator.close(),
  };
}

export function runningTask(job: number, percent: number): object {
  return {
    BackupJobId: job,
    BackupProgressStatus: 'Uploading',
    BackupStatus: 'Uploading',
    JobMode: 'Automated',
    Process: String(percent),
    TaskAction: 'NormalBackupTask',
  };
}

export function finishedTask(job: number): object {
  return { ...runningTask(job, 100), BackupProgressStatus: 'Finished', BackupStatus: 'Finished', BackupId: `${job}00` };
}
