import { renameSync } from 'node:fs';
import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { shardOf } from '../../dist/collector/shard.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import { Scratch, eventually, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';

const FAILED = {
  BackupJobId: 7,
  BackupProgressStatus: 'Failed',
  BackupStatus: 'Failed',
  JobMode: 'Automated',
  Process: '40',
  TaskAction: 'NormalBackupTask',
};
const KEYS = 'credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}';
/** Fast enough to be waited for. */
const POLLING =
  'polling: {idle_interval: 300ms, active_interval: 300ms, timeout: 2s, max_attempts: 1, stale_after: 1m, rate_limit: {requests_per_second: 100, burst: 100}}';
/** An instance of each shard of two. */
const SHARDED = [0, 1].map((shard) =>
  Array.from({ length: 20 }, (_, n) => `rm-${n}`).find(
    (instanceId) => shardOf({ account: 'a', instanceId }, 2) === shard,
  ),
) as [string, string];

describe('an instance that moves', function () {
  this.timeout(60_000);
  let scratch: Scratch;
  let simulator: Simulator;
  let exporter: RunningExporter | undefined;
  let region: string;

  beforeEach(async () => {
    scratch = new Scratch();
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [{ name: 'owner', accessKeyId: 'test-key-id', accessKeySecret: 'test-key-secret' }],
      regions: ['cn-hangzhou'],
    });
    region = `regions: [{id: cn-hangzhou, endpoint: "${simulator.url}"}]`;
  });
  afterEach(async () => {
    await exporter?.program.stop('SIGKILL');
    exporter = undefined;
    await simulator.close();
    scratch.remove();
  });

  function write(text: string): string {
    renameSync(scratch.file('written.yaml', `${text}\n${POLLING}\n`), `${scratch.path}/config.yaml`);
    return `${scratch.path}/config.yaml`;
  }

  async function start(text: string): Promise<void> {
    await exporter?.program.stop();
    exporter = await startExporter([`--config.file=${write(text)}`, '--web.enable-lifecycle']);
  }

  async function reload(text: string): Promise<void> {
    write(text);
    expect((await fetch(`${exporter!.url}/-/reload`, { method: 'POST' })).status).to.equal(200);
  }

  function add(instanceId: string, tags: Readonly<Record<string, string>> = {}): void {
    simulator.fleet.addInstance({ account: 'owner', regionId: 'cn-hangzhou', instanceId, description: 'named', tags });
  }

  function becomes(what: string, holds: (text: string) => boolean): Promise<string> {
    return eventually(what, async () => {
      const text = await (await fetch(`${exporter!.url}/metrics`)).text();
      return holds(text) ? text : undefined;
    });
  }

  /** The counters of failed tasks, by account and instance. */
  const failures = (text: string): readonly string[] =>
    [...text.matchAll(/_completed_tasks_total\{account="(.*?)",.*instance_id="(.*?)",.*outcome="Failed"\} (\d+)\n/g)]
      .map(([, account, instanceId, count]) => `${account}/${instanceId} ${count}`)
      .toSorted();
  const shows =
    (...expected: readonly string[]) =>
    (text: string): boolean =>
      failures(text).join() === expected.toSorted().join();
  /** All that a page says of an instance. */
  const of = (text: string, account: string): readonly string[] =>
    text.split('\n').filter((line) => line.includes(`account="${account}"`) && line.includes('instance_id='));

  it('to an account of another name begins anew there, and goes on where it was when it comes back', async () => {
    add('rm-1');
    simulator.fleet.setTasks('owner', 'rm-1', { listed: [FAILED] });
    const account = (...names: readonly string[]): string =>
      `accounts:\n${names.map((name) => `  - name: ${name}\n    ${KEYS}\n    ${region}\n    instances: [{id: rm-1, region: cn-hangzhou}]\n`).join('')}state: {path: ${scratch.path}/state}`;
    await start(account('before'));
    await becomes('the failure', shows('before/rm-1 1'));
    simulator.fleet.setTasks('owner', 'rm-1', { listed: [] });
    await becomes('the task to leave', (text) => !/_backup_task_.*rm-1/.test(text));

    await reload(account('after'));
    const renamed = await becomes('the poll of the new account', (text) =>
      /poll_success\{account="after".*\} 1\n/.test(text),
    );
    expect(of(renamed, 'before')).to.deep.equal([]);
    expect(failures(renamed)).to.deep.equal([]);
    await reload(account('before'));
    await becomes('the old account', shows('before/rm-1 1'));
    await reload(account('after'));
    await becomes('the new account again', (text) => /poll_success\{account="after".*\} 1\n/.test(text));
    // Over a restart too, which finds a record that nobody watches.
    await start(account('after'));
    await becomes('the poll after the restart', (text) => /poll_success\{account="after".*\} 1\n/.test(text));
    await reload(account('before'));
    const back = await becomes('the old account', (text) => /poll_success\{account="before".*\} 1\n/.test(text));
    expect(of(back, 'after')).to.deep.equal([]);
    expect(failures(back)).to.deep.equal(['before/rm-1 1']);

    // The same id in two accounts: each has its own.
    simulator.fleet.setTasks('owner', 'rm-1', { listed: [{ ...FAILED, BackupJobId: 8 }] });
    await reload(account('after', 'before'));
    await becomes('the failure in both', shows('after/rm-1 1', 'before/rm-1 2'));
  });

  it('to another shard is shown by that one alone, and goes on where it was when it comes back', async () => {
    for (const instanceId of SHARDED) {
      add(instanceId);
      simulator.fleet.setTasks('owner', instanceId, { listed: [FAILED] });
    }
    const [own, moved] = SHARDED;
    const sharding = (count: number, index = 0): string =>
      `accounts:\n  - name: a\n    ${KEYS}\n    ${region}\n    discovery: {refresh_interval: 1s}\nsharding: {index: ${index}, count: ${count}}\nstate: {path: ${scratch.path}/state-${index}}`;
    const isWhole = shows(`a/${own} 1`, `a/${moved} 1`);
    await start(sharding(1));
    await becomes('both failures', isWhole);
    for (const instanceId of SHARDED) simulator.fleet.setTasks('owner', instanceId, { listed: [] });
    await start(sharding(2));
    const half = await becomes('the own instance', (text) =>
      new RegExp(`poll_success\\{.*"${own}"\\} 1\\n`).test(text),
    );
    expect(failures(half)).to.deep.equal([`a/${own} 1`]);
    expect(half).not.to.contain(`"${moved}"`);
    await start(sharding(2, 1));
    const other = await becomes('the other shard', (text) =>
      new RegExp(`poll_success\\{.*"${moved}"\\} 1\\n`).test(text),
    );
    expect(failures(other)).to.deep.equal([]);
    expect(other).not.to.contain(`"${own}"`);
    await start(sharding(1));
    await becomes('both again', isWhole);
  });

  it('out of the file stays as discovered, with the labels of its tags; one that is in neither vanishes', async () => {
    add('rm-1', { team: 'billing' });
    const targets = (instances: string): string =>
      `accounts:\n  - name: a\n    ${KEYS}\n    ${region}\n    instances: [${instances}]\n    discovery: {refresh_interval: 1s, tag_labels: [team]}\n    stuck_after: 2h`;
    const given = '{id: rm-1, region: cn-hangzhou, labels: {owner: dba}, stuck_after: 1h}';
    const info = (text: string): string | undefined =>
      /instance_info\{.*engine_version="[^"]*",?(.*)\} 1\n/.exec(text)?.[1];
    simulator.fleet.setTasks('owner', 'rm-1', { listed: [FAILED] });
    await start(targets(given));
    const whole = await becomes(
      'both sources',
      (text) => info(text)?.includes('tag_team') === true && shows('a/rm-1 1')(text),
    );
    expect(info(whole)).to.equal('owner="dba",tag_team="billing"');
    await reload(targets(''));
    const discovered = await becomes('the labels to go', (text) => info(text)?.includes('owner') === false);
    expect(info(discovered)).to.equal('tag_team="billing"');
    expect(failures(discovered)).to.deep.equal(['a/rm-1 1']);
    await reload(targets(given));
    simulator.fleet.removeInstance('owner', 'rm-1');
    const gone = await becomes('its poll to fail', (text) => /poll_success\{.*"rm-1"\} 0\n/.test(text));
    expect(failures(gone)).to.deep.equal(['a/rm-1 1']);
    await reload(targets(''));
    await becomes('it to vanish', (text) => !text.includes('"rm-1"'));
    expect(exporter!.program.stderr.match(/msg="target (added|gone).*instance_id=rm-1/g)).to.have.length(2);
  });
});
