import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { startSimulator } from '../../dist/simulator/server.js';
import { eventually, Scratch, startExporter } from '../helpers/program.js';
import { itOnEachRelease } from '../helpers/release.js';
import { doWithout } from '../helpers/tools.js';
import { aFleet, aPlace, aState, expose, selfMetrics } from '../unit/metrics/fleet.js';

/** Some tens of instances: newer versions of promtool compare every series of a family with every other. */
const states = [...aFleet(40), aState({}, { instanceId: 'rm-x', name: '订单 "A"\\B\nC', labels: { tag_env: '\\' } })];
const places = [
  aPlace({
    discovery: { success: true, lastSuccessAt: 1_700_000_000_000, problem: undefined },
    calls: [
      { action: 'DescribeBackupTasks', requestsPerSecond: 5, configuredRequestsPerSecond: 5, cooldown: undefined },
    ],
  }),
];

/** A page with everything on it, `process_*` and `nodejs_*` too. */
async function page(format: 'text' | 'openmetrics'): Promise<string> {
  const self = selfMetrics({ state: true, processFamilies: true });
  self.watchWebConfig(() => true);
  const place = { account: 'production', regionId: 'cn-hangzhou' };
  self.requests.open(place, 'DescribeBackupTasks').ended(40, 'Throttling');
  return expose({ states, places, self, format });
}

function run(command: string, args: readonly string[], input: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { input, encoding: 'utf8', timeout: 20_000 });
  return { status, output: `${stdout}${stderr}` };
}

describe('other programs', () => {
  itOnEachRelease('promtool finds nothing to object to', async function (release) {
    this.timeout(180_000);
    const promtool = release.need(this, 'promtool');
    const text = await page('text');
    expect(text).to.contain('\nprocess_cpu_seconds_total ').and.to.contain('\nnodejs_eventloop_lag_p99_seconds ');
    expect(run(promtool, ['check', 'metrics'], text)).to.deep.equal({ status: 0, output: '' });
  });

  itOnEachRelease(
    'promtool finds nothing right after a start, nor once odd tags and ids are known',
    async function (release) {
      this.timeout(180_000);
      const promtool = release.need(this, 'promtool');
      const [account, regionId] = ['a', 'cn-hangzhou'];
      const simulator = await startSimulator({
        clock: systemClock(),
        accounts: [{ name: account, accessKeyId: 'key-id', accessKeySecret: 'key-secret' }],
        regions: [regionId],
        instances: 0,
      });
      for (const instanceId of ['rm-1', 'rm-\ud800', 'rm-\udfff', 'rm-\ufffd']) {
        simulator.fleet.addInstance({ account, regionId, instanceId, tags: { costCenter: '\udfff' } });
      }
      const scratch = new Scratch();
      const config = scratch.file(
        'config.yaml',
        `accounts:
  - name: ${account}
    credentials: {type: access_key, access_key_id: key-id, access_key_secret: key-secret}
    regions: [{id: ${regionId}, endpoint: "${simulator.endpoints[regionId]}"}]
    discovery: {tag_labels: [costCenter]}
`,
      );
      const { program, url } = await startExporter([`--config.file=${config}`]);
      try {
        const scrape = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
        expect(run(promtool, ['check', 'metrics'], await scrape())).to.deep.equal({ status: 0, output: '' });
        const text = await eventually('the instances', async () => {
          const seen = await scrape();
          return /_tasks\{.*rm-1/.test(seen) && /_tasks\{.*rm-\ufffd/.test(seen) ? seen : undefined;
        });
        expect(run(promtool, ['check', 'metrics'], text)).to.deep.equal({ status: 0, output: '' });
        const infos = text.split('\n').filter((line) => line.includes('_instance_info{'));
        expect(infos.map((line) => /instance_id="(.*?)".*,(tag_.*)\}/.exec(line)?.slice(1))).to.deep.equal([
          ['rm-1', 'tag_cost_center="\ufffd"'],
          ['rm-\ufffd', 'tag_cost_center="\ufffd"'],
        ]);
      } finally {
        await program.stop('SIGKILL');
        await simulator.close();
        scratch.remove();
      }
    },
  );

  itOnEachRelease('promtool would find something', async function (release) {
    this.timeout(180_000);
    const promtool = release.need(this, 'promtool');
    const text = (await page('text')).replace('# HELP alicloud_rds_backup_tasks ', '# HELP other ');
    expect(run(promtool, ['check', 'metrics'], text).status).to.equal(3);
  });

  it('the strict OpenMetrics parser reads every family', async function () {
    this.timeout(180_000);
    const python = '/usr/bin/python3';
    if (!existsSync(python) || !existsSync('/usr/lib/python3/dist-packages/prometheus_client')) {
      doWithout(this, 'the OpenMetrics parser is missing: install the Debian package python3-prometheus-client');
    }
    const parser = new URL('../../test/unit/metrics/openmetrics_parser.py', import.meta.url).pathname;
    const text = await page('openmetrics');
    const families = text.match(/^# TYPE /gm)?.length;
    expect(run(python, [parser], text)).to.deep.equal({ status: 0, output: `${families}\n` });
    expect(run(python, [parser], text.replace('# EOF\n', '')).status).to.equal(1);
  });
});
