import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  instancesParameters,
  readInstances,
  readTags,
  tagsParameters,
} from '../../../dist/rds/describe-db-instances.js';

const LISTED = {
  DBInstanceId: 'pgm-2zexample01',
  DBInstanceDescription: '订单-primary',
  Engine: 'PostgreSQL',
  EngineVersion: '16.0',
  DBInstanceType: 'Primary',
  DBInstanceStatus: 'Running',
};

describe('the parameters of DescribeDBInstances', () => {
  it('ask for a hundred by token', () => {
    expect(
      instancesParameters('cn-beijing', {
        nextToken: 'abc',
        engine: 'MySQL',
        resourceGroupId: 'rg-1',
        tags: { env: 'prod' },
      }),
    ).to.deep.equal({
      RegionId: 'cn-beijing',
      Engine: 'MySQL',
      ResourceGroupId: 'rg-1',
      Tags: '{"env":"prod"}',
      MaxResults: '100',
      NextToken: 'abc',
    });
  });

  it('ask for a hundred by page number, and then for no token', () => {
    const parameters = instancesParameters('cn-beijing', { pageNumber: 3, tags: {} });
    expect(parameters).to.include({ PageNumber: '3', PageSize: '100', Tags: undefined });
    expect(parameters).not.to.have.any.keys('MaxResults', 'NextToken');
  });
});

describe('a page of DescribeDBInstances', () => {
  it('gives what the exporter needs of each instance', () => {
    const page = readInstances({
      PageNumber: 1,
      TotalRecordCount: 1,
      NextToken: 'next',
      Items: { DBInstance: [LISTED] },
    });
    expect(page).to.deep.equal({
      instances: [
        {
          instanceId: 'pgm-2zexample01',
          name: '订单-primary',
          engine: 'PostgreSQL',
          engineVersion: '16.0',
          instanceType: 'Primary',
          status: 'Running',
        },
      ],
      nextToken: 'next',
      totalRecordCount: 1,
    });
  });

  it('is the last one when its token is empty or absent', () => {
    for (const token of ['', null, undefined]) {
      expect(readInstances({ NextToken: token, Items: {} })).to.deep.equal({
        instances: [],
        nextToken: undefined,
        totalRecordCount: undefined,
      });
    }
  });

  it('has empty texts for what is absent, and its count may be digits', () => {
    const page = readInstances({ TotalRecordCount: '2', Items: { DBInstance: { DBInstanceId: 'rm-1' } } });
    expect(page).to.deep.equal({
      instances: [{ instanceId: 'rm-1', name: '', engine: '', engineVersion: '', instanceType: '', status: '' }],
      nextToken: undefined,
      totalRecordCount: 2,
    });
  });

  it('is refused when an entry has no id, so that no instance is dropped by a broken answer', () => {
    for (const entry of [{}, null, 'rm-1', { DBInstanceId: '' }]) {
      expect(readInstances({ Items: { DBInstance: [LISTED, entry] } })).to.equal(undefined);
    }
    expect(readInstances({ Items: 'none' })).to.equal(undefined);
  });
});

describe('half of a surrogate pair', () => {
  const half = (code: string): unknown => JSON.parse(`"rm-\\u${code}"`);

  it('makes no two instances of one series, nor a name or tag that cannot be written', () => {
    const [one, other] = [half('d800'), half('dc00')];
    const page = readInstances({
      Items: { DBInstance: [{ DBInstanceId: one, DBInstanceDescription: other }, { DBInstanceId: other }] },
    });
    expect(page?.instances.map(({ instanceId, name }) => [instanceId, name])).to.deep.equal([
      ['rm-\ufffd', 'rm-\ufffd'],
      ['rm-\ufffd', ''],
    ]);
    const tags = readTags({
      Items: { DBInstanceTag: [{ DBInstanceId: one, Tags: { Tag: [{ TagKey: other, TagValue: one }] } }] },
    });
    expect(tags?.tags).to.deep.equal([{ instanceId: 'rm-\ufffd', tags: { 'rm-\ufffd': 'rm-\ufffd' } }]);
  });
});

describe('a page of instances or tags', () => {
  it('never makes the reader throw, whatever it holds', () => {
    const list = fc.oneof(
      fc.jsonValue(),
      fc.array(fc.oneof(fc.jsonValue(), fc.record({ DBInstanceId: fc.jsonValue() }))),
    );
    fc.assert(
      fc.property(list, (entries) => {
        const instances = readInstances({
          Items: { DBInstance: entries },
          NextToken: entries,
          TotalRecordCount: entries,
        });
        expect(instances?.instances.every(({ instanceId }) => instanceId !== '') ?? true).to.equal(true);
        readTags({ Items: { DBInstanceTag: entries } });
        readTags({ Items: { DBInstanceTag: [{ DBInstanceId: 'rm-1', Tags: { Tag: entries } }] } });
      }),
    );
  });
});

describe('a page of DescribeDBInstanceByTags', () => {
  it('is asked for by number', () => {
    expect(tagsParameters('cn-beijing', 2)).to.deep.equal({ RegionId: 'cn-beijing', PageNumber: '2', PageSize: '100' });
  });

  it('gives the tags of each instance', () => {
    const page = readTags({
      TotalRecordCount: 2,
      Items: {
        DBInstanceTag: [
          {
            DBInstanceId: 'rm-1',
            Tags: {
              Tag: [
                { TagKey: 'team', TagValue: 'billing' },
                { TagKey: '__proto__', TagValue: 'x' },
              ],
            },
          },
          { DBInstanceId: 'rm-2' },
        ],
      },
    });
    expect(page!.totalRecordCount).to.equal(2);
    expect(page!.tags.map(({ instanceId, tags }) => [instanceId, Object.entries(tags)])).to.deep.equal([
      [
        'rm-1',
        [
          ['team', 'billing'],
          ['__proto__', 'x'],
        ],
      ],
      ['rm-2', []],
    ]);
  });

  it('leaves out what cannot be read, and is refused when there is no list', () => {
    const entries = [null, { Tags: {} }, { DBInstanceId: 'rm-1', Tags: { Tag: [5, {}, { TagKey: 'a' }] } }];
    expect(readTags({ Items: { DBInstanceTag: entries } })!.tags).to.deep.equal([
      { instanceId: 'rm-1', tags: { a: '' } },
    ]);
    expect(readTags({ Items: 7 })).to.equal(undefined);
  });
});
