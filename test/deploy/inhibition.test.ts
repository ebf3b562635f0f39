import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { eventually, freePort, Program, Scratch } from '../helpers/program.js';
import { needTool } from '../helpers/tools.js';
import { DEPLOY } from './rules-file.js';

const TEST_TIMEOUT_MS = 60_000;

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

const SUPPRESSED = [
  'BackupRunningLong rm-3 Manual',
  'InstanceDataStale rm-2',
  'InstancePollFailing rm-1',
  'PollLagging cn-hangzhou',
];

interface Listed {
  readonly labels: Labels;
  readonly status: { readonly state: string };
}

/** The rules of the example alone: its receivers' addresses do not exist here. */
function configuration(): string {
  const example: { inhibit_rules: unknown } = parse(
    readFileSync(new URL('alertmanager/alertmanager.yaml', DEPLOY), 'utf8'),
  );
  return JSON.stringify({ ...example, global: {}, route: { receiver: 'none' }, receivers: [{ name: 'none' }] });
}

function nameOf({ alertname, instance_id: instance, region_id: region, mode }: Labels): string {
  return [alertname, instance ?? region, mode].filter((part) => part !== undefined).join(' ');
}

describe('inhibition in a real Alertmanager', () => {
  const scratch = new Scratch();
  let alertmanager: Program | undefined;
  let origin = '';

  before(async function () {
    this.timeout(TEST_TIMEOUT_MS);
    const tool = needTool(this, 'prometheus-alertmanager', 'prometheus-alertmanager');
    origin = `http://127.0.0.1:${await freePort()}`;
    alertmanager = new Program(tool, [
      `--config.file=${scratch.file('alertmanager.yml', configuration())}`,
      `--storage.path=${scratch.path}/data`,
      `--web.listen-address=${origin.replace('http://', '')}`,
      '--cluster.listen-address=',
    ]);
    await eventually('Alertmanager to be ready', async () => {
      const response = await fetch(`${origin}/-/ready`).catch(() => undefined);
      return response?.ok === true ? true : undefined;
    });
  });

  after(async () => {
    await alertmanager?.stop();
    scratch.remove();
  });

  it('silences what a cool-down or a stuck backup explains, in its own region, and nothing else', async function () {
    this.timeout(TEST_TIMEOUT_MS);
    const response = await fetch(`${origin}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(FIRING.map((labels) => ({ labels }))),
    });
    expect(response.status).to.equal(200);
    const silenced = await eventually('every alert to be judged', async () => {
      const listed: readonly Listed[] = JSON.parse(await (await fetch(`${origin}/api/v2/alerts`)).text());
      const suppressed = listed.filter(({ status: { state } }) => state === 'suppressed');
      const judged = listed.length === FIRING.length && suppressed.length >= SUPPRESSED.length;
      return judged ? suppressed.map(({ labels }) => nameOf(labels)) : undefined;
    });
    expect(silenced.toSorted()).to.deep.equal(SUPPRESSED);
  });
});
