import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { Alertmanager } from '../helpers/alertmanager.js';
import { eventually } from '../helpers/program.js';
import { describeOnEachRelease } from '../helpers/release.js';
import { ALERTS, DEPLOY } from './rules-file.js';

const TEST_TIMEOUT_MS = 180_000;

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

/** The example with receivers that do nothing: their addresses do not exist here. */
function configuration(): string {
  const example: { receivers: { name: string }[] } = parse(
    readFileSync(new URL('alertmanager/alertmanager.yaml', DEPLOY), 'utf8'),
  );
  return JSON.stringify({ ...example, global: {}, receivers: example.receivers.map(({ name }) => ({ name })) });
}

function severityOf({ alertname }: Labels): Labels {
  return ALERTS.find(({ alert }) => alert === alertname)?.labels ?? {};
}

interface Group {
  readonly labels: Labels;
  readonly alerts: readonly { readonly labels: Labels }[];
}

function nameOf({ alertname, instance_id: id, region_id: region, instance, mode }: Labels): string {
  return [alertname, id ?? region ?? instance, mode].filter((part) => part !== undefined).join(' ');
}

describeOnEachRelease('the Alertmanager example in a real Alertmanager', (release) => {
  let alertmanager: Alertmanager;

  before(async function () {
    this.timeout(TEST_TIMEOUT_MS);
    alertmanager = await Alertmanager.start(this, release, configuration());
  });

  after(() => alertmanager?.stop());

  it('silences what a cool-down or a stuck backup explains, in its own region, and nothing else', async function () {
    this.timeout(TEST_TIMEOUT_MS);
    const response = await fetch(`${alertmanager.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(FIRING.map((labels) => ({ labels: Object.assign({}, labels, severityOf(labels)) }))),
    });
    expect(response.status).to.equal(200);
    const silenced = await eventually('every alert to be judged', async () => {
      const listed = await alertmanager.alerts();
      const suppressed = listed.filter(({ status: { state } }) => state === 'suppressed');
      const judged = listed.length === FIRING.length && suppressed.length >= SUPPRESSED.length;
      return judged ? suppressed.map(({ labels }) => nameOf(labels)) : undefined;
    });
    expect(silenced.toSorted()).to.deep.equal(SUPPRESSED);
  });

  it('makes one page of an exporter that is down, however many of its shards are', async () => {
    const response = await fetch(`${alertmanager.url}/api/v2/alerts/groups?filter=job="rds"`);
    const groups = (await response.json()) as readonly Group[];
    const shown = groups.map(({ labels, alerts }) => [labels, alerts.map((alert) => nameOf(alert.labels)).toSorted()]);
    expect(shown).to.deep.equal([[{ job: 'rds' }, ['ExporterDown shard-0', 'ExporterDown shard-1', 'ShardMissing']]]);
  });
});
