import type { Clock } from '../clock.js';
import { describeBackupTasks } from './backup-tasks.js';
import type { Call, Result } from './call.js';
import type { FaultEffect, Faults } from './faults.js';
import type { SimulatedFleet } from './fleet.js';
import { describeDBInstanceByTags, describeDBInstances } from './instance-listings.js';
import type { Quota } from './quota.js';
import { refusal } from './refusal.js';

/** What of the simulated cloud can be changed while it runs. */
export interface ApiSettings {
  /** Each answer takes this long. */
  latencyMs: number;
  /** False: MaxResults and NextToken are unknown parameters and are ignored, as on an older API. */
  tokenPaging: boolean;
  /** Undefined: nothing is throttled. */
  quota: Quota | undefined;
}

/** The API behind the gateway: what an admitted call gets. */
export interface Answer {
  readonly result: Result;
  /** What happens to the answer on its way. */
  readonly fault: Exclude<FaultEffect, { kind: 'refuse' }> | undefined;
}

export interface ApiParts {
  readonly clock: Clock;
  readonly fleet: SimulatedFleet;
  readonly faults: Faults;
  readonly settings: ApiSettings;
}

export function answerCall({ clock, fleet, faults, settings }: ApiParts, call: Call): Answer {
  const fault = faults.apply(call);
  if (fault?.kind === 'refuse') return { result: fault.refusal, fault: undefined };
  const nowMs = clock.now();
  const result = settings.quota?.take(call, nowMs) ?? operate(fleet, call, { nowMs, settings });
  return { result, fault };
}

function operate(
  fleet: SimulatedFleet,
  call: Call,
  { nowMs, settings }: { nowMs: number; settings: ApiSettings },
): Result {
  switch (call.action) {
    case 'DescribeBackupTasks':
      return describeBackupTasks(fleet, call, nowMs);
    case 'DescribeDBInstances':
      return describeDBInstances(fleet, call, settings);
    case 'DescribeDBInstanceByTags':
      return describeDBInstanceByTags(fleet, call);
    default:
      return refusal('InvalidApi.NotFound');
  }
}
