import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { parse } from 'yaml';
import { needTool } from '../helpers/tools.js';
import { freePort } from './free-port.js';
import { DEPLOY } from './rules-file.js';

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 200;

type Labels = Readonly<Record<string, string>>;

const place = (region: string): Labels => ({ account: 'prod', region_id: region });
const inHangzhou = place('cn-hangzhou');
const inFrankfurt = place('eu-central-1');
const FIRING: readonly Labels[] = [
  { alertname: 'ApiCooldown', ...inHangzhou },
  { alertname: 'PollLagging', ...inHangzhou },
  { alertname: 'InstancePollFailing', ...inHangzhou, instance_id: 'rm-1' },
  { alertname: 'BackupFailed', ...inHangzhou, instance_id: 'rm-1' },
  { alertname: 'InstancePollFailing', ...inFrankfurt, instance_id: 'rm-2' },
  { alertname: 'InstanceDataStale', ...inFrankfurt, instance_id: 'rm-2' },
  { alertname: 'InstanceDataStale', ...inFrankfurt, instance_id: 'rm-3' },
  { alertname: 'BackupStuck', ...inFrankfurt, instance_id: 'rm-3', mode: 'Manual' },
  { alertname: 'BackupRunningLong', ...inFrankfurt, instance_id: 'rm-3', mode: 'Manual' },
  { alertname: 'BackupRunningLong', ...inFrankfurt, instance_id: 'rm-3', mode: 'Automated' },
  { alertname: 'ExporterDown', job: 'rds', instance: 'shard-0' },
  { alertname: 'ExporterDown', job: 'rds', instance: 'shard-1' },
  { alertname: 'ShardMissing', job: 'rds' },
];

describe('inhibition in a real Alertmanager', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inhibition-'));
  let alertmanager: ChildProcess | undefined;
  let origin = '';

  before(async function () {
    this.timeout(START_TIMEOUT_MS);
    const tool = needTool(this, 'prometheus-alertmanager', 'prometheus-alertmanager');
    const config = parse(readFileSync(new URL('alertmanager/alertmanager.yaml', DEPLOY), 'utf8')) as object;
    const { inhibit_rules: rules } = config as { inhibit_rules: unknown };
    // The receivers' addresses do not exist here: the rules alone, and nobody to tell.
    const silent = { route: { receiver: 'none' }, receivers: [{ name: 'none' }], inhibit_rules: rules };
    writeFileSync(join(folder, 'alertmanager.yml'), JSON.stringify(silent));
    const port = await freePort();
    origin = `http://127.0.0.1:${port}`;
    const flags = [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ];
    alertmanager = spawn(tool, flags, { stdio: ['ignore', 'ignore', 'inherit'] });
    while (
      !(await fetch(`${origin}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ))
    )
      await delay(POLL_MS);
  });

  after(async () => {
    if (alertmanager !== undefined) {
      const ended = once(alertmanager, 'exit');
      alertmanager.kill();
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it('silences what a cool-down or a stuck backup explains, in its own region, and nothing else', async function () {
    this.timeout(START_TIMEOUT_MS);
    const response = await fetch(`${origin}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(FIRING.map((labels) => ({ labels }))),
    });
    expect(response.status).to.equal(200);
    let listed: { labels: Labels; status: { state: string } }[] = [];
    while (listed.length < FIRING.length || listed.some(({ status: { state } }) => state === 'unprocessed')) {
      await delay(POLL_MS);
      listed = (await (await fetch(`${origin}/api/v2/alerts`)).json()) as typeof listed;
    }
    const silenced = listed
      .filter(({ status: { state } }) => state === 'suppressed')
      .map(({ labels }) =>
        [labels.alertname, labels.instance_id ?? labels.region_id, labels.mode].filter(Boolean).join(' '),
      );
    expect(silenced.toSorted()).to.deep.equal([
      'BackupRunningLong rm-3 Manual',
      'InstanceDataStale rm-2',
      'InstancePollFailing rm-1',
      'PollLagging cn-hangzhou',
    ]);
  });
});
