import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { refusal } from '../../dist/simulator/refusal.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import { Scratch, eventually, runExporter, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';

const REGIONS = ['cn-hangzhou', 'cn-beijing', 'eu-central-1'];
const ACCOUNTS = ['production', 'staging'];
const WITHOUT_TASKS = new Set(['Readonly', 'Guard', 'Temp']);

/** The samples of one family: its labels, as one text, to its value. */
function family(text: string, name: string): ReadonlyMap<string, number> {
  const pattern = new RegExp(`^alicloud_rds_backup_${name}\\{(.*)\\} (\\S+)$`, 'gm');
  return new Map([...text.matchAll(pattern)].map(([, labels = '', value]) => [labels, Number(value)]));
}

function place(account: string, regionId: string): string {
  return `account="${account}",region_id="${regionId}"`;
}

describe('a fleet of 1,250 instances in three regions of two accounts', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  let simulator: Simulator;
  let exporter: RunningExporter;

  function configure(more = ''): string {
    const accounts = ACCOUNTS.map(
      (name) => `  - name: ${name}
    credentials: {type: access_key, access_key_id: ${name}-key-id, access_key_secret: ${name}-key-secret}
    regions: [${REGIONS.map((id) => `{id: ${id}, endpoint: "${simulator.endpoints[id]}"}`).join(', ')}]
    discovery: {refresh_interval: 1s, tag_labels: [env, team]}`,
    );
    return scratch.file(
      'config.yaml',
      `accounts:\n${accounts.join('\n')}
polling: {idle_interval: 2s, active_interval: 1s, timeout: 5s, max_attempts: 4, stale_after: 1m, concurrency: 32, rate_limit: {requests_per_second: 1000, burst: 1000}}
${more}`,
    );
  }

  async function metrics(): Promise<string> {
    return (await fetch(`${exporter.url}/metrics`)).text();
  }

  function becomes(what: string, holds: (text: string) => boolean): Promise<string> {
    return eventually(what, async () => {
      const text = await metrics();
      return holds(text) ? text : undefined;
    });
  }

  /** Keys of all that the simulator holds, or of what has backup tasks. */
  function held(withTasks: boolean): readonly string[] {
    return simulator.fleet
      .instances()
      .filter(({ instanceType }) => WITHOUT_TASKS.has(instanceType) !== withTasks)
      .map(({ account, regionId, instanceId }) => `${place(account, regionId)},instance_id="${instanceId}"`)
      .toSorted();
  }

  function shown(text: string): readonly string[] {
    return [...family(text, 'instance_info').keys()].map((labels) => labels.split(',name=')[0]!).toSorted();
  }

  before(async () => {
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: ACCOUNTS.map((name) => ({
        name,
        accessKeyId: `${name}-key-id`,
        accessKeySecret: `${name}-key-secret`,
      })),
      regions: REGIONS,
      instances: 1_250,
    });
    for (const account of ACCOUNTS)
      simulator.fleet.addInstance({ account, regionId: 'cn-hangzhou', instanceId: 'rm-same', description: account });
    exporter = await startExporter([`--config.file=${configure()}`]);
  });

  after(async () => {
    await exporter?.program.stop('SIGKILL');
    await simulator.close();
    scratch.remove();
  });

  it('is found whole, but for what has no backup tasks: that is counted, and listed with the reason', async () => {
    const text = await becomes('all targets', (seen) => family(seen, 'instance_info').size === held(true).length);
    expect(shown(text)).to.deep.equal(held(true));
    const unsupported = [...family(text, 'exporter_targets_unsupported').values()].reduce(
      (sum, value) => sum + value,
      0,
    );
    expect(unsupported).to.equal(held(false).length).and.be.greaterThan(50);
    const status = (await (await fetch(`${exporter.url}/api/v1/status?limit=1`)).json()) as {
      skipped: { total: number; instances: { reason: string }[] };
    };
    expect(status.skipped.total).to.equal(held(false).length);
    expect(status.skipped.instances[0]?.reason).to.match(/^an instance of type \w+ has no backup tasks of its own$/);
    expect(text).to.match(/instance_info\{.*tag_env="prod",tag_team="/);
    expect([...family(text, 'instance_info').keys()].filter((labels) => labels.includes('"rm-same"'))).to.have.length(
      2,
    );
  });

  it('is followed: a new instance is polled, a deleted one vanishes, a renamed one changes its info alone', async () => {
    const where = place('production', 'eu-central-1');
    simulator.fleet.addInstance({
      account: 'production',
      regionId: 'eu-central-1',
      instanceId: 'rm-new',
      description: 'first',
    });
    const poll = `${where},instance_id="rm-new"`;
    const before = await becomes('the new instance', (text) => family(text, 'instance_poll_success').get(poll) === 1);
    const firstSeen = family(before, 'instance_first_seen_timestamp_seconds').get(poll);
    simulator.fleet.changeInstance('production', 'rm-new', { description: '第二个 "名字"', engineVersion: '8.4' });
    const after = await becomes('its new name', (text) =>
      text.includes(String.raw`name="第二个 \"名字\"",engine="MySQL",engine_version="8.4"`),
    );
    expect(family(after, 'instance_first_seen_timestamp_seconds').get(poll)).to.equal(firstSeen);
    expect(shown(after).filter((key) => key === poll)).to.have.length(1);
    simulator.fleet.removeInstance('production', 'rm-new');
    await becomes('its series to vanish', (text) => !text.includes('"rm-new"'));
  });

  it('stays as it was while a page in the middle fails, and survives a broken token and throttled pages', async () => {
    const where = place('staging', 'cn-beijing');
    const success = (text: string): number | undefined => family(text, 'exporter_discovery_success').get(where);
    const only = { account: 'staging', regionId: 'cn-beijing', action: 'DescribeDBInstances' };
    const count = family(await metrics(), 'instance_info').size;
    const lift = simulator.faults.inject({
      ...only,
      page: 2,
      effect: { kind: 'refuse', refusal: refusal('NoPermission') },
    });
    const failing = await becomes('discovery to fail', (text) => success(text) === 0);
    expect(family(failing, 'instance_info').size).to.equal(count);
    lift();
    await becomes('discovery to work again', (text) => success(text) === 1);
    const answers = simulator.stats.answers;
    const broken = answers.get('Invalid.NextToken') ?? 0;
    simulator.faults.inject({
      ...only,
      page: 2,
      times: 1,
      effect: { kind: 'refuse', refusal: refusal('Invalid.NextToken') },
    });
    simulator.faults.inject({
      ...only,
      page: 1,
      times: 2,
      effect: { kind: 'refuse', refusal: refusal('Throttling.User') },
    });
    await eventually('both faults', () =>
      (answers.get('Invalid.NextToken') ?? 0) > broken && (answers.get('Throttling.User') ?? 0) >= 2 ? true : undefined,
    );
    const seen = simulator.stats.count({ ...only });
    await eventually('another refresh', () => (simulator.stats.count(only) > seen + 3 ? true : undefined));
    const text = await metrics();
    expect([success(text), family(text, 'instance_info').size]).to.deep.equal([1, count]);
  });

  it('goes on in every other place while one region is dark and one account has lost its key', async () => {
    await simulator.disconnect('eu-central-1');
    simulator.removeKey('staging-key-id');
    const text = await becomes('the cool-downs', (seen) => {
      const cooling = family(seen, 'exporter_api_cooldown');
      return [
        `${place('production', 'eu-central-1')},action="DescribeBackupTasks"`,
        `${place('staging', 'cn-hangzhou')},action="DescribeBackupTasks"`,
        `${place('staging', 'cn-beijing')},action="DescribeBackupTasks"`,
      ].every((labels) => cooling.get(labels) === 1);
    });
    const cooling = family(text, 'exporter_api_cooldown');
    for (const regionId of ['cn-hangzhou', 'cn-beijing']) {
      expect(cooling.get(`${place('production', regionId)},action="DescribeBackupTasks"`)).to.equal(0);
    }
    const before = simulator.stats.count({
      account: 'production',
      regionId: 'cn-beijing',
      action: 'DescribeBackupTasks',
    });
    await eventually('more polls', () =>
      simulator.stats.count({ account: 'production', regionId: 'cn-beijing', action: 'DescribeBackupTasks' }) >
      before + 400
        ? true
        : undefined,
    );
    expect(shown(await metrics()).length).to.equal(held(true).length);
    await simulator.reconnect('eu-central-1');
    simulator.addKey({ account: 'staging', accessKeyId: 'staging-key-id', accessKeySecret: 'staging-key-secret' });
  });

  it('tells a cool-down in one line, and its end in another', () => {
    const { stderr } = exporter.program;
    const told = (what: string): number =>
      stderr
        .split('\n')
        .filter(
          (line) =>
            line.includes(`msg="cool-down ${what}`) &&
            line.includes('account=production region_id=eu-central-1 action=DescribeBackupTasks'),
        ).length;
    expect([told('entered'), told('left')]).to.be.deep.oneOf([
      [1, 0],
      [1, 1],
    ]);
  });

  it('is divided over shards: each instance in one of them, the limit by their number', async () => {
    const parts: string[] = [];
    for (const index of [0, 1, 2, 3]) {
      const { code, stdout } = await runExporter([
        '--once',
        `--config.file=${configure(`sharding: {index: ${index}, count: 4}`)}`,
      ]);
      expect(code).to.equal(0);
      parts.push(...shown(stdout));
      expect(
        [...family(stdout, 'exporter_api_rate_limit_configured_requests_per_second').values()].every(
          (rate) => rate === 250,
        ),
      ).to.equal(true);
    }
    expect(parts.toSorted()).to.deep.equal(held(true));
  });
});
