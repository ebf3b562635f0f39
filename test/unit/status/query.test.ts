import { expect } from 'chai';
import { parseStatusQuery } from '../../../dist/status/query.js';
import type { StatusQuery } from '../../../dist/status/query.js';

const ALL: StatusQuery = {
  q: '',
  state: [],
  account: [],
  regionId: [],
  engine: [],
  sort: 'attention',
  descending: false,
  limit: 100,
  offset: 0,
};

function parse(text: string, options?: Parameters<typeof parseStatusQuery>[1]): ReturnType<typeof parseStatusQuery> {
  return parseStatusQuery(new URLSearchParams(text), options);
}

describe('the parameters of the status API', () => {
  it('are all optional', () => {
    expect(parse('')).to.deep.equal({ query: ALL, problems: [] });
    expect(parse('', { limit: 7 }).query.limit).to.equal(7);
  });

  it('narrow, order and page the list, each as it says', () => {
    expect(
      parse('q=+a+b+&state=idle&account=x&account=y&region_id=r&engine=MySQL&sort=-name&limit=5&offset=9'),
    ).to.deep.equal({
      query: {
        q: 'a b',
        state: ['idle'],
        account: ['x', 'y'],
        regionId: ['r'],
        engine: ['MySQL'],
        sort: 'name',
        descending: true,
        limit: 5,
        offset: 9,
      },
      problems: [],
    });
    expect(parse('account=&account=x').query.account).to.deep.equal(['x']);
  });

  it('order by what is known alone: one minus in front, and none without a key', () => {
    expect(parse('sort=--name')).to.deep.include({ query: ALL });
    expect(parse('sort=name-').query).to.deep.equal(ALL);
    expect(parse('sort=-size').query).to.deep.equal(ALL);
    expect(parse('sort=-attention').query).to.deep.equal({ ...ALL, descending: true });
  });

  it('are read up to their limits, to the last character and number', () => {
    for (const text of [
      `q=${'a'.repeat(200)}`,
      'engine=a&'.repeat(50),
      'limit=1',
      'limit=1000',
      'offset=10000000',
      'offset=0',
    ]) {
      expect(parse(text).problems, text).to.deep.equal([]);
    }
    const bad = [
      `q=${'a'.repeat(201)}`,
      'engine=a&'.repeat(51),
      'limit=0',
      'limit=1001',
      'offset=10000001',
      'offset=00000000001',
    ];
    for (const text of bad) {
      expect(parse(text).problems, text).to.have.length(1);
      expect(parse(text).query, text).to.deep.equal(ALL);
    }
    expect(parse(`engine=${'a'.repeat(201)}&engine=b`)).to.deep.equal({
      query: ALL,
      problems: ['engine must be at most 200 characters long'],
    });
  });

  it('are whole numbers in digits', () => {
    for (const text of ['x5', '5x', '1.5', '+5', ' 5', '0x5', '']) {
      const { query, problems } = parse(`offset=${encodeURIComponent(text)}`);
      expect([query.offset, problems.length], text).to.deep.equal([0, text === '' ? 0 : 1]);
    }
  });

  it('are given once where they hold one value: the first stands', () => {
    expect(parse('q=a&q=b')).to.deep.equal({ query: { ...ALL, q: 'a' }, problems: ['q may be given once only'] });
  });

  it('that are unknown are told once each, unless the page knows them', () => {
    const problem = (name: string): string =>
      `unknown parameter "${name}": known are q, state, account, region_id, engine, sort, limit, offset`;
    expect(parse('open=1&open=2&view=x').problems).to.deep.equal([problem('open'), problem('view')]);
    expect(parse('open=1&view=x', { alsoAllowed: ['open'] }).problems).to.deep.equal([problem('view')]);
  });

  it('are told back cut to 40 characters, on one line', () => {
    const told = (value: string): string | undefined => parse(`limit=${encodeURIComponent(value)}`).problems[0];
    expect(told('a'.repeat(40))).to.equal(`limit "${'a'.repeat(40)}" must be a whole number from 1 to 1000`);
    expect(told('a'.repeat(41))).to.equal(`limit "${'a'.repeat(40)}…" must be a whole number from 1 to 1000`);
    expect(told('a\nb')).to.equal('limit "a\\nb" must be a whole number from 1 to 1000');
  });

  it('name a state that exists, and keep the others', () => {
    const { query, problems } = parse('state=idle&state=Stuck&state=stuck');
    expect(query.state).to.deep.equal(['idle', 'stuck']);
    expect(problems).to.deep.equal([
      'state "Stuck" is not known: it must be one of stuck, failed, unknown, running, queued, idle, unsupported',
    ]);
  });
});
