import { closeSync, openSync } from 'node:fs';
import { expect } from 'chai';
import type { ExporterMetrics } from '../../../dist/metrics/exporter-metrics.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { expose, NOW, selfMetrics } from './fleet.js';
import { parseText } from './parse.js';

const HANGZHOU = { account: 'production', regionId: 'cn-hangzhou' };
const FRANKFURT = { account: 'production', regionId: 'eu-central-1' };

/** The values of one family, by the values of its labels. */
async function values(self: ExporterMetrics, name: string): Promise<Record<string, number>> {
  const series = parseText(await expose({ states: [], places: [], self }));
  const ours = series.filter((one) => one.name === `alicloud_rds_backup_exporter_${name}`);
  return Object.fromEntries(ours.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
}

describe('what the exporter counts of itself', () => {
  it('has a request counter at 0 for every action of a place, and no failure before there is one', async () => {
    const self = selfMetrics();
    for (const action of ['DescribeBackupTasks', 'DescribeDBInstances'] as const) self.requests.open(HANGZHOU, action);
    expect(await values(self, 'api_requests_total')).to.deep.equal({
      'production cn-hangzhou DescribeBackupTasks': 0,
      'production cn-hangzhou DescribeDBInstances': 0,
    });
    expect(await values(self, 'api_request_failures_total')).to.deep.equal({});
    expect(await values(self, 'api_request_duration_seconds_count')).to.deep.equal({});
  });

  it('counts each attempt, and each failed one by its code as well', async () => {
    const self = selfMetrics();
    const counter = self.requests.open(HANGZHOU, 'DescribeBackupTasks');
    for (const code of [undefined, 'Throttling.User', 'Throttling.User', 'HTTP502']) counter.ended(50, code);
    expect(await values(self, 'api_requests_total')).to.deep.equal({ 'production cn-hangzhou DescribeBackupTasks': 4 });
    expect(await values(self, 'api_request_failures_total')).to.deep.equal({
      'production cn-hangzhou DescribeBackupTasks Throttling.User': 2,
      'production cn-hangzhou DescribeBackupTasks HTTP502': 1,
    });
  });

  it('tells how long attempts took, those of all accounts and regions together: a bound belongs to its bucket', async () => {
    const self = selfMetrics();
    const inHangzhou = self.requests.open(HANGZHOU, 'DescribeBackupTasks');
    const inFrankfurt = self.requests.open(FRANKFURT, 'DescribeBackupTasks');
    for (const ms of [25, 25.5, 1_000]) inHangzhou.ended(ms, undefined);
    for (const ms of [10_001, 400]) inFrankfurt.ended(ms, 'Timeout');
    expect(await values(self, 'api_request_duration_seconds_bucket')).to.deep.equal({
      'DescribeBackupTasks 0.025': 1,
      'DescribeBackupTasks 0.05': 2,
      'DescribeBackupTasks 0.1': 2,
      'DescribeBackupTasks 0.25': 2,
      'DescribeBackupTasks 0.5': 3,
      'DescribeBackupTasks 1.0': 4,
      'DescribeBackupTasks 2.5': 4,
      'DescribeBackupTasks 5.0': 4,
      'DescribeBackupTasks 10.0': 4,
      'DescribeBackupTasks +Inf': 5,
    });
    expect(await values(self, 'api_request_duration_seconds_count')).to.deep.equal({ DescribeBackupTasks: 5 });
    expect((await values(self, 'api_request_duration_seconds_sum'))['DescribeBackupTasks']).to.be.closeTo(
      11.4515,
      1e-9,
    );
  });

  it('goes on counting when a place is opened again, as a reload does', async () => {
    const self = selfMetrics();
    self.requests.open(HANGZHOU, 'DescribeBackupTasks').ended(50, undefined);
    self.requests.open(HANGZHOU, 'DescribeBackupTasks').ended(50, undefined);
    expect(await values(self, 'api_requests_total')).to.deep.equal({ 'production cn-hangzhou DescribeBackupTasks': 2 });
  });

  it('forgets a place that is removed, with what ends there later', async () => {
    const self = selfMetrics();
    const [inHangzhou, inFrankfurt] = [HANGZHOU, FRANKFURT].map((place) =>
      self.requests.open(place, 'DescribeBackupTasks'),
    );
    inHangzhou!.ended(50, 'Timeout');
    inFrankfurt!.ended(50, 'Timeout');
    self.requests.remove(HANGZHOU);
    inHangzhou!.ended(50, 'Timeout');
    expect(await values(self, 'api_requests_total')).to.deep.equal({
      'production eu-central-1 DescribeBackupTasks': 1,
    });
    expect(await values(self, 'api_request_failures_total')).to.deep.equal({
      'production eu-central-1 DescribeBackupTasks Timeout': 1,
    });
  });

  it('tells at most 50 codes apart, and counts the rest as Other', async () => {
    const self = selfMetrics();
    const counter = self.requests.open(HANGZHOU, 'DescribeBackupTasks');
    for (const round of [1, 2]) {
      for (let code = 0; code < 60; code++) counter.ended(round, `Code${code}`);
    }
    const failures = await values(self, 'api_request_failures_total');
    expect(Object.keys(failures)).to.have.lengthOf(51);
    expect(failures['production cn-hangzhou DescribeBackupTasks Code49']).to.equal(2);
    expect(failures['production cn-hangzhou DescribeBackupTasks Other']).to.equal(20);
  });

  it('has a counter of unexpected values at 0 for every field', async () => {
    const self = selfMetrics();
    self.unexpectedValue('Process');
    self.unexpectedValue('Process');
    expect(await values(self, 'unexpected_values_total')).to.deep.equal({
      BackupJobId: 0,
      BackupStatus: 0,
      BackupProgressStatus: 0,
      JobMode: 0,
      Process: 2,
      TaskAction: 0,
    });
  });

  it('keeps the time of the last good reload when a later one is refused', async () => {
    const clock = new FakeClock(NOW);
    const self = selfMetrics({ clock });
    await clock.advance(60_000);
    self.configReloaded(true);
    await clock.advance(60_000);
    self.configReloaded(false);
    expect(await values(self, 'config_last_reload_successful')).to.deep.equal({ '': 0 });
    expect(await values(self, 'config_last_reload_success_timestamp_seconds')).to.deep.equal({
      '': NOW / 1000 + 60,
    });
  });

  it('speaks of saving only where state is kept', async () => {
    const without = selfMetrics({ state: false });
    without.stateSaved(false);
    expect(await values(without, 'state_last_save_successful')).to.deep.equal({});
    const self = selfMetrics({ state: true });
    expect(await values(self, 'state_last_save_successful')).to.deep.equal({ '': 1 });
    self.stateSaved(false);
    expect(await values(self, 'state_last_save_successful')).to.deep.equal({ '': 0 });
  });

  it('keeps _total on its counters however often the format changes', async () => {
    const self = selfMetrics();
    const text = await expose({ states: [], self });
    const openMetrics = await expose({ states: [], self, format: 'openmetrics' });
    expect(await expose({ states: [], self })).to.equal(text);
    expect(text).to.contain('# TYPE alicloud_rds_backup_exporter_unexpected_values_total counter\n');
    expect(openMetrics).to.contain('# TYPE alicloud_rds_backup_exporter_unexpected_values counter\n');
    expect(openMetrics).to.contain('\nalicloud_rds_backup_exporter_unexpected_values_total{field="Process"} 0\n');
  });

  it('tells of process and runtime only when asked to', async () => {
    const names = async (processFamilies: boolean): Promise<readonly string[]> => {
      const text = await expose({ states: [], self: selfMetrics({ processFamilies }) });
      return [...text.matchAll(/^# TYPE ((?:process|nodejs)_\w+)/gm)].map((match) => match[1]!);
    };
    expect(await names(false)).to.deep.equal([]);
    expect(await names(true)).to.include.members([
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
      'nodejs_heap_size_used_bytes',
      'nodejs_version_info',
      'nodejs_eventloop_lag_max_seconds',
    ]);
  });

  it('tells the CPU time of the whole process', async () => {
    const before = process.cpuUsage();
    const clock = new FakeClock(NOW);
    const self = selfMetrics({ processFamilies: true, clock });
    const of = async (name: string): Promise<number> =>
      parseText(await expose({ states: [], self })).find((one) => one.name === name)!.value;
    await of('process_cpu_seconds_total');
    await clock.advance(1_000);
    const told = await of('process_cpu_seconds_total');
    const after = process.cpuUsage();
    expect(told).to.be.within((before.user + before.system) / 1e6, (after.user + after.system) / 1e6);
  });

  it('asks the operating system about the process at most once a second', async () => {
    const clock = new FakeClock(NOW);
    const self = selfMetrics({ processFamilies: true, clock });
    const openFiles = async (): Promise<number | undefined> =>
      parseText(await expose({ states: [], self })).find((one) => one.name === 'process_open_fds')?.value;
    const told = [await openFiles()];
    const file = openSync('/dev/null', 'r');
    try {
      await clock.advance(999);
      told.push(await openFiles());
      await clock.advance(1);
      told.push(await openFiles());
    } finally {
      closeSync(file);
    }
    const [first] = told as [number];
    expect(told).to.deep.equal([first, first, first + 1]);
    await clock.advance(1_000);
    expect(clock.pendingTimers).to.equal(0);
  });
});
