import { expect } from 'chai';
import { startDaemon } from '../../dist/app/daemon.js';
import { systemClock } from '../../dist/clock.js';
import { parseConfig } from '../../dist/config/load.js';

function configuration(region: string): string {
  return `accounts:
  - name: a
    credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}
    regions: [{id: ${region}, endpoint: "http://127.0.0.1:9"}]
    instances: [{id: rm-1, region: ${region}}]
`;
}

describe('reloads that are asked for at once', () => {
  it('run one after the other, each with the file as it is by then', async () => {
    const steps: string[] = [];
    const regions = ['cn-hangzhou', 'cn-beijing', 'eu-central-1'];
    const ignore = (): void => undefined;
    const daemon = await startDaemon({
      name: 'test',
      version: '0',
      revision: '0',
      clock: systemClock(),
      random: () => 0.5,
      log: {
        debug: ignore,
        info: (msg) => void (msg === 'configuration reloaded' && steps.push('taken over')),
        warn: ignore,
        error: ignore,
      },
      readConfig: () => {
        const region = regions[steps.filter((step) => step !== 'taken over').length]!;
        steps.push(region);
        return parseConfig(configuration(region), { env: {}, file: 'config.yaml' });
      },
      listenAddresses: [{ host: '127.0.0.1', port: 0 }],
      telemetryPath: '/metrics',
      enableLifecycle: false,
      webConfigFile: undefined,
    });
    expect(await Promise.all([daemon.reload(), daemon.reload()])).to.deep.equal([[], []]);
    await daemon.stop();
    expect(steps).to.deep.equal(['cn-hangzhou', 'cn-beijing', 'taken over', 'eu-central-1', 'taken over']);
  });
});
