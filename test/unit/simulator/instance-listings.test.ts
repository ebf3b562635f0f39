import { expect } from 'chai';
import type { Simulator } from '../../../dist/simulator/server.js';
import { startSimulator } from '../../../dist/simulator/server.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import type { Body, Told } from './client.js';
import { ask } from './client.js';

const NOW = '2026-01-15T08:30:00Z';
const REGION = 'cn-hangzhou';

describe('the listings of the simulator', () => {
  let simulator: Simulator;

  beforeEach(async () => {
    simulator = await startSimulator({
      clock: new FakeClock(Date.parse(NOW)),
      accounts: [{ name: 'main', accessKeyId: 'key', accessKeySecret: 'secret' }],
      regions: [REGION, 'eu-central-1'],
    });
  });
  afterEach(() => simulator.close());

  const add = (instanceId: string, given: object = {}): unknown =>
    simulator.fleet.addInstance({ account: 'main', regionId: REGION, instanceId, ...given });
  const addMany = (count: number): void => {
    for (let nth = 1; nth <= count; nth++) add(`rm-${nth}`);
  };
  const call = (action: string, parameters: Record<string, string>): Promise<Told> =>
    ask({ url: simulator.url, action, parameters: { RegionId: REGION, ...parameters }, date: NOW });
  const list = async (parameters: Record<string, string> = {}): Promise<Body> =>
    (await call('DescribeDBInstances', parameters)).json;
  const byTags = async (parameters: Record<string, string> = {}): Promise<Body> =>
    (await call('DescribeDBInstanceByTags', parameters)).json;

  it('describe an instance, without its tags', async () => {
    add('pgm-1', { description: '报表 "a"', engine: 'PostgreSQL', engineVersion: '16.0', tags: { env: 'prod' } });
    add('rm-2', { description: '', status: 'Creating', instanceType: 'Temp', resourceGroupId: 'rg-2' });
    const [first, second] = (await list()).Items?.DBInstance ?? [];
    expect(first).to.deep.equal({
      DBInstanceId: 'pgm-1',
      DBInstanceDescription: '报表 "a"',
      Engine: 'PostgreSQL',
      EngineVersion: '16.0',
      RegionId: REGION,
      ZoneId: 'cn-hangzhou-h',
      DBInstanceType: 'Primary',
      DBInstanceStatus: 'Running',
      DBInstanceNetType: 'Intranet',
      InstanceNetworkType: 'VPC',
      LockMode: 'Unlock',
      PayType: 'Postpaid',
      CreateTime: '2025-03-02T07:11:45Z',
      ResourceGroupId: 'rg-acfmdefault',
      ReadOnlyDBInstanceIds: { ReadOnlyDBInstanceId: [] },
      DeletionProtection: true,
    });
    expect(second).to.include({ DBInstanceStatus: 'Creating', DBInstanceType: 'Temp', ResourceGroupId: 'rg-2' });
    expect(second).not.to.have.property('DBInstanceDescription');
  });

  it('page by token, counting each page alone', async () => {
    addMany(5);
    const first = await list({ MaxResults: '2' });
    expect(countersOf(first)).to.deep.equal([1, 2, 2]);
    const second = await list({ MaxResults: '2', NextToken: first.NextToken! });
    expect(countersOf(second)).to.deep.equal([1, 2, 2]);
    const third = await list({ MaxResults: '2', NextToken: second.NextToken! });
    expect(countersOf(third)).to.deep.equal([1, 1, 1]);
    expect(third).not.to.have.property('NextToken');
    expect([first, second, third].flatMap(idsOf)).to.deep.equal(['rm-1', 'rm-2', 'rm-3', 'rm-4', 'rm-5']);
  });

  it('end a full last page without a token', async () => {
    addMany(4);
    const { NextToken } = await list({ MaxResults: '2' });
    expect(await list({ MaxResults: '2', NextToken: NextToken! })).not.to.have.property('NextToken');
  });

  it('lose and repeat nothing by token while instances come and go', async () => {
    addMany(4);
    const first = await list({ MaxResults: '2' });
    simulator.fleet.removeInstance('main', 'rm-1');
    add('rm-5');
    const second = await list({ MaxResults: '2', NextToken: first.NextToken! });
    expect(idsOf(second)).to.deep.equal(['rm-3', 'rm-4']);
    expect(idsOf(await list({ MaxResults: '2', NextToken: second.NextToken! }))).to.deep.equal(['rm-5']);
  });

  it('page by number, counting the whole', async () => {
    addMany(35);
    const pages = [await list(), await list({ PageNumber: '2' }), await list({ PageNumber: '3' })];
    expect(pages.map(countersOf)).to.deep.equal([
      [1, 30, 35],
      [2, 5, 35],
      [3, 0, 35],
    ]);
    expect(pages[0]!.NextToken).to.equal('');
    expect(idsOf(await list({ PageNumber: '2', PageSize: '2' }))).to.deep.equal(['rm-3', 'rm-4']);
  });

  it('know nothing of tokens when told so', async () => {
    addMany(35);
    simulator.settings.tokenPaging = false;
    expect(countersOf(await list({ MaxResults: '100' }))).to.deep.equal([1, 30, 35]);
  });

  it('filter by engine, resource group and all of the tags', async () => {
    add('rm-1', { tags: { env: 'prod', team: '数据' }, resourceGroupId: 'rg-1' });
    add('rm-2', { tags: { env: 'prod' }, engine: 'MariaDB' });
    add('rm-3', { tags: { env: 'dev', code: 'x' } });
    expect(idsOf(await list({ Engine: 'MariaDB' }))).to.deep.equal(['rm-2']);
    expect(idsOf(await list({ ResourceGroupId: 'rg-1' }))).to.deep.equal(['rm-1']);
    expect(idsOf(await list({ Tags: '{"env":"prod"}' }))).to.deep.equal(['rm-1', 'rm-2']);
    expect(idsOf(await list({ Tags: '{"env":"prod","team":"数据"}', MaxResults: '1' }))).to.deep.equal(['rm-1']);
    expect(idsOf(await list({ Tags: '{"code":"x"}' }))).to.deep.equal(['rm-3']);
    expect(idsOf(await list({ Engine: 'MySQL', Tags: '{"env":"prod"}' }))).to.deep.equal(['rm-1']);
  });

  it('tell the tags of every instance that has some', async () => {
    add('rm-1', { tags: { env: 'prod', 团队: '数据' } });
    add('rm-2');
    add('rm-3', { tags: { env: 'dev' } });
    const all = await byTags({ PageSize: '1' });
    expect(countersOf(all)).to.deep.equal([1, 1, 2]);
    expect(all.Items?.DBInstanceTag).to.deep.equal([
      {
        DBInstanceId: 'rm-1',
        Tags: {
          Tag: [
            { TagKey: 'env', TagValue: 'prod' },
            { TagKey: '团队', TagValue: '数据' },
          ],
        },
      },
    ]);
    expect((await byTags({ PageSize: '1', PageNumber: '2' })).Items?.DBInstanceTag?.[0]?.DBInstanceId).to.equal('rm-3');
    expect((await byTags({ DBInstanceId: 'rm-3' })).TotalRecordCount).to.equal(1);
  });

  const refusals: [string, string, Record<string, string>, string][] = [
    ['no region', 'DescribeDBInstances', { RegionId: '' }, 'MissingRegionId'],
    ['another region', 'DescribeDBInstances', { RegionId: 'eu-central-1' }, 'InvalidRegionId.NotFound'],
    ['another region for tags', 'DescribeDBInstanceByTags', { RegionId: 'eu-central-1' }, 'InvalidRegionId.NotFound'],
    ['a token of its own making', 'DescribeDBInstances', { NextToken: 'abc' }, 'Invalid.NextToken'],
    ['101 results', 'DescribeDBInstances', { MaxResults: '101' }, 'InvalidParameters.Format'],
    ['a page of none', 'DescribeDBInstances', { PageSize: '0' }, 'InvalidParameters.Format'],
    ['page 0', 'DescribeDBInstanceByTags', { PageNumber: '0' }, 'InvalidParameters.Format'],
    ['tags that are no JSON', 'DescribeDBInstances', { Tags: 'env=prod' }, 'InvalidParameters.Format'],
    ['tags that are a list', 'DescribeDBInstances', { Tags: '["env"]' }, 'InvalidParameters.Format'],
    ['six tags', 'DescribeDBInstances', { Tags: '{"a":"","b":"","c":"","d":"","e":"","f":""}' }, 'NumberExceed.Tags'],
  ];
  for (const [name, action, parameters, code] of refusals) {
    it(`refuse ${name}`, async () => {
      expect((await call(action, parameters)).json.Code).to.equal(code);
    });
  }
});

function countersOf({ PageNumber, PageRecordCount, TotalRecordCount }: Body): unknown[] {
  return [PageNumber, PageRecordCount, TotalRecordCount];
}

function idsOf({ Items }: Body): unknown[] {
  return (Items?.DBInstance ?? []).map(({ DBInstanceId }) => DBInstanceId);
}
