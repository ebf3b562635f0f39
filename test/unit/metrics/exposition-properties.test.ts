import { expect } from 'chai';
import * as fc from 'fast-check';
import type { TrackedTask } from '../../../dist/domain/instance-state.js';
import type { BackupTask } from '../../../dist/domain/model.js';
import { MODES, PROGRESS_STATUSES, TASK_STATUSES } from '../../../dist/domain/model.js';
import { cases } from '../../helpers/cases.js';
import { aFleet, aPlace, aState, expose, NOW, tracked } from './fleet.js';
import { parseText } from './parse.js';

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('\\', '"', '\n', '\r', '{', '}', ',', '=', '#', ' ', '订', '🚀', '\u0000', '\u2028'),
  }),
);

const aTaskOfAnyKind: fc.Arbitrary<TrackedTask> = fc
  .record<Partial<BackupTask>>({
    backupJobId: fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String),
    mode: fc.constantFrom(...MODES),
    backupStatus: fc.constantFrom(undefined, ...TASK_STATUSES),
    progressStatus: fc.constantFrom(undefined, ...PROGRESS_STATUSES),
    processPercent: fc.option(fc.integer({ min: -10, max: 200 }), { nil: undefined }),
  })
  .map((task) => tracked(task));

describe('any exposition', () => {
  it('brings every label text back unchanged, in both formats', async () => {
    const property = fc.asyncProperty(
      fc.record({ account: anyText, regionId: anyText, instanceId: anyText, name: anyText, engineVersion: anyText }),
      anyText,
      anyText,
      fc.constantFrom('text' as const, 'openmetrics' as const),
      async (instance, label, taskAction, format) => {
        const state = aState({ tasks: [tracked({ taskAction })] }, { ...instance, labels: { tag_any: label } });
        const series = parseText(await expose({ states: [state], places: [aPlace(instance)], format }));
        const common = { account: instance.account, region_id: instance.regionId, instance_id: instance.instanceId };
        const labelsOf = (name: string) => series.find((one) => one.name === name)?.labels;
        expect(labelsOf('alicloud_rds_backup_instance_info')).to.deep.equal({
          ...common,
          name: instance.name,
          engine: 'MySQL',
          engine_version: instance.engineVersion,
          tag_any: label,
        });
        expect(labelsOf('alicloud_rds_backup_task_info')).to.deep.equal({
          ...common,
          mode: 'Automated',
          backup_job_id: '1001',
          task_action: taskAction,
        });
        for (const { name, labels } of series) {
          if (!name.includes('_exporter_')) expect(labels, name).to.include(common);
        }
      },
    );
    await fc.assert(property, { numRuns: cases(100) });
  });

  it('adds up to the states: of each state set one is 1, of each listed task there is one info', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.uniqueArray(aTaskOfAnyKind, { maxLength: 5, selector: ({ task }) => task.backupJobId }), {
        maxLength: 20,
      }),
      async (lists) => {
        const states = lists.map((tasks, index) => aState({ tasks }, { instanceId: `rm-${index}` }));
        const series = parseText(await expose({ states }));
        const sum = (name: string): number =>
          series
            .filter((one) => one.name === `alicloud_rds_backup_${name}`)
            .reduce((total, { value }) => total + value, 0);
        const all = lists.flat();
        const modesShown = lists.reduce((total, tasks) => total + new Set(tasks.map(({ task }) => task.mode)).size, 0);
        expect(sum('instance_info')).to.equal(lists.length);
        expect(sum('instance_poll_success')).to.equal(lists.length);
        expect(sum('task_info')).to.equal(all.length);
        expect(sum('task_status')).to.equal(modesShown);
        expect(sum('tasks')).to.equal(all.filter(isOpen).length);
      },
    );
    await fc.assert(property, { numRuns: cases(100) });
  });

  it('has no series twice and every family in one piece', async () => {
    const text = await expose({ states: aFleet(50) });
    const series = parseText(text).map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);
    expect(new Set(series).size).to.equal(series.length);
    const names = parseText(text).map(({ name }) => name);
    const pieces = names.filter((name, index) => name !== names[index - 1]);
    expect(new Set(pieces).size).to.equal(pieces.length);
  });

  it('tells 2,000 instances as it tells one, whatever falls on the edge of a chunk', async () => {
    const states = aFleet(2_000);
    const series = parseText(await expose({ states }));
    const values = new Map(
      series.map(({ name, labels, value }) => [`${name} ${Object.values(labels).join(' ')}`, value]),
    );
    expect(values.size).to.equal(series.length);
    expect(series.length).to.equal(2_000 * (4 + 2 + 6 + 2 + 2) + 200 * (8 + 7 + 6));
    for (const { instance, lastGoodPollAt, outcomes } of states) {
      const id = `production cn-hangzhou ${instance.instanceId}`;
      const valueOf = (name: string, labels = ''): number | undefined =>
        values.get(`alicloud_rds_backup_${name} ${id}${labels}`);
      if (valueOf('instance_last_poll_success_timestamp_seconds') !== lastGoodPollAt! / 1000) expect.fail(id);
      if (valueOf('completed_tasks_total', ' Manual Finished') !== outcomes.Manual?.counts.Finished) expect.fail(id);
      if (valueOf('last_completion_timestamp_seconds', ' Automated Finished') === undefined) expect.fail(id);
    }
  }).timeout(20_000);

  it('shows tasks until the very moment at which they are stale', async () => {
    const shown = async (ageMs: number): Promise<boolean> => {
      const state = aState({ lastGoodPollAt: NOW - ageMs, tasks: [tracked()] });
      const text = await expose({ states: [state], places: [aPlace({ staleAfterMs: 900_000 })] });
      expect(text.includes('alicloud_rds_backup_task_info')).to.equal(text.includes('alicloud_rds_backup_tasks'));
      return text.includes('alicloud_rds_backup_tasks');
    };
    expect([await shown(899_999), await shown(900_000), await shown(900_001)]).to.deep.equal([true, false, false]);
  });
});

function isOpen({ task: { backupStatus, progressStatus } }: TrackedTask): boolean {
  return !['Finished', 'Failed'].includes(backupStatus ?? progressStatus ?? 'Other');
}
