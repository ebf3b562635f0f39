import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { StateStore } from '../../dist/state/store.js';
import { instanceKey } from '../../dist/domain/model.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import { Scratch, eventually, runExporter, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';

const PREFIX = 'alicloud_rds_backup_';
const INSTANCES = ['rm-stuck', 'rm-moving', 'rm-ending'];

function running(job: number, process: number): object {
  const status = { BackupProgressStatus: 'Uploading', BackupStatus: 'Uploading', JobMode: 'Automated' };
  return { ...status, BackupJobId: job, Process: String(process), TaskAction: 'NormalBackupTask' };
}

function ended(job: number, outcome: 'Finished' | 'Failed'): object {
  return {
    BackupJobId: job,
    BackupId: `${job}0`,
    BackupProgressStatus: 'Finished',
    BackupStatus: outcome,
    JobMode: 'Automated',
    Process: '100',
  };
}

/** Every sample of a page, by its name with labels. */
class Page {
  readonly samples = new Map<string, number>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const [, name, value] = /^([a-z].*) (\S+)$/.exec(line) ?? [];
      if (name !== undefined) this.samples.set(name.replace(PREFIX, ''), Number(value));
    }
  }

  of(family: string, instanceId: string): number | undefined {
    for (const [name, value] of this.samples) {
      if (name.startsWith(`${family}{`) && name.includes(`instance_id="${instanceId}"`)) return value;
    }
    return undefined;
  }

  counted(instanceId: string, outcome: string): number | undefined {
    return this.samples.get(
      `completed_tasks_total{account="a",region_id="cn-hangzhou",instance_id="${instanceId}",mode="Automated",outcome="${outcome}"}`,
    );
  }

  /** As the alert BackupStuck has it; undefined when a part of it is not shown. */
  isStuck(instanceId: string): boolean | undefined {
    const [poll, progress, limit] = [
      'instance_last_poll_success_timestamp_seconds',
      'task_last_progress_timestamp_seconds',
      'task_stuck_after_seconds',
    ].map((family) => this.of(family, instanceId));
    return poll === undefined || progress === undefined || limit === undefined ? undefined : poll - progress > limit;
  }

  families(instanceId: string): readonly string[] {
    return [...this.samples.keys()]
      .filter((name) => name.includes(`instance_id="${instanceId}"`))
      .map((name) => name.split('{')[0]!)
      .filter((family, index, all) => all.indexOf(family) === index);
  }
}

