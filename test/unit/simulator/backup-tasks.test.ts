import { expect } from 'chai';
import type { Simulator } from '../../../dist/simulator/server.js';
import { startSimulator } from '../../../dist/simulator/server.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import type { Told } from './client.js';
import { ask } from './client.js';

const NOW = '2026-01-15T08:30:00Z';
const running = {
  BackupJobId: 11,
  BackupStatus: 'Uploading',
  BackupProgressStatus: 'Uploading',
  JobMode: 'Automated',
  Process: '62',
};
const queued = { BackupJobId: '12', BackupProgressStatus: 'NoStart', JobMode: 'Manual', Process: '0' };
const finished = { ...running, BackupJobId: '10', BackupStatus: 'Finished', Process: '100', BackupId: '510' };

describe('DescribeBackupTasks of the simulator', () => {
  let simulator: Simulator;

  beforeEach(async () => {
    simulator = await startSimulator({
      clock: new FakeClock(Date.parse(NOW)),
      accounts: [
        { name: 'main', accessKeyId: 'key', accessKeySecret: 'secret' },
        { name: 'other', accessKeyId: 'key2', accessKeySecret: 'secret' },
      ],
      regions: ['cn-hangzhou', 'eu-central-1'],
    });
    simulator.fleet.addInstance({ account: 'main', regionId: 'cn-hangzhou', instanceId: 'rm-1' });
    simulator.fleet.setTasks('main', 'rm-1', { listed: [running, queued], ended: [finished] });
  });
  afterEach(() => simulator.close());

  const tasks = (parameters: Record<string, string>, changed: object = {}): Promise<Told> =>
    ask({
      url: simulator.url,
      action: 'DescribeBackupTasks',
      parameters: { DBInstanceId: 'rm-1', ...parameters },
      date: NOW,
      ...changed,
    });
  const jobs = async (parameters: Record<string, string>): Promise<unknown> =>
    (await tasks(parameters)).json.Items?.BackupJob;

  it('lists what was scripted, as it was given', async () => {
    expect(await jobs({})).to.deep.equal([running, queued]);
  });

  it('filters by state and by mode', async () => {
    expect(await jobs({ BackupJobStatus: 'Progressing' })).to.deep.equal([running]);
    expect(await jobs({ BackupJobStatus: 'NoStart' })).to.deep.equal([queued]);
    expect(await jobs({ BackupMode: 'Manual' })).to.deep.equal([queued]);
    expect(await jobs({ BackupMode: 'Manual', BackupJobStatus: 'Progressing' })).to.deep.equal([]);
  });

  it('finds a task by its id, listed or ended, and none for an unknown id', async () => {
    expect(await jobs({ BackupJobId: '11' })).to.deep.equal([running]);
    expect(await jobs({ BackupJobId: '10' })).to.deep.equal([finished]);
    expect(await jobs({ BackupJobId: '13' })).to.deep.equal([]);
  });

  it('ignores parameters that it does not know', async () => {
    expect(await jobs({ RegionId: 'cn-hangzhou', Nonsense: '1' })).to.deep.equal([running, queued]);
  });

  it('gives the instance back to its own timeline', async () => {
    simulator.fleet.clearTasks('main', 'rm-1');
    expect(await jobs({})).to.deep.equal([]);
  });

  const refusals: [string, Record<string, string>, number, string][] = [
    ['a call without an instance', { DBInstanceId: '' }, 400, 'MissingDBInstanceId'],
    ['an instance that does not exist', { DBInstanceId: 'rm-2' }, 404, 'InvalidDBInstanceName.NotFound'],
    ['a job id that is no number', { BackupJobId: '1x' }, 400, 'InvalidParameters.Format'],
    ['a job id beyond 32 bits', { BackupJobId: '2147483648' }, 400, 'InvalidParameters.Format'],
    ['a state that is no filter', { BackupJobStatus: 'Finished' }, 400, 'InvalidParameters.Format'],
    ['a mode that does not exist', { BackupMode: 'manual' }, 400, 'InvalidParameters.Format'],
  ];
  for (const [name, parameters, status, code] of refusals) {
    it(`refuses ${name}`, async () => {
      const told = await tasks(parameters);
      expect([told.status, told.json.Code]).to.deep.equal([status, code]);
    });
  }

  it('knows an instance in its own region and account alone', async () => {
    const elsewhere = await tasks({}, { url: simulator.endpoints['eu-central-1'] });
    const another = await tasks({}, { accessKeyId: 'key2' });
    for (const { json } of [elsewhere, another]) expect(json.Code).to.equal('InvalidDBInstanceName.NotFound');
    simulator.fleet.addInstance({ account: 'other', regionId: 'cn-hangzhou', instanceId: 'rm-1' });
    expect((await tasks({}, { accessKeyId: 'key2' })).json.Items).to.deep.equal({ BackupJob: [] });
    expect(await jobs({})).to.have.length(2);
  });

  it('refuses types and engines that have no backup tasks', async () => {
    const place = { account: 'main', regionId: 'cn-hangzhou' };
    simulator.fleet.addInstance({ ...place, instanceId: 'rr-1', instanceType: 'Readonly' });
    simulator.fleet.addInstance({ ...place, instanceId: 'rm-g', instanceType: 'Guard' });
    simulator.fleet.addInstance({ ...place, instanceId: 'ppas-1', engine: 'PPAS' });
    const answers = await Promise.all(['rr-1', 'rm-g', 'ppas-1'].map((DBInstanceId) => tasks({ DBInstanceId })));
    expect(answers.map(({ status, json }) => [status, json.Code])).to.deep.equal([
      [400, 'ReadDBInstanceNotSupport'],
      [403, 'IncorrectDBInstanceType'],
      [400, 'IncorrectDBInstanceEngine'],
    ]);
  });

  it('follows a removal and a rename at once', async () => {
    simulator.fleet.changeInstance('main', 'rm-1', { description: 'new', engineVersion: '8.4' });
    expect(await jobs({})).to.have.length(2);
    simulator.fleet.removeInstance('main', 'rm-1');
    expect((await tasks({})).status).to.equal(404);
    expect(() => simulator.fleet.removeInstance('main', 'rm-1')).to.throw('account main has no instance rm-1');
  });
});
