import { expect } from 'chai';
import { ACCOUNT, SICK, WELL, finishedTask, idOf, runningTask } from './cloud.js';
import { at, isAt, of } from './region.js';
import { TIMEOUT_MS, startWorld } from './world.js';
import type { World } from './world.js';

const MINUTE = 60_000;

describe('a thousand tasks in one answer', function () {
  this.timeout(TIMEOUT_MS);
  const JOBS = Array.from({ length: 1_000 }, (_, index) => 1_000 + index);
  let world: World;

  before(async () => {
    world = await startWorld();
  });

  after(() => world.close());

  it('are all shown, are each counted once where they end, and hold up no other instance', async () => {
    const { cloud, exporter } = world;
    const { fleet } = cloud.simulator;
    const busy = of(SICK, 'calm');
    const automated = { ...busy, mode: 'Automated' };
    await exporter.pass(MINUTE);
    fleet.setTasks(ACCOUNT, idOf(SICK, 'calm'), { listed: JOBS.map((job) => runningTask(job, 10)) });
    const page = await exporter.passUntil('the tasks', (seen) => seen.value('tasks', automated) === 1_000, {
      withinMs: 6 * MINUTE,
    });
    expect(page.all('task_info', busy)).to.have.lengthOf(1_000);
    expect(page.value('task_progress_ratio', busy)).to.equal(0.1);

    // Each is looked up by its id, four of them in a poll, and a poll comes every 30 s.
    const [gone, left] = [JOBS.slice(0, 60), JOBS.slice(60)];
    fleet.setTasks(ACCOUNT, idOf(SICK, 'calm'), {
      listed: left.map((job) => runningTask(job, 10)),
      ended: gone.map(finishedTask),
    });
    let counted: number | undefined = 0;
    for (let percent = 50; percent < 60; percent++) {
      cloud.progress(SICK, percent);
      await exporter.pass(MINUTE);
      const seen = await exporter.page();
      expect(isAt(seen, SICK, percent) && isAt(seen, WELL, 40)).to.equal(true);
      expect(seen.value('exporter_poll_lag_seconds', at(SICK))).to.be.below(30);
      counted = seen.value('completed_tasks_total', { ...automated, outcome: 'Finished' });
    }
    expect(counted).to.equal(gone.length);
    const after = await exporter.page();
    expect(after.value('completed_tasks_total', { ...automated, outcome: 'Unknown' })).to.equal(0);
    expect(after.value('tasks', automated)).to.equal(left.length);
  });
});

describe('a percentage that no backup can have', function () {
  this.timeout(TIMEOUT_MS);
  const LOW = -99_999_999_999_990;
  let world: World;

  before(async () => {
    world = await startWorld({ prepare: (cloud) => cloud.progress(SICK, LOW) });
  });

  after(() => world.close());

  it('is shown within bounds, and takes neither the page nor the API with it', async () => {
    const { cloud, exporter } = world;
    for (const [given, shown, ratio] of [
      [LOW, -1_000, 0],
      [LOW + 20, -1_000, 0],
      [-LOW, 1_000, 1],
    ] as const) {
      cloud.progress(SICK, given);
      await exporter.pass(MINUTE);
      expect(await exporter.get('/')).to.contain(idOf(SICK, 'running'));
      expect(await exporter.get('/api/v1/status')).to.contain(`"process":${shown},`);
      const page = await exporter.page();
      expect(isAt(page, SICK, 100 * ratio) && isAt(page, WELL, 40)).to.equal(true);
      expect(page.value('exporter_internal_errors_total')).to.equal(0);
    }
  });
});

describe('instance ids that nobody would choose', function () {
  this.timeout(TIMEOUT_MS);
  const IDS = [
    'rm with spaces',
    'rm"quoted"',
    "rm'quoted'",
    'rm\\n',
    'rm\nline\nbreaks',
    'rm\r\u2028\u0000control',
    'rm😀',
    '实例',
    'rm{a="b"} 1',
    '<script>alert(1)</script>',
    '../../metrics?a=b&c=d#e',
    'rm%20',
    `rm-${'x'.repeat(1_000)}`,
  ];
  let world: World;

  before(async () => {
    world = await startWorld({
      prepare({ simulator: { fleet } }) {
        for (const [index, instanceId] of IDS.entries()) {
          fleet.addInstance({ account: ACCOUNT, regionId: SICK, instanceId, description: instanceId });
          fleet.setTasks(ACCOUNT, instanceId, { listed: [runningTask(index + 1, index + 1)] });
        }
      },
    });
  });

  after(() => world.close());

  it('are polled and shown as they are, in every place', async () => {
    const { exporter } = world;
    await exporter.pass(MINUTE);
    const page = await exporter.page();
    expect(isAt(page, WELL, 40)).to.equal(true);
    for (const [index, instance_id] of IDS.entries()) {
      expect(page.value('instance_poll_success', { instance_id }), instance_id).to.equal(1);
      expect(page.value('instance_info', { instance_id, name: instance_id }), instance_id).to.equal(1);
      expect(page.value('task_progress_ratio', { instance_id }), instance_id).to.equal((index + 1) / 100);
      expect(page.value('task_info', { instance_id, backup_job_id: String(index + 1) }), instance_id).to.equal(1);
    }
    for (const line of exporter.log) expect(line).to.match(/^time=[^\p{Cc}]*\n$/u);
    const status = JSON.parse(await exporter.get('/api/v1/status?limit=100')) as {
      instances: readonly { instance_id: string }[];
    };
    expect(status.instances.map(({ instance_id }) => instance_id)).to.include.members(IDS);
    expect(await exporter.get('/')).not.to.contain('<script>alert');
  });
});
