import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { Simulator } from './server.js';
import { startSimulator } from './server.js';

export interface DemoOptions {
  readonly clock: Clock;
  /** The size of the fleet. */
  readonly instances: number;
}

/** A simulated cloud worth looking at, and the exporter's configuration for it. */
export interface Demo {
  readonly simulator: Simulator;
  /** YAML, in the exporter's schema. */
  readonly configuration: string;
  close(): Promise<void>;
}

const REGIONS = ['cn-hangzhou', 'eu-central-1'] as const;
const HOUR_MS = 3_600_000;

/** A minute of backup passes in a second, so that within two minutes some progress, end, fail, and one gets stuck. */
export async function startDemo({ clock, instances }: DemoOptions): Promise<Demo> {
  const accessKeySecret = randomBytes(15).toString('hex');
  const simulator = await startSimulator({
    clock,
    seed: 'demo',
    accounts: [{ name: 'demo', accessKeyId: 'demo-access-key', accessKeySecret }],
    regions: REGIONS,
    instances,
    timeScale: 60,
    backupEveryMs: 4 * HOUR_MS,
    latencyMs: 20,
  });
  const configuration = configurationFor(simulator, { accessKeySecret, instances });
  return { simulator, configuration, close: () => simulator.close() };
}

function configurationFor(
  { endpoints }: Simulator,
  { accessKeySecret, instances }: { accessKeySecret: string; instances: number },
): string {
  const regions = REGIONS.map((id) => `      - {id: ${id}, endpoint: "${endpoints[id] ?? ''}"}`);
  return `accounts:
  - name: demo
    credentials:
      type: access_key
      access_key_id: demo-access-key
      access_key_secret: ${accessKeySecret}
    regions:
${regions.join('\n')}
    discovery:
      refresh_interval: 30s
      tag_labels: [env, team]
polling:
  idle_interval: 10s
  active_interval: 2s
  stale_after: 1m
  stuck_after: 20s
  concurrency: 32
  rate_limit:
    requests_per_second: ${Math.max(20, instances)}
    burst: 20
`;
}
