import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import { Scratch, eventually, freePort, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';

describe('what the API does not know or cannot be asked for', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  let simulator: Simulator;
  let exporter: RunningExporter;

  before(async () => {
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [{ name: 'production', accessKeyId: 'test-key-id', accessKeySecret: 'test-key-secret' }],
      regions: ['cn-hangzhou'],
    });
    for (const instanceId of ['rm-1', 'rm-2', 'rm-named']) {
      simulator.fleet.addInstance({
        account: 'production',
        regionId: 'cn-hangzhou',
        instanceId,
        description: `is ${instanceId}`,
      });
    }
    const region = `[{id: cn-hangzhou, endpoint: "${simulator.url}"}]`;
    const config = scratch.file(
      'config.yaml',
      `accounts:
  - name: production
    credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}
    regions: ${region}
    instances:
      - {id: rm-named, region: cn-hangzhou, labels: {owner: dba}}
      - {id: rm-nowhere, region: cn-hangzhou}
    discovery: {refresh_interval: 1h, exclude: rm-named}
  - name: keyless
    credentials: {type: credentials_uri, uri: "http://127.0.0.1:${await freePort()}/keys"}
    regions: ${region}
    instances: [{id: rm-1, region: cn-hangzhou}]
polling: {idle_interval: 500ms, active_interval: 500ms, timeout: 2s, max_attempts: 1, rate_limit: {requests_per_second: 100, burst: 100}}
`,
    );
    exporter = await startExporter([`--config.file=${config}`]);
  });

  after(async () => {
    await exporter?.program.stop('SIGKILL');
    await simulator.close();
    scratch.remove();
  });

  function becomes(what: string, holds: (text: string) => boolean): Promise<string> {
    return eventually(what, async () => {
      const text = await (await fetch(`${exporter.url}/metrics`)).text();
      return holds(text) ? text : undefined;
    });
  }

  const success = (instanceId: string, value: number): RegExp =>
    new RegExp(
      `_poll_success\\{account="production",region_id="cn-hangzhou",instance_id="${instanceId}"\\} ${value}\\n`,
    );

  it('polls a static instance that the filters exclude, with its name and labels, and one that nobody knows with 0', async () => {
    const text = await becomes(
      'all polls',
      (seen) =>
        ['rm-1', 'rm-2', 'rm-named'].every((id) => success(id, 1).test(seen)) && success('rm-nowhere', 0).test(seen),
    );
    expect(text).to.match(
      /instance_info\{.*instance_id="rm-named",name="is rm-named",engine="MySQL",engine_version="8.0",owner="dba"\} 1\n/,
    );
  });

  it('drops a discovered instance as soon as a poll finds it gone; a static one stays, with poll_success 0', async () => {
    simulator.fleet.removeInstance('production', 'rm-2');
    simulator.fleet.removeInstance('production', 'rm-named');
    const text = await becomes(
      'the instance to go',
      (seen) => !seen.includes('"rm-2"') && success('rm-named', 0).test(seen),
    );
    expect(text).to.match(/exporter_targets\{account="production",region_id="cn-hangzhou"\} 3\n/);
    expect(exporter.program.stderr).to.match(
      /msg="target gone: the API does not know it" .*instance_id=rm-2 code=InvalidDBInstanceName.NotFound/,
    );
  });

  it('goes on with one account while another has no credentials, which its status tells', async () => {
    const text = await becomes('the cool-down', (seen) =>
      /api_cooldown\{account="keyless",.*action="DescribeBackupTasks"\} 1\n/.test(seen),
    );
    expect(text).to.match(/api_requests_total\{account="keyless",.*\} 0\n/);
    expect(text).to.match(success('rm-1', 1));
    const status = (await (await fetch(`${exporter.url}/api/v1/status`)).json()) as {
      accounts: { account: string; problem: { message: string } | null }[];
    };
    expect(status.accounts.map(({ account, problem }) => [account, problem === null])).to.deep.equal([
      ['production', true],
      ['keyless', false],
    ]);
    expect(status.accounts[1]?.problem?.message).to.contain('check that the uri answers');
  });
});
