import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect } from 'chai';
import { parse } from 'yaml';
import { systemClock } from '../../dist/clock.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import type { RawTask } from '../../dist/simulator/timeline.js';
import { hastened } from '../deploy/hastened.js';
import { DEPLOY } from '../deploy/rules-file.js';
import { Alertmanager } from '../helpers/alertmanager.js';
import { Scratch, eventually, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';
import { Prometheus } from '../helpers/prometheus.js';

/**
 * A minute of the rules and of the routes is a second here, and so is one of the intervals that the exporter is
 * configured with below. The cool-down of the exporter itself (10 s after ten failed connections) goes by real time.
 */
const TIMES = 60;
const ACCOUNT = 'production';
const HANGZHOU = 'cn-hangzhou';
const FRANKFURT = 'eu-central-1';
const NAMES = {
  'rm-stuck': 'orders',
  'rm-failed': 'billing',
  'rm-healthy': 'stock',
  'rm-idle': 'archive',
  'rm-deleted': 'basket',
};

type Labels = Readonly<Record<string, string>>;

interface Notification {
  readonly path: string;
  /** `alertname instance_id`, or the region where it has no instance; `firing` or `resolved`. */
  readonly what: string;
  readonly status: string;
  readonly labels: Labels;
  readonly annotations: Labels;
}

interface WebhookMessage {
  readonly alerts: readonly { status: string; labels: Labels; annotations: Labels }[];
}

interface SlackMessage {
  readonly attachments: readonly { title: string; text: string }[];
}

interface Receiver {
  readonly name: string;
  readonly webhook_configs?: readonly object[];
  readonly slack_configs?: readonly object[];
}

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

function nameOf({ alertname, instance_id: instance, region_id: region }: Labels): string {
  return `${alertname} ${instance ?? region}`;
}

describe('a backup that sticks or fails, all the way to whoever is on call', function () {
  this.timeout(90_000);
  const scratch = new Scratch();
  const webhooks: Notification[] = [];
  const slack: SlackMessage[] = [];
  let simulator: Simulator;
  let exporter: RunningExporter;
  let prometheus: Prometheus;
  let alertmanager: Alertmanager;

  const onCall = createServer((request, response) => {
    void json(request).then((body) => {
      const path = request.url ?? '';
      if (path === '/slack') slack.push(body as SlackMessage);
      else
        for (const { status, labels, annotations } of (body as WebhookMessage).alerts)
          webhooks.push({ path, what: nameOf(labels), status, labels, annotations });
      response.end('ok');
    });
  });

  /** The shipped example, with every receiver's address on loopback. A mail comes as a webhook too. */
  function routing(): string {
    const address = `http://127.0.0.1:${(onCall.address() as AddressInfo).port}`;
    const text = readFileSync(new URL('alertmanager/alertmanager.yaml', DEPLOY), 'utf8');
    const example: { receivers: Receiver[] } = parse(
      hastened(text, TIMES).replaceAll(/url: http:\/\/[^/]+/g, `url: ${address}`),
    );
    const receivers = example.receivers.map(
      ({ name, slack_configs, webhook_configs = [{ url: `${address}/${name}` }] }) => ({
        name,
        slack_configs,
        webhook_configs,
      }),
    );
    return JSON.stringify({ ...example, global: { slack_api_url: `${address}/slack` }, receivers });
  }

  /** What was sent by webhook, each way once and sorted. */
  function sent(status: string): readonly string[] {
    return webhooks
      .filter((notification) => notification.status === status)
      .map(({ what, path }) => `${what} by ${path.split('/')[1]}`)
      .toSorted();
  }

  /** Every alert that fired in Prometheus at any time, also those that nobody was told about. */
  async function everFiring(): Promise<readonly string[]> {
    const samples = await prometheus.query('max_over_time(ALERTS{alertstate="firing"}[10m])');
    return samples.map(({ metric }) => nameOf(metric)).toSorted();
  }

  before(async function () {
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [{ name: ACCOUNT, accessKeyId: 'test-key-id', accessKeySecret: 'test-key-secret' }],
      regions: [HANGZHOU, FRANKFURT],
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

    const regions = Object.entries(simulator.endpoints).map(([id, endpoint]) => `{id: ${id}, endpoint: "${endpoint}"}`);
    const config = scratch.file(
      'config.yaml',
      `accounts:
  - name: ${ACCOUNT}
    credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}
    regions: [${regions.join(', ')}]
    discovery: {refresh_interval: 10s}
polling: {idle_interval: 1s, active_interval: 1s, timeout: 5s, max_attempts: 1, stale_after: 10s, stuck_after: 6s, rate_limit: {requests_per_second: 50, burst: 50}}
`,
    );
    exporter = await startExporter([`--config.file=${config}`]);
    onCall.listen(0, '127.0.0.1');
    await once(onCall, 'listening');
    alertmanager = await Alertmanager.start(this, routing());
    const rules = scratch.file(
      'rules.yaml',
      hastened(readFileSync(new URL('prometheus/rules.yaml', DEPLOY), 'utf8'), TIMES),
    );
    prometheus = await Prometheus.start(this, {
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
    onCall.closeAllConnections();
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
    await eventually('both pages', () => (sent('firing').length >= 4 && slack.length >= 2 ? true : undefined));
    await eventually('any other to have had its five minutes', async () => {
      const [fired] = await prometheus.query('count_over_time(ALERTS{alertname="BackupStuck"}[5m]) > 5');
      return fired && true;
    });
    expect(sent('firing')).to.deep.equal(everyWay(PAGES));
    expect(sent('resolved')).to.deep.equal([]);
    expect(await everFiring()).to.deep.equal(PAGES);
  });

  it('says which instance by account, region, id and name, what is wrong, and where to read on', () => {
    const of = (name: string): Notification => webhooks.find(({ what }) => what === name)!;
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
    expect(slack.map(({ attachments: [message] }) => String(message?.title)).toSorted()).to.deep.equal([
      'FIRING BackupFailed (1)',
      'FIRING BackupStuck (1)',
    ]);
    for (const { attachments } of slack) {
      expect(attachments[0]?.text).to.match(/: .* rm-\w+ \((orders|billing)\) in account .* <https:\S+\.md\|Runbook>/);
    }
  });

  it('pages once for a region that goes dark, keeps what it knew for a while, and concludes nothing from not seeing', async () => {
    const cooling = `ApiCooldown ${HANGZHOU}`;
    await simulator.goDark(HANGZHOU);
    const page = await eventually('the page', () => webhooks.find(({ what }) => what === cooling));
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
    expect(await everFiring()).to.deep.equal([cooling, ...PAGES]);
    const active = await alertmanager.alerts();
    expect(active.map(({ labels }) => nameOf(labels)).toSorted()).to.deep.equal([cooling, 'BackupFailed rm-failed']);
  });
});
