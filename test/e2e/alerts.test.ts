import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { refusal } from '../../dist/simulator/refusal.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import type { RawTask } from '../../dist/simulator/timeline.js';
import { hastened } from '../deploy/hastened.js';
import { DEPLOY } from '../deploy/rules-file.js';
import { Alertmanager } from '../helpers/alertmanager.js';
import { Scratch, eventually, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';
import { Prometheus } from '../helpers/prometheus.js';
import { describeOnEachRelease } from '../helpers/release.js';
import { nameOf, OnCall } from './on-call.js';
import type { Notification } from './on-call.js';

/**
 * A minute of the rules and of the routes is a second here, and so is one of the intervals that the exporter is
 * configured with below. The cool-down of the exporter itself (10 s after ten failed connections) goes by real time.
 */
const TIMES = 60;
const ACCOUNT = 'production';
const HANGZHOU = 'cn-hangzhou';
const FRANKFURT = 'eu-central-1';
const OTHER = 'troubled';
const [FEW, MANY, DENIED, THROTTLED] = ['cn-beijing', 'cn-shanghai', 'cn-shenzhen', 'ap-southeast-1'] as const;
const TROUBLED = [FEW, MANY, DENIED, THROTTLED];
const NAMES = {
  'rm-stuck': 'orders',
  'rm-failed': 'billing',
  'rm-healthy': 'stock',
  'rm-idle': 'archive',
  'rm-deleted': 'basket',
};

function running(id: number, more: Partial<RawTask> = {}): object {
  const state = { BackupProgressStatus: 'Uploading', BackupStatus: 'Uploading', Process: '40' };
  return { BackupJobId: id, JobMode: 'Automated', TaskAction: 'NormalBackupTask', ...state, ...more };
}

/** Gains a percent every second. */
function progressing(id: number, more: Partial<RawTask> = {}): object {
  const begunAt = Date.now();
  return Object.defineProperty(running(id, more), 'Process', {
    enumerable: true,
    get: () => String(Math.min(99, Math.floor((Date.now() - begunAt) / 1000))),
  });
}

describeOnEachRelease('a backup that sticks or fails, all the way to whoever is on call', function (release) {
  this.timeout(180_000);
  const scratch = new Scratch();
  const onCall = new OnCall();
  let simulator: Simulator;
  let exporter: RunningExporter;
  let prometheus: Prometheus;
  let alertmanager: Alertmanager;

  /** Of the account that most is about. */
  const slack = () => onCall.slack.filter(({ text }) => text.includes(`account ${ACCOUNT}`));
  const sent = (status: string): readonly string[] => onCall.sent(status, ACCOUNT);

  /** Every alert of an account or of none that fired in Prometheus at any time, also if nobody was told. */
  async function everFiring(account: string): Promise<readonly string[]> {
    const samples = await prometheus.query(`max_over_time(ALERTS{alertstate="firing",account=~"|${account}"}[10m])`);
    return samples.map(({ metric }) => nameOf(metric)).toSorted();
  }

  /** In the other account one region each in which a few polls fail, many fail, all are denied, or are throttled. */
  function makeTrouble(): void {
    const { fleet, faults } = simulator;
    for (const regionId of TROUBLED)
      for (let i = 0; i < 6; i++) fleet.addInstance({ account: OTHER, regionId, instanceId: `rm-${regionId}-${i}` });
    const action = 'DescribeBackupTasks';
    const refuse = (code: string) => ({ kind: 'refuse', refusal: refusal(code) }) as const;
    faults.inject({ instanceId: `rm-${FEW}-0`, effect: refuse('InternalError') });
    for (const i of [0, 1]) faults.inject({ instanceId: `rm-${MANY}-${i}`, effect: refuse('InternalError') });
    faults.inject({ account: OTHER, regionId: DENIED, action, effect: refuse('Forbidden.RAM') });
    faults.inject({ account: OTHER, regionId: THROTTLED, action, probability: 0.5, effect: refuse('Throttling.User') });
  }

  before(async function () {
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [ACCOUNT, OTHER].map((name) => ({ name, accessKeyId: `${name}-key`, accessKeySecret: 'test-secret' })),
      regions: [HANGZHOU, FRANKFURT, ...TROUBLED],
    });
    const { fleet } = simulator;
    for (const [instanceId, description] of Object.entries(NAMES))
      fleet.addInstance({ account: ACCOUNT, regionId: HANGZHOU, instanceId, description });
    fleet.addInstance({ account: ACCOUNT, regionId: FRANKFURT, instanceId: 'rm-elsewhere' });
    fleet.addInstance({ account: ACCOUNT, regionId: FRANKFURT, instanceId: 'rr-replica', instanceType: 'Readonly' });
    fleet.setTasks(ACCOUNT, 'rm-stuck', { listed: [running(11)] });
    fleet.setTasks(ACCOUNT, 'rm-failed', { listed: [progressing(12, { JobMode: 'Manual' })] });
    fleet.setTasks(ACCOUNT, 'rm-healthy', { listed: [progressing(13)] });
    fleet.setTasks(ACCOUNT, 'rm-deleted', { listed: [progressing(14)] });

    makeTrouble();

    const accountIn = (name: string, regionIds: readonly string[]): string => `  - name: ${name}
    credentials: {type: access_key, access_key_id: ${name}-key, access_key_secret: test-secret}
    regions: [${regionIds.map((id) => `{id: ${id}, endpoint: "${simulator.endpoints[id]}"}`).join(', ')}]
    discovery: {refresh_interval: 10s}
`;
    const config = scratch.file(
      'config.yaml',
      `accounts:
${accountIn(ACCOUNT, [HANGZHOU, FRANKFURT])}${accountIn(OTHER, TROUBLED)}
polling: {idle_interval: 1s, active_interval: 1s, timeout: 5s, max_attempts: 1, stale_after: 10s, stuck_after: 6s, rate_limit: {requests_per_second: 50, burst: 50}}
`,
    );
    exporter = await startExporter([`--config.file=${config}`]);
    await onCall.listen();
    const shipped = (path: string): string => hastened(readFileSync(new URL(path, DEPLOY), 'utf8'), TIMES);
    alertmanager = await Alertmanager.start(this, release, onCall.routing(shipped('alertmanager/alertmanager.yaml')));
    const rules = scratch.file('rules.yaml', shipped('prometheus/rules.yaml'));
    prometheus = await Prometheus.start(this, release, {
      target: new URL(exporter.url).host,
      more: `rule_files: ["${rules}"]
alerting: {alertmanagers: [{static_configs: [{targets: ["${new URL(alertmanager.url).host}"]}]}]}`,
    });
  });

  after(async () => {
    await prometheus?.stop();
    await alertmanager?.stop();
    expect(await exporter?.program.stop()).to.equal(0);
    await simulator?.close();
    onCall.close();
    scratch.remove();
  });

  const PAGES = ['BackupFailed rm-failed', 'BackupStuck rm-stuck'];
  const everyWay = (what: readonly string[]): readonly string[] =>
    what.flatMap((name) => [`${name} by dingtalk`, `${name} by wecom`]).toSorted();

  it('pages for the stuck and for the failed one, by every way of the page receiver, and for nothing else', async () => {
    await prometheus.becomes('alicloud_rds_backup_completed_tasks_total{instance_id="rm-failed",outcome="Failed"}', 0);
    simulator.fleet.removeInstance(ACCOUNT, 'rm-deleted');
    simulator.fleet.addInstance({ account: ACCOUNT, regionId: HANGZHOU, instanceId: 'rm-new' });
    simulator.fleet.setTasks(ACCOUNT, 'rm-failed', {
      ended: [running(12, { JobMode: 'Manual', BackupStatus: 'Failed' })],
    });
    await eventually('both pages', () => (sent('firing').length >= 4 && slack().length >= 2 ? true : undefined));
    await eventually('any other to have had its five minutes', async () => {
      const [fired] = await prometheus.query('count_over_time(ALERTS{alertname="BackupStuck"}[5m]) > 5');
      return fired && true;
    });
    expect(sent('firing')).to.deep.equal(everyWay(PAGES));
    expect(sent('resolved')).to.deep.equal([]);
    expect(await everFiring(ACCOUNT)).to.deep.equal(PAGES);
  });

  it('says which instance by account, region, id and name, what is wrong, and where to read on', () => {
    const of = (name: string): Notification => onCall.notifications.find(({ labels }) => nameOf(labels) === name)!;
    const stuck = of('BackupStuck rm-stuck');
    const place = { severity: 'critical', account: ACCOUNT, region_id: HANGZHOU };
    expect(stuck.labels).to.deep.equal({
      alertname: 'BackupStuck',
      ...place,
      instance_id: 'rm-stuck',
      mode: 'Automated',
    });
    expect(stuck.annotations.description).to.match(
      /^The running Automated backup of rm-stuck \(orders\) in account production, region cn-hangzhou, has changed neither status nor progress for ([6-9]|1\d)(\.\d+)?s\.$/,
    );
    const failed = of('BackupFailed rm-failed');
    expect(failed.labels).to.deep.equal({ alertname: 'BackupFailed', ...place, instance_id: 'rm-failed' });
    expect(failed.annotations.description).to.match(
      /^A backup of rm-failed \(billing\) in account production, region cn-hangzhou, failed [\d.]+m?s ago and none has finished since\.$/,
    );
    expect(
      slack()
        .map(({ title }) => title)
        .toSorted(),
    ).to.deep.equal(['FIRING BackupFailed (1)', 'FIRING BackupStuck (1)']);
    for (const { text } of slack())
      expect(text).to.match(/: .* rm-\w+ \((orders|billing)\) in account .* <https:\S+\.md\|Runbook>/);
  });

  it('pages once for a region that goes dark, keeps what it knew for a while, and concludes nothing from not seeing', async () => {
    const cooling = `ApiCooldown ${HANGZHOU}`;
    await simulator.disconnect(HANGZHOU);
    const page = await eventually('the page', () =>
      onCall.notifications.find(({ labels }) => nameOf(labels) === cooling),
    );
    expect(page.labels).to.deep.equal({
      alertname: 'ApiCooldown',
      severity: 'critical',
      account: ACCOUNT,
      region_id: HANGZHOU,
    });
    expect(page.annotations.description).to.contain('DescribeBackupTasks');
    expect(sent('resolved'), 'while it may be stuck still').to.deep.equal([]);

    // Its data goes stale, then `keep_firing_for` runs out: whether it is stuck nobody knows any more.
    await eventually('the stuck one to be dropped', () => (sent('resolved').length >= 2 ? true : undefined));
    expect(sent('resolved')).to.deep.equal(everyWay(['BackupStuck rm-stuck']));
    expect(sent('firing')).to.deep.equal(everyWay([...PAGES, cooling]));
    // The healthy one has shown no progress for longer than stuck_after, and all have failed to be polled.
    expect(await everFiring(ACCOUNT)).to.deep.equal([cooling, ...PAGES]);
    const active = (await alertmanager.alerts()).filter(({ labels }) => labels.account !== OTHER);
    expect(active.map(({ labels }) => nameOf(labels)).toSorted()).to.deep.equal([cooling, 'BackupFailed rm-failed']);
  });

  it('has told of each other trouble by the one alert meant for it, as loud as it is', async () => {
    const loud = [`ApiCooldown ${DENIED}`, `PollsFailing ${MANY}`];
    const quiet = [`ApiThrottled ${THROTTLED}`, `InstancePollFailing rm-${FEW}-0`];
    const expected = [...everyWay(loud), ...quiet.map((name) => `${name} by chat`)].toSorted();
    await eventually('them all', () => (onCall.sent('firing', OTHER).length >= expected.length ? true : undefined));
    expect(onCall.sent('firing', OTHER)).to.deep.equal(expected);
    expect(await everFiring(OTHER)).to.deep.equal([...loud, ...quiet].toSorted());
  });
});
