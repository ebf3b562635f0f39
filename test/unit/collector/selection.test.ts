import { expect } from 'chai';
import { isSameInstance, select, targetsOf } from '../../../dist/collector/selection.js';
import type { TargetSources } from '../../../dist/collector/selection.js';
import { shardOf } from '../../../dist/collector/shard.js';
import { instanceOf } from '../../helpers/build.js';

const orders = {
  instanceId: 'rm-1',
  name: 'orders',
  engine: 'MySQL',
  engineVersion: '8.0',
  instanceType: 'Primary',
  status: 'Running',
};

function sources(over: Partial<TargetSources> = {}): TargetSources {
  return {
    accountRegion: { account: 'production', regionId: 'cn-hangzhou' },
    statics: [],
    selected: [],
    listed: [],
    tags: new Map(),
    tagLabels: [
      { tag: 'team', label: 'tag_team' },
      { tag: 'env', label: 'tag_env' },
    ],
    stuckAfterMs: 1_800_000,
    ...over,
  };
}

describe('the instances to poll, of those that are listed', () => {
  const everything = { engines: [], include: undefined, exclude: undefined };

  it('are those of the four engines that have backup tasks', () => {
    const of = (engine: string): typeof orders => ({ ...orders, engine });
    const listed = ['MySQL', 'PostgreSQL', 'SQLServer', 'MariaDB', 'Redis'].map(of);
    const { selected, skipped: leftOut } = select(listed, everything);
    expect(selected.map(({ engine }) => engine)).to.deep.equal(['MySQL', 'PostgreSQL', 'SQLServer', 'MariaDB']);
    expect(leftOut).to.deep.equal([
      { instanceId: 'rm-1', name: 'orders', reason: 'the engine "Redis" has no backup tasks' },
    ]);
  });

  it('are none of a type that has no backup tasks of its own', () => {
    const types = ['Primary', 'Readonly', 'Guard', 'Temp'];
    const { selected, skipped: leftOut } = select(
      types.map((instanceType) => ({ ...orders, instanceType })),
      everything,
    );
    expect(selected.map(({ instanceType }) => instanceType)).to.deep.equal(['Primary']);
    expect(leftOut.map(({ reason }) => reason)).to.deep.equal(
      types.slice(1).map((type) => `an instance of type ${type} has no backup tasks of its own`),
    );
  });
});

describe('the targets of an account and region', () => {
  it('hold a discovered one that the configuration does not name, with its tags and the threshold of all', () => {
    const tags = new Map([['rm-1', { env: 'prod' }]]);
    expect(targetsOf(sources({ selected: [orders], listed: [orders], tags, stuckAfterMs: 5 }))).to.deep.equal([
      instanceOf('rm-1', { name: 'orders', labels: { tag_env: 'prod' }, stuckAfterMs: 5 }),
    ]);
  });

  it('are the discovered and the static, each once, static labels and thresholds on top', () => {
    const statics = [
      { id: 'rm-1', labels: { owner: 'dba' }, stuckAfterMs: 60_000 },
      { id: 'rm-2', labels: {}, stuckAfterMs: 1_800_000 },
    ];
    const tags = new Map([['rm-1', { team: 'billing', other: 'x' }]]);
    expect(targetsOf(sources({ statics, selected: [orders], listed: [orders], tags }))).to.deep.equal([
      instanceOf('rm-1', { name: 'orders', labels: { tag_team: 'billing', owner: 'dba' }, stuckAfterMs: 60_000 }),
      instanceOf('rm-2', { engine: '', engineVersion: '' }),
    ]);
  });

  it('have labels of their own tags alone, whatever a tag is called', () => {
    const names = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf'];
    const tagLabels = names.map((tag) => ({ tag, label: `tag_${tag}` }));
    const labelsWith = (...own: [string, string][]): object | undefined => {
      const tags = new Map([['rm-1', Object.fromEntries(own)]]);
      return targetsOf(sources({ selected: [orders], tags, tagLabels }))[0]?.labels;
    };
    expect(labelsWith(['team', 'billing'])).to.deep.equal({});
    const all = names.map((name): [string, string] => [name, `of ${name}`]);
    expect(labelsWith(...all)).to.deep.equal(Object.fromEntries(all.map(([name, value]) => [`tag_${name}`, value])));
  });

  it('hold a static one that the filters exclude, with its name', () => {
    const statics = [{ id: 'rm-1', labels: {}, stuckAfterMs: 1_800_000 }];
    expect(targetsOf(sources({ statics, listed: [orders] }))).to.deep.equal([instanceOf('rm-1', { name: 'orders' })]);
  });

  it('are told apart by everything that is shown of them', () => {
    const one = instanceOf('rm-1');
    expect(isSameInstance(one, instanceOf('rm-1'))).to.equal(true);
    for (const over of [
      { name: 'x' },
      { engineVersion: '5.7' },
      { engine: 'MariaDB' },
      { labels: { a: 'b' } },
      { stuckAfterMs: 1 },
    ]) {
      expect(isSameInstance(one, instanceOf('rm-1', over))).to.equal(false);
    }
  });
});

describe('shards', () => {
  const fleet = Array.from({ length: 4_000 }, (_, n) => ({ account: `a${n % 3}`, instanceId: `rm-${n}` }));

  for (const count of [1, 2, 3, 7, 12]) {
    it(`hold each instance once, in about equal parts: ${count}`, () => {
      const sizes = Array.from({ length: count }, () => 0);
      for (const instance of fleet) sizes[shardOf(instance, count)]! += 1;
      for (const size of sizes) expect(size).to.be.within((fleet.length / count) * 0.8, (fleet.length / count) * 1.2);
    });
  }

  for (const count of [1, 2, 5, 9]) {
    it(`move only the instances that a new shard takes: ${count} and one more`, () => {
      const moved = fleet.filter((instance) => shardOf(instance, count) !== shardOf(instance, count + 1));
      expect(moved.every((instance) => shardOf(instance, count + 1) === count)).to.equal(true);
      expect(moved.length).to.be.within((fleet.length / (count + 1)) * 0.8, (fleet.length / (count + 1)) * 1.2);
    });
  }

  it('tell two accounts with the same instance id apart', () => {
    const shards = new Set(Array.from({ length: 20 }, (_, n) => shardOf({ account: `a${n}`, instanceId: 'rm-1' }, 8)));
    expect(shards.size).to.be.greaterThan(1);
  });
});
