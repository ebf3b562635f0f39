import { expect } from 'chai';
import type { ApiError, ApiResult } from '../../../dist/domain/model.js';
import { Discovery } from '../../../dist/collector/discovery.js';
import type { Discovered } from '../../../dist/collector/discovery.js';
import type { InstancesPage, InstancesRequest, ListedInstance, TagsPage } from '../../../dist/domain/requests.js';
import { errorOf } from '../../helpers/build.js';
import { FakeClock } from '../../helpers/fake-clock.js';

const call = <T>(attempt: () => Promise<ApiResult<T>>): Promise<ApiResult<T>> => attempt();

function listed(instanceId: string, over: Partial<ListedInstance> = {}): ListedInstance {
  return {
    instanceId,
    name: '',
    engine: 'MySQL',
    engineVersion: '8.0',
    instanceType: 'Primary',
    status: 'Running',
    ...over,
  };
}

const many = (count: number): ListedInstance[] => Array.from({ length: count }, (_, n) => listed(`rm-${n}`));

/** Discovery against pages that a test lays out. */
class Rig {
  readonly clock = new FakeClock(0);
  readonly asked: InstancesRequest[] = [];
  readonly discovered: (readonly string[])[] = [];
  readonly failures: ApiError[] = [];
  readonly stop = new AbortController();
  readonly discovery: Discovery;
  last: Discovered | undefined;
  page: (request: InstancesRequest) => ApiError | InstancesPage = () => ({
    instances: [],
    nextToken: undefined,
    totalRecordCount: 0,
  });
  tags: (pageNumber: number) => ApiError | TagsPage = () => ({ tags: [], totalRecordCount: 0 });

  constructor({
    wantsTags = false,
    engines = [] as string[],
    include = undefined as RegExp | undefined,
    exclude = undefined as RegExp | undefined,
  } = {}) {
    this.discovery = new Discovery({
      source: {
        describeDBInstances: (request) => {
          this.asked.push(request);
          return Promise.resolve(resultOf(this.page(request)));
        },
        describeDBInstanceByTags: ({ pageNumber }) => Promise.resolve(resultOf(this.tags(pageNumber))),
      },
      callInstances: call,
      callTags: wantsTags ? call : undefined,
      filter: { tags: { env: 'prod' }, resourceGroupId: undefined },
      rules: { engines, include, exclude },
      refreshIntervalMs: 600_000,
      phase: 0.5,
      clock: this.clock,
      random: () => 0.5,
      signal: this.stop.signal,
      onDiscovered: (discovered) => {
        this.last = discovered;
        this.discovered.push(discovered.selected.map(({ instanceId }) => instanceId));
      },
      onFailure: (error) => this.failures.push(error),
    });
  }

  /** All instances in pages of two, by token. */
  pages(instances: readonly ListedInstance[]): void {
    this.page = ({ nextToken }) => {
      const from = Number(nextToken ?? 0);
      const isLast = from + 2 >= instances.length;
      const page = instances.slice(from, from + 2);
      return { instances: page, nextToken: isLast ? undefined : `${from + 2}`, totalRecordCount: page.length };
    };
  }
}

const TAGS = (pageNumber: number): TagsPage => ({
  tags: [{ instanceId: `rm-${pageNumber - 1}`, tags: { team: `t${pageNumber}` } }],
  totalRecordCount: 2,
});

function resultOf<T extends object>(answer: ApiError | T): ApiResult<T> {
  return 'kind' in answer ? { ok: false, error: answer } : { ok: true, value: answer };
}

