import { expect } from 'chai';
import { startDaemon } from '../../../dist/exporter/daemon.js';
import type { Daemon } from '../../../dist/exporter/daemon.js';
import { systemClock } from '../../../dist/clock.js';
import { parseConfig } from '../../../dist/config/load.js';

const REGIONS = ['cn-hangzhou', 'cn-beijing', 'eu-central-1'] as const;

function configuration(region: string): string {
  return `accounts:
  - name: a
    credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}
    regions: [{id: ${region}, endpoint: "http://127.0.0.1:9"}]
    instances: [{id: rm-1, region: ${region}}]
`;
}

describe('a reload', () => {
  /** Each file that was read, by its region, and each line of the log about it. */
  let steps: string[];
  let daemon: Daemon;

  beforeEach(async () => {
    steps = [];
    let reads = 0;
    const note = (msg: string): void => void (msg.startsWith('configuration') && steps.push(msg));
    daemon = await startDaemon({
      name: 'test',
      version: '0',
      revision: '0',
      clock: systemClock(),
      random: () => 0.5,
      log: { debug: note, info: note, warn: note, error: note },
      readConfig: () => {
        const region = REGIONS[reads++]!;
        steps.push(region);
        return parseConfig(configuration(region), { env: {}, file: 'config.yaml' });
      },
      listenAddresses: [{ host: '127.0.0.1', port: 0 }],
      telemetryPath: '/metrics',
      enableLifecycle: false,
      webConfigFile: undefined,
    });
  });

  it('is over before the next one begins, and before a stop begins', async () => {
    const problems = [daemon.reload(), daemon.reload()];
    const stopping = daemon.stop();
    steps.push('stopping');
    await stopping;
    expect(problems).to.deep.equal([[], []]);
    expect(steps).to.deep.equal([
      'cn-hangzhou',
      'cn-beijing',
      'configuration reloaded',
      'eu-central-1',
      'configuration reloaded',
      'stopping',
    ]);
  });

  it('is seen by a scrape right after it', async () => {
    const regions = async (): Promise<string[]> => {
      const { port } = daemon.addresses[0]!;
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return [...text.matchAll(/instance_info\{[^}]*region_id="([^"]+)"/g)].map(([, region]) => region!);
    };
    expect(await regions()).to.deep.equal(['cn-hangzhou']);
    daemon.reload();
    expect(await regions()).to.deep.equal(['cn-beijing']);
    await daemon.stop();
  });

  it('is seen by the status API right after it', async () => {
    const regions = async (): Promise<string[]> => {
      const { port } = daemon.addresses[0]!;
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/status`);
      const { instances } = (await answer.json()) as { instances: { region_id: string }[] };
      return instances.map((instance) => instance.region_id);
    };
    expect(await regions()).to.deep.equal(['cn-hangzhou']);
    daemon.reload();
    expect(await regions()).to.deep.equal(['cn-beijing']);
    await daemon.stop();
  });

  it('that is asked for once a stop has begun reads nothing and says why', async () => {
    const stopping = daemon.stop();
    expect(daemon.reload()).to.deep.equal(['the exporter is stopping']);
    await stopping;
    expect(steps).to.deep.equal(['cn-hangzhou']);
  });
});
