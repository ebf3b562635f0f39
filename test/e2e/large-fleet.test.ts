import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import { Scratch, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';
import { Prometheus } from '../helpers/prometheus.js';
import { describeOnEachRelease } from '../helpers/release.js';

const PREFIX = 'alicloud_rds_backup_';
const INSTANCES = 10_000;
/** Beside other work on two cores they take more than half a minute. */
const FIRST_POLLS_MS = 120_000;
/** Of each of these many instances one has a running task, at a percentage of its own. */
const RUNNING_OF = 10;
const PLACE = { account: 'production', regionId: 'cn-hangzhou' };

describeOnEachRelease('a real Prometheus that scrapes 10,000 instances', function (release) {
  this.timeout(180_000);
  const scratch = new Scratch();
  let simulator: Simulator;
  let exporter: RunningExporter;
  let prometheus: Prometheus;

  before(async function () {
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [{ name: PLACE.account, accessKeyId: 'test-key-id', accessKeySecret: 'test-key-secret' }],
      regions: [PLACE.regionId],
    });
    for (let n = 0; n < INSTANCES; n++) {
      const instanceId = `rm-${n}`;
      simulator.fleet.addInstance({ ...PLACE, instanceId, description: `订单 "${n}"` });
      if (n % RUNNING_OF !== 0) continue;
      simulator.fleet.setTasks(PLACE.account, instanceId, {
        listed: [
          {
            BackupJobId: n + 1,
            BackupProgressStatus: 'Uploading',
            BackupStatus: 'Uploading',
            JobMode: n % (2 * RUNNING_OF) === 0 ? 'Automated' : 'Manual',
            Process: `${(n / RUNNING_OF) % 100}`,
            TaskAction: 'NormalBackupTask',
          },
        ],
      });
    }
    const config = scratch.file(
      'config.yaml',
      `accounts:
  - name: ${PLACE.account}
    credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}
    regions: [{id: ${PLACE.regionId}, endpoint: "${simulator.url}"}]
    discovery: {refresh_interval: 1h}
polling: {idle_interval: 5m, active_interval: 1m, concurrency: 32, rate_limit: {requests_per_second: 10000, burst: 1000}}
state: {path: ${scratch.path}/state}
`,
    );
    exporter = await startExporter([`--config.file=${config}`]);
    prometheus = await Prometheus.start(this, release, { target: new URL(exporter.url).host, interval: '10s' });
    // Scraped from the first moment on, while everything is polled for the first time.
    await prometheus.becomes(`count(${PREFIX}instance_poll_success == 1)`, INSTANCES, FIRST_POLLS_MS);
  });

  after(async () => {
    await prometheus?.stop();
    expect(await exporter?.program.stop()).to.equal(0);
    await simulator?.close();
    scratch.remove();
  });

  it('has every instance, with its name to the letter', async () => {
    await prometheus.becomes(`count(${PREFIX}instance_info)`, INSTANCES);
    const [named] = await prometheus.query(`${PREFIX}instance_info{instance_id="rm-4711"}`);
    expect(named?.metric).to.include({ name: '订单 "4711"', engine: 'MySQL' });
  });

  it('has the tasks of every tenth, by mode, status and progress, and none of the others', async () => {
    const running = INSTANCES / RUNNING_OF;
    await prometheus.becomes(`count(${PREFIX}tasks)`, 2 * INSTANCES);
    await prometheus.becomes(`sum(${PREFIX}tasks{mode="Automated"})`, running / 2);
    await prometheus.becomes(`sum(${PREFIX}tasks{mode="Manual"})`, running / 2);
    await prometheus.becomes(`count(${PREFIX}task_status{status="Uploading"} == 1)`, running);
    await prometheus.becomes(`sum(${PREFIX}task_status)`, running);
    await prometheus.becomes(`round(100 * sum(${PREFIX}task_progress_ratio))`, (running / 100) * (99 * 50));
    await prometheus.becomes(`${PREFIX}task_progress_ratio{instance_id="rm-420"}`, 0.42);
  });

  it('takes in every sample of the page, and no scrape of it failed', async () => {
    const page = await (await fetch(`${exporter.url}/metrics`)).text();
    await prometheus.becomes('scrape_samples_scraped', page.match(/^[^#]/gm)!.length);
    await prometheus.becomes('min_over_time(up[5m])', 1);
  });
});
