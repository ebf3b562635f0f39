import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { refusal } from '../../dist/simulator/refusal.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import { Scratch, eventually, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';
import { Prometheus } from '../helpers/prometheus.js';
import { describeOnEachRelease } from '../helpers/release.js';
import { DASHBOARDS } from './dashboards/all.js';

const ACCOUNT = 'production';
const HANGZHOU = 'cn-hangzhou';
const THROTTLED = 'eu-central-1';
/** Shown by the dashboard of one instance: it has finished a backup and runs the next. */
const BUSY = 'rm-busy';

interface Shipped {
  readonly panels: readonly {
    readonly type: string;
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly Variable[] };
}

interface Variable {
  readonly name: string;
  readonly query: string | { readonly query: string };
  readonly multi?: boolean;
}

/** What Grafana would send: `All` for each variable that has it, else the busy instance. */
function concrete(expr: string, variables: readonly Variable[]): string {
  const isForOne = variables.some(({ name, multi }) => name === 'instance' && multi !== true);
  return expr
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$instance', isForOne ? BUSY : '.+')
    .replaceAll(/\$[a-z]+/g, '.+');
}

/** The 0 that stands for nothing would hide an empty query. */
function withoutZero(query: string): string {
  return query.replace(/ or (?:vector\(0\)|0 \* .*)$/, '');
}

/** The series that a variable takes its values from. */
function seriesOf({ query }: Variable): string | undefined {
  const [, series, label] = /^label_values\((.*), (\w+)\)$/.exec(typeof query === 'string' ? query : query.query) ?? [];
  return series === undefined ? undefined : `count by (${label}) (${series})`;
}

function task(id: number, status: string): object {
  const common = { BackupJobId: id, JobMode: 'Automated', TaskAction: 'NormalBackupTask', Process: '40' };
  if (status === 'NoStart') return { ...common, BackupProgressStatus: status };
  return { ...common, BackupStatus: status, BackupProgressStatus: status === 'Failed' ? 'Uploading' : status };
}

describeOnEachRelease('every query of the dashboards', (release) => {
  const scratch = new Scratch();
  let simulator: Simulator;
  let exporter: RunningExporter;
  let prometheus: Prometheus;

  before(async function () {
    this.timeout(180_000);
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [{ name: ACCOUNT, accessKeyId: 'test-key-id', accessKeySecret: 'test-key-secret' }],
      regions: [HANGZHOU, THROTTLED],
    });
    const { fleet, faults } = simulator;
    for (const instanceId of [BUSY, 'rm-failed', 'rm-queued', 'rm-unseen'])
      fleet.addInstance({ account: ACCOUNT, regionId: HANGZHOU, instanceId });
    fleet.addInstance({ account: ACCOUNT, regionId: THROTTLED, instanceId: 'rm-throttled' });
    fleet.setTasks(ACCOUNT, BUSY, { listed: [task(1, 'Uploading')] });
    fleet.setTasks(ACCOUNT, 'rm-failed', { listed: [task(2, 'Uploading')] });
    fleet.setTasks(ACCOUNT, 'rm-queued', { listed: [task(3, 'NoStart')] });
    const refuse = (code: string) => ({ kind: 'refuse', refusal: refusal(code) }) as const;
    faults.inject({ instanceId: 'rm-unseen', effect: refuse('InternalError') });
    faults.inject({ instanceId: 'rm-throttled', effect: refuse('Throttling.User') });

    const regions = Object.entries(simulator.endpoints).map(([id, endpoint]) => `{id: ${id}, endpoint: "${endpoint}"}`);
    const config = scratch.file(
      'config.yaml',
      `accounts:
  - name: ${ACCOUNT}
    credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}
    regions: [${regions.join(', ')}]
    discovery: {refresh_interval: 1s}
  - name: held-back
    credentials: {type: access_key, access_key_id: no-such-key, access_key_secret: test-key-secret}
    regions: [${regions[0]}]
    discovery: {refresh_interval: 1s}
polling: {idle_interval: 1s, active_interval: 1s, timeout: 5s, max_attempts: 1, stuck_after: 2s, rate_limit: {requests_per_second: 50, burst: 50}}
`,
    );
    exporter = await startExporter([`--config.file=${config}`]);
    prometheus = await Prometheus.start(this, release, { target: new URL(exporter.url).host });
    await prometheus.becomes('count(alicloud_rds_backup_completed_tasks_total{outcome="Finished"} == 0)', 3);
    fleet.setTasks(ACCOUNT, BUSY, { listed: [task(4, 'Uploading')], ended: [task(1, 'Finished')] });
    fleet.setTasks(ACCOUNT, 'rm-failed', { ended: [task(2, 'Failed')] });
  });

  after(async () => {
    await prometheus?.stop();
    expect(await exporter?.program.stop()).to.equal(0);
    await simulator?.close();
    scratch.remove();
  });

  for (const { file, text } of DASHBOARDS) {
    it(`returns data from a real Prometheus that scrapes the exporter: ${file}`, async function () {
      this.timeout(180_000);
      const { panels, templating }: Shipped = JSON.parse(text);
      const variables = templating.list;
      const queries = [
        ...variables.flatMap((variable) => {
          const expr = seriesOf(variable);
          return expr === undefined ? [] : [{ title: `variable ${variable.name}`, expr }];
        }),
        ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr }))),
      ];
      expect(queries.length).to.be.greaterThan(panels.length);
      for (const { title, expr } of queries) {
        const query = withoutZero(concrete(expr, variables));
        await eventually(`${title}: ${query}`, async () => (await prometheus.query(query))[0]);
      }
    });
  }

  it('tells only that no exporter answers once that is so, and no number that looks well', async function () {
    this.timeout(180_000);
    await exporter.program.stop();
    await prometheus.becomes('up', 0);
    for (const { text } of DASHBOARDS) {
      const { panels, templating }: Shipped = JSON.parse(text);
      for (const { title, targets } of panels.filter(({ type }) => type === 'stat')) {
        for (const { expr } of targets) {
          const values = (await prometheus.query(concrete(expr, templating.list))).map(({ value }) => value);
          expect(values, title).to.deep.equal(['Exporters', 'Instances'].includes(title) ? [0] : []);
        }
      }
    }
  });
});
