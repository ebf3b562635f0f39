import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import { Scratch, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';
import { Prometheus } from '../helpers/prometheus.js';
import { describeOnEachRelease } from '../helpers/release.js';

const PREFIX = 'alicloud_rds_backup_';

describeOnEachRelease('a real Prometheus that scrapes the built exporter', function (release) {
  this.timeout(180_000);
  const scratch = new Scratch();
  let simulator: Simulator;
  let exporter: RunningExporter;
  let prometheus: Prometheus;

  before(async function () {
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [{ name: 'production', accessKeyId: 'test-key-id', accessKeySecret: 'test-key-secret' }],
      regions: ['cn-hangzhou'],
    });
    for (const instanceId of ['rm-running', 'rm-queued', 'rm-idle']) {
      simulator.fleet.addInstance({ account: 'production', regionId: 'cn-hangzhou', instanceId });
    }
    simulator.fleet.setTasks('production', 'rm-running', {
      listed: [
        {
          BackupJobId: 11,
          BackupProgressStatus: 'Uploading',
          BackupStatus: 'Uploading',
          JobMode: 'Automated',
          Process: '62',
          TaskAction: 'NormalBackupTask',
        },
      ],
    });
    simulator.fleet.setTasks('production', 'rm-queued', {
      listed: [
        {
          BackupJobId: '12',
          BackupProgressStatus: 'NoStart',
          JobMode: 'Manual',
          Process: '0',
          TaskAction: 'TempBackupTask',
        },
      ],
    });
    const config = scratch.file(
      'config.yaml',
      `accounts:
  - name: production
    credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}
    regions: [{id: cn-hangzhou, endpoint: "${simulator.url}"}]
    discovery: {refresh_interval: 1s}
polling: {idle_interval: 1s, active_interval: 1s, timeout: 1s, max_attempts: 1, stale_after: 5s, rate_limit: {requests_per_second: 50, burst: 50}}
`,
    );
    exporter = await startExporter([`--config.file=${config}`]);
    prometheus = await Prometheus.start(this, release, { target: new URL(exporter.url).host });
  });

  after(async () => {
    await prometheus?.stop();
    expect(await exporter?.program.stop()).to.equal(0);
    await simulator?.close();
    scratch.remove();
  });

  it('is of the release that it is named for', async () => {
    const answer = (await (await fetch(`${prometheus.url}/api/v1/status/buildinfo`)).json()) as {
      data: { version: string };
    };
    expect(answer.data.version).to.match(release.version);
  });

  it('sees the status, mode and ratio of a running, a queued and an idle instance', async () => {
    await prometheus.becomes(`${PREFIX}tasks{instance_id="rm-running", mode="Automated"}`, 1);
    await prometheus.becomes(`${PREFIX}task_status{instance_id="rm-running", mode="Automated"} == 1`, 1);
    const [running] = await prometheus.query(`${PREFIX}task_status{instance_id="rm-running"} == 1`);
    expect(running?.metric).to.include({
      status: 'Uploading',
      mode: 'Automated',
      account: 'production',
      region_id: 'cn-hangzhou',
    });
    await prometheus.becomes(`${PREFIX}task_progress_ratio{instance_id="rm-running", mode="Automated"}`, 0.62);
    const [queued] = await prometheus.query(`${PREFIX}task_status{instance_id="rm-queued"} == 1`);
    expect(queued?.metric).to.include({ status: 'NoStart', mode: 'Manual' });
    await prometheus.becomes(`${PREFIX}task_progress_ratio{instance_id="rm-queued"}`, 0);
    await prometheus.becomes(`${PREFIX}tasks{instance_id="rm-idle", mode="Automated"}`, 0);
    await prometheus.becomes(`${PREFIX}tasks{instance_id="rm-idle", mode="Manual"}`, 0);
    await prometheus.becomes(`${PREFIX}task_status{instance_id="rm-idle"}`, undefined);
    const [info] = await prometheus.query(`${PREFIX}task_info{instance_id="rm-queued"}`);
    expect(info?.metric).to.include({ backup_job_id: '12', task_action: 'TempBackupTask' });
  });

  it('gets samples with every scrape', async () => {
    const [samples] = await prometheus.query('scrape_samples_scraped');
    expect(samples?.value).to.be.greaterThan(100);
  });

  it('sees the end of a task once, and the series of a deleted instance go', async () => {
    const ended = {
      BackupJobId: 11,
      BackupId: '99',
      BackupProgressStatus: 'Finished',
      BackupStatus: 'Finished',
      JobMode: 'Automated',
      Process: '100',
    };
    await prometheus.becomes(`${PREFIX}completed_tasks_total{instance_id="rm-running", outcome="Finished"}`, 0);
    simulator.fleet.setTasks('production', 'rm-running', { listed: [], ended: [ended] });
    await prometheus.becomes(`${PREFIX}completed_tasks_total{instance_id="rm-running", outcome="Finished"}`, 1);
    await prometheus.becomes(`${PREFIX}task_status{instance_id="rm-running", status="Uploading"}`, undefined);
    simulator.fleet.removeInstance('production', 'rm-idle');
    await prometheus.becomes(`count({instance_id="rm-idle"})`, undefined);
  });

  it('stays up while the API is down, sees the polls fail and the stale data vanish', async () => {
    await simulator.disconnect();
    await prometheus.becomes(`${PREFIX}instance_poll_success{instance_id="rm-queued"}`, 0);
    await prometheus.becomes(`${PREFIX}tasks{instance_id="rm-queued", mode="Manual"}`, undefined);
    await prometheus.becomes('up', 1);
    await prometheus.becomes('min_over_time(up[1m])', 1);
    await simulator.reconnect();
    await prometheus.becomes(`${PREFIX}tasks{instance_id="rm-queued", mode="Manual"}`, 1);
  });
});
