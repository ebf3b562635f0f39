import type { LookupFunction } from 'node:net';
import type { Clock } from '../../dist/clock.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';

export const KEY = { accessKeyId: 'test-key-id', accessKeySecret: 'test-key-secret' };
export const ACCOUNT = 'a';
/** The region that faults strike, and the one that they must not reach. */
export const SICK = 'eu-central-1';
export const WELL = 'cn-hangzhou';

/** What each region holds: nothing to do, a backup that runs on, and one that ends while the fault lasts. */
export const ROLES = ['idle', 'running', 'ending'] as const;
export type Role = (typeof ROLES)[number];

export function idOf(regionId: string, role: Role): string {
  return `rm-${regionId}-${role}`;
}

/** One account in two regions of three instances each, behind real sockets, to be found by name. */
export interface Cloud {
  readonly simulator: Simulator;
  /** The name resolution of the exporter: asks nobody. */
  readonly lookup: LookupFunction;
  /** The name of the region SICK does not resolve while it is lost. */
  readonly name: { isLost: boolean };
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

export async function startCloud(clock: Clock): Promise<Cloud> {
  const simulator = await startSimulator({
    clock,
    accounts: [{ name: ACCOUNT, ...KEY }],
    regions: [WELL, SICK],
  });
  const setTasks = (regionId: string, role: Role, tasks: { listed?: object[]; ended?: object[] }): void =>
    simulator.fleet.setTasks(ACCOUNT, idOf(regionId, role), tasks);
  for (const regionId of [WELL, SICK]) {
    for (const role of ROLES) {
      simulator.fleet.addInstance({ account: ACCOUNT, regionId, instanceId: idOf(regionId, role) });
    }
    setTasks(regionId, 'running', { listed: [task(RUNNING_JOB, 40)] });
    setTasks(regionId, 'ending', { listed: [task(ENDING_JOB, 60)] });
  }
  const name = { isLost: false };
  const endpoints: Readonly<Record<string, string | undefined>> = {
    ...simulator.endpoints,
    // The other one goes by its address: it needs no name.
    [SICK]: simulator.endpoints[SICK]?.replace('127.0.0.1', 'localhost'),
  };
  return {
    simulator,
    name,
    lookup(hostname, _options, callback) {
      if (!name.isLost) return callback(null, [{ address: '127.0.0.1', family: 4 }]);
      callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' }), '');
    },
    configuration: (more = '') => `accounts:
  - name: ${ACCOUNT}
    credentials: {type: access_key, access_key_id: ${KEY.accessKeyId}, access_key_secret: ${KEY.accessKeySecret}}
    regions: [${[WELL, SICK].map((id) => `{id: ${id}, endpoint: "${endpoints[id]}"}`).join(', ')}]
${more}`,
    progress: (regionId, percent) => setTasks(regionId, 'running', { listed: [task(RUNNING_JOB, percent)] }),
    end: (regionId) => setTasks(regionId, 'ending', { ended: [finished(ENDING_JOB)] }),
    close: () => simulator.close(),
  };
}

function task(job: number, percent: number): object {
  return {
    BackupJobId: job,
    BackupProgressStatus: 'Uploading',
    BackupStatus: 'Uploading',
    JobMode: 'Automated',
    Process: String(percent),
    TaskAction: 'NormalBackupTask',
  };
}

function finished(job: number): object {
  return { ...task(job, 100), BackupProgressStatus: 'Finished', BackupStatus: 'Finished', BackupId: `${job}00` };
}