describe('a daemon with a state', function () {
  this.timeout(180_000);
  let scratch: Scratch;
  let simulator: Simulator;
  let config: string;
  const started: RunningExporter[] = [];
  let moves: NodeJS.Timeout | undefined;

  beforeEach(async () => {
    scratch = new Scratch();
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [{ name: 'a', accessKeyId: 'test-key-id', accessKeySecret: 'test-key-secret' }],
      regions: ['cn-hangzhou'],
    });
    for (const [index, instanceId] of INSTANCES.entries()) {
      simulator.fleet.addInstance({ account: 'a', regionId: 'cn-hangzhou', instanceId });
      simulator.fleet.setTasks('a', instanceId, { listed: [running(index + 1, 10)] });
    }
    const instances = INSTANCES.map((id) => `{id: ${id}, region: cn-hangzhou}`);
    config = scratch.file(
      'config.yaml',
      `accounts:
  - name: a
    credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}
    regions: [{id: cn-hangzhou, endpoint: "${simulator.url}"}]
    instances: [${instances.join(', ')}]
polling: {idle_interval: 300ms, active_interval: 300ms, timeout: 3s, max_attempts: 1, stuck_after: 2s, rate_limit: {requests_per_second: 500, burst: 500}}
state: {path: state}
`,
    );
  });

  afterEach(async () => {
    clearInterval(moves);
    for (const { program } of started.splice(0)) await program.stop('SIGKILL');
    await simulator.close();
    scratch.remove();
  });

  async function start(): Promise<RunningExporter> {
    const exporter = await startExporter([`--config.file=${config}`]);
    started.push(exporter);
    return exporter;
  }

  async function page({ url }: RunningExporter): Promise<Page> {
    return new Page(await (await fetch(`${url}/metrics`)).text());
  }

  /** The first page on which something holds. */
  function pageOn(exporter: RunningExporter, what: string, holds: (page: Page) => boolean): Promise<Page> {
    return eventually(what, async () => {
      const seen = await page(exporter);
      return holds(seen) ? seen : undefined;
    });
  }

  it('killed in the middle of running backups goes on where it was', async () => {
    const first = await start();
    moves = setInterval(
      () => simulator.fleet.setTasks('a', 'rm-moving', { listed: [running(2, 10 + (Date.now() % 80))] }),
      200,
    );
    const before = await pageOn(first, 'the stuck backup', (seen) => seen.isStuck('rm-stuck') === true);
    expect(before.isStuck('rm-moving')).to.equal(false);
    expect(before.counted('rm-ending', 'Failed')).to.equal(0);
    await first.program.stop('SIGKILL');

    simulator.fleet.setTasks('a', 'rm-ending', { listed: [], ended: [ended(3, 'Failed')] });
    const lift = simulator.faults.inject({ effect: { kind: 'hang' } });
    const second = await start();
    const dark = await page(second);
    expect(dark.families('rm-ending')).to.deep.equal(['instance_info', 'completed_tasks_total']);
    expect(dark.isStuck('rm-stuck')).to.equal(undefined);

    lift();
    const stuck = await pageOn(second, 'the first poll', (seen) => seen.isStuck('rm-stuck') !== undefined);
    expect(stuck.isStuck('rm-stuck')).to.equal(true);
    const after = await pageOn(
      second,
      'the outcome',
      (seen) => seen.counted('rm-ending', 'Failed') === 1 && seen.isStuck('rm-moving') !== undefined,
    );
    for (const family of [
      'instance_first_seen_timestamp_seconds',
      'task_first_seen_timestamp_seconds',
      'task_last_progress_timestamp_seconds',
      'task_running_since_timestamp_seconds',
    ]) {
      expect(after.of(family, 'rm-stuck'), family).to.equal(before.of(family, 'rm-stuck'));
    }
    expect(after.isStuck('rm-moving')).to.equal(false);
    expect(after.of('task_running_since_timestamp_seconds', 'rm-moving')).to.equal(
      before.of('task_running_since_timestamp_seconds', 'rm-moving'),
    );
    expect(after.counted('rm-ending', 'Finished')).to.equal(0);
  });

  /** What is on disk of an instance. */
  async function recordOf(instanceId: string): Promise<string | undefined> {
    const quiet = (): void => undefined;
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
    const store = await StateStore.open({ path: `${scratch.path}/state`, clock: systemClock(), log });
    const records = await store.readAll();
    await store.close();
    return records.get(instanceKey({ account: 'a', regionId: 'cn-hangzhou', instanceId }));
  }

  it('killed as soon as a task or its outcome shows has both on disk, and counts each job once', async () => {
    for (const [counted, job] of [10, 11, 12].entries()) {
      simulator.fleet.setTasks('a', 'rm-ending', { listed: [running(job, 50)] });
      const first = await start();
      await pageOn(first, 'the task', (seen) =>
        [...seen.samples.keys()].some((name) => name.includes(`backup_job_id="${job}"`)),
      );
      await first.program.stop('SIGKILL');
      expect(await recordOf('rm-ending')).to.contain(`"backupJobId":"${job}"`);

      simulator.fleet.setTasks('a', 'rm-ending', { listed: [], ended: [ended(job, 'Finished')] });
      const second = await start();
      expect((await page(second)).counted('rm-ending', 'Finished')).to.equal(counted);
      await pageOn(second, 'the outcome', (seen) => (seen.counted('rm-ending', 'Finished') ?? 0) > counted);
      await second.program.stop('SIGKILL');
      expect(await recordOf('rm-ending')).to.contain(`{"Finished":${counted + 1},"Failed":0,"Unknown":0}`);
    }
    expect((await page(await start())).counted('rm-ending', 'Finished')).to.equal(3);
  });

  it('keeps a second daemon from its state and says who holds it', async () => {
    const { program } = await start();
    const { code, stderr } = await runExporter([`--config.file=${config}`, '--web.listen-address=127.0.0.1:0']);
    expect(code).to.equal(1);
    expect(stderr).to.contain(`state: ${scratch.path}/state is held by process ${program.child.pid} on `);
  });

  it('has written everything when it was asked to stop', async () => {
    const first = await start();
    const before = await pageOn(
      first,
      'the first poll',
      (seen) => seen.of('task_first_seen_timestamp_seconds', 'rm-stuck') !== undefined,
    );
    expect(await first.program.stop()).to.equal(0);
    const second = await start();
    const after = await pageOn(
      second,
      'the first poll',
      (seen) => seen.of('task_first_seen_timestamp_seconds', 'rm-stuck') !== undefined,
    );
    expect(after.of('task_first_seen_timestamp_seconds', 'rm-stuck')).to.equal(
      before.of('task_first_seen_timestamp_seconds', 'rm-stuck'),
    );
  });
});