describe('discovery', () => {
  it('reads every page by token, and passes its filters on', async () => {
    const rig = new Rig();
    rig.pages(many(5));
    expect(await rig.discovery.refresh()).to.equal(undefined);
    expect(rig.discovered).to.deep.equal([['rm-0', 'rm-1', 'rm-2', 'rm-3', 'rm-4']]);
    expect(rig.asked.map(({ nextToken, tags }) => [nextToken, tags])).to.deep.equal([
      [undefined, { env: 'prod' }],
      ['2', { env: 'prod' }],
      ['4', { env: 'prod' }],
    ]);
    expect([rig.discovery.success, rig.discovery.lastSuccessAt]).to.deep.equal([true, 0]);
  });

  it('keeps the last complete list when a page in the middle fails', async () => {
    const rig = new Rig();
    rig.pages(many(24));
    await rig.discovery.refresh();
    const whole = rig.page;
    rig.page = (request) => (request.nextToken === '12' ? errorOf('server') : whole(request));
    expect(await rig.discovery.refresh()).to.equal('server');
    expect(rig.discovered).to.have.length(1);
    expect([rig.discovery.success, rig.discovery.problem?.kind, rig.failures.length]).to.deep.equal([
      false,
      'server',
      1,
    ]);
  });

  it('restarts the listing once when its token broke, not for ever', async () => {
    const rig = new Rig();
    rig.pages(many(6));
    const whole = rig.page;
    let breaks = 1;
    rig.page = (request) => (request.nextToken === '4' && breaks-- > 0 ? errorOf('next_token') : whole(request));
    expect(await rig.discovery.refresh()).to.equal(undefined);
    expect(rig.asked.map(({ nextToken }) => nextToken)).to.deep.equal([undefined, '2', '4', undefined, '2', '4']);
    breaks = 9;
    expect(await rig.discovery.refresh()).to.equal('next_token');
    expect(rig.asked).to.have.length(12);
  });

  it('pages by number when the API ignores MaxResults', async () => {
    const rig = new Rig();
    const all = many(250);
    rig.page = ({ pageNumber }) => {
      const size = pageNumber === undefined ? 30 : 100;
      const from = ((pageNumber ?? 1) - 1) * size;
      return { instances: all.slice(from, from + size), nextToken: undefined, totalRecordCount: 250 };
    };
    await rig.discovery.refresh();
    expect(rig.discovered[0]).to.have.length(250);
    expect(rig.asked.map(({ pageNumber }) => pageNumber)).to.deep.equal([undefined, 1, 2, 3]);
  });

  it('gives up on a listing that never ends', async () => {
    const rig = new Rig();
    rig.page = () => ({ instances: many(1), nextToken: 'same', totalRecordCount: 1 });
    expect(await rig.discovery.refresh()).to.equal('bad_response');
    expect(rig.asked).to.have.length(2);
  });

  it('selects by engine, include and exclude, and leaves out what has no backup tasks with the reason', async () => {
    const rig = new Rig({ engines: ['MySQL', 'PostgreSQL'], include: /^(rm|pgm)-/, exclude: /staging/ });
    rig.pages([
      listed('rm-1'),
      listed('pgm-2', { engine: 'PostgreSQL' }),
      listed('rm-3', { name: 'orders-staging' }),
      listed('rm-4', { engine: 'SQLServer' }),
      listed('rr-5'),
      listed('rm-6', { instanceType: 'Readonly', name: 'replica' }),
      listed('rm-7', { instanceType: 'Guard' }),
    ]);
    await rig.discovery.refresh();
    expect(rig.discovered).to.deep.equal([['rm-1', 'pgm-2']]);
    expect(rig.last?.skipped).to.deep.equal([
      { instanceId: 'rm-6', name: 'replica', reason: 'an instance of type Readonly has no backup tasks of its own' },
      { instanceId: 'rm-7', name: '', reason: 'an instance of type Guard has no backup tasks of its own' },
    ]);
  });

  it('asks the API for one engine alone, and sorts several out itself', async () => {
    const [one, two] = [new Rig({ engines: ['MariaDB'] }), new Rig({ engines: ['MariaDB', 'MySQL'] })];
    await one.discovery.refresh();
    await two.discovery.refresh();
    expect([one.asked[0]?.engine, two.asked[0]?.engine]).to.deep.equal(['MariaDB', undefined]);
  });

  it('reads every page of tags', async () => {
    const rig = new Rig({ wantsTags: true });
    rig.pages(many(2));
    rig.tags = TAGS;
    await rig.discovery.refresh();
    expect([...(rig.last?.tags ?? [])]).to.deep.equal([
      ['rm-0', { team: 't1' }],
      ['rm-1', { team: 't2' }],
    ]);
  });

  it('watches the instances without tags while tags alone are denied, and with them once that ends', async () => {
    const rig = new Rig({ wantsTags: true });
    rig.pages(many(2));
    rig.tags = (pageNumber) => (pageNumber === 2 ? errorOf('denied') : TAGS(pageNumber));
    expect(await rig.discovery.refresh()).to.equal('denied');
    expect([rig.discovered, rig.last?.tags.size, rig.last?.tagsError?.kind]).to.deep.equal([
      [['rm-0', 'rm-1']],
      0,
      'denied',
    ]);
    expect([rig.discovery.success, rig.discovery.lastSuccessAt, rig.failures]).to.deep.equal([true, 0, []]);
    expect(rig.asked.map(({ tags }) => tags)).to.deep.equal([{ env: 'prod' }]);
    rig.tags = TAGS;
    expect(await rig.discovery.refresh()).to.equal(undefined);
    expect([rig.last?.tags.size, rig.last?.tagsError]).to.deep.equal([2, undefined]);
    rig.tags = () => errorOf('denied');
    await rig.discovery.refresh();
    expect([rig.last?.selected.length, rig.last?.tags.size]).to.deep.equal([2, 0]);
  });

  for (const kind of ['throttled', 'timeout', 'server', 'request', 'bad_response'] as const) {
    it(`follows the listing and keeps the tags it knows when those end with ${kind}`, async () => {
      const rig = new Rig({ wantsTags: true });
      rig.pages(many(2));
      rig.tags = TAGS;
      await rig.discovery.refresh();
      rig.pages(many(3));
      rig.tags = () => errorOf(kind);
      expect(await rig.discovery.refresh()).to.equal(kind);
      expect([rig.last?.selected.length, rig.last?.tags.size, rig.discovery.success]).to.deep.equal([3, 2, true]);
    });
  }

  it('finds nothing, rather than everything, when the listing that filters by tag is denied', async () => {
    const rig = new Rig({ wantsTags: true });
    rig.page = ({ tags }) =>
      tags === undefined ? { instances: many(9), nextToken: undefined, totalRecordCount: 9 } : errorOf('denied');
    rig.tags = TAGS;
    expect(await rig.discovery.refresh()).to.equal('denied');
    expect([rig.discovered, rig.discovery.success]).to.deep.equal([[], false]);
  });

  it('comes back for tags that failed sooner than the interval', async () => {
    const rig = new Rig({ wantsTags: true });
    const times: number[] = [];
    rig.tags = () => {
      times.push(rig.clock.now() / 1_000);
      return errorOf('denied');
    };
    const done = rig.discovery.run();
    await rig.clock.advance(1_600_000);
    expect(times).to.deep.equal([0, 60, 180, 420, 900, 1_500]);
    rig.stop.abort();
    await done;
  });

  it('believes a listing that loses more than half of ten targets only when the next one agrees', async () => {
    const rig = new Rig();
    rig.pages(many(10));
    await rig.discovery.refresh();
    rig.pages(many(4));
    expect(await rig.discovery.refresh()).to.equal(undefined);
    expect([rig.discovery.success, rig.discovered.length, rig.failures[0]?.message]).to.deep.equal([
      false,
      1,
      'the listing lost 6 of 10 targets: kept until the next refresh agrees',
    ]);
    await rig.discovery.refresh();
    expect([rig.discovery.success, rig.discovered.at(-1)?.length]).to.deep.equal([true, 4]);
  });

  it('doubts anew a second listing that has lost even more', async () => {
    const rig = new Rig();
    for (const count of [100, 45, 0]) {
      rig.pages(many(count));
      await rig.discovery.refresh();
    }
    expect([rig.discovery.success, rig.discovered.map(({ length }) => length)]).to.deep.equal([false, [100]]);
    await rig.discovery.refresh();
    expect([rig.discovery.success, rig.discovered.map(({ length }) => length)]).to.deep.equal([true, [100, 0]]);
  });

  it('comes back to a denied listing no later than its interval', async () => {
    const rig = new Rig();
    rig.page = () => errorOf('denied');
    const done = rig.discovery.run();
    await rig.clock.advance(4_000_000);
    expect(rig.asked).to.have.length(10);
    rig.stop.abort();
    await done;
  });

  it('forgets a doubt when the next listing is whole again', async () => {
    const rig = new Rig();
    rig.pages(many(10));
    await rig.discovery.refresh();
    rig.pages(many(1));
    await rig.discovery.refresh();
    rig.pages(many(10));
    await rig.discovery.refresh();
    rig.pages(many(1));
    await rig.discovery.refresh();
    expect(rig.discovered.map(({ length }) => length)).to.deep.equal([10, 10]);
  });

  it('believes at once what loses half of ten, or all of nine', async () => {
    for (const [before, after] of [
      [10, 5],
      [9, 0],
    ] as const) {
      const rig = new Rig();
      rig.pages(many(before));
      await rig.discovery.refresh();
      rig.pages(many(after));
      await rig.discovery.refresh();
      expect(rig.discovered.at(-1)).to.have.length(after);
    }
  });

  it('refreshes on its interval, spread after the first, and sooner after a failure', async () => {
    const rig = new Rig();
    const times: number[] = [];
    rig.page = () => {
      times.push(rig.clock.now() / 1_000);
      const isDown = rig.clock.now() > 1_000_000 && rig.clock.now() < 1_700_000;
      return isDown ? errorOf('server') : { instances: [], nextToken: undefined, totalRecordCount: 0 };
    };
    const done = rig.discovery.run();
    await rig.clock.advance(2_600_000);
    expect(times).to.deep.equal([0, 300, 900, 1_500, 1_560, 1_680, 1_920, 2_520]);
    rig.stop.abort();
    await done;
    expect(rig.clock.pendingTimers).to.equal(0);
  });
});
