import { expect } from 'chai';
import fc from 'fast-check';
import type { InstanceState } from '../../../dist/domain/instance-state.js';
import { FleetIndex } from '../../../dist/status/fleet-index.js';
import { sortInTurns } from '../../../dist/status/sort-in-turns.js';
import { statusBody } from '../../../dist/status/status-body.js';
import { statusFacts } from '../../../dist/status/status-facts.js';
import type { StatusSnapshot } from '../../../dist/status/snapshot.js';
import { SORT_KEYS, parseStatusQuery } from '../../../dist/status/query.js';
import { cases } from '../../helpers/cases.js';
import { MINUTE, NOW, instance, snapshot, state, task, tracked } from '../http/helpers.js';

type Change = (states: readonly InstanceState[], now: number) => readonly InstanceState[];

function replaceAt(states: readonly InstanceState[], at: number, change: (one: InstanceState) => InstanceState) {
  return states.map((one, index) => (index === at % states.length ? change(one) : one));
}

let made = 0;

function unwanted(error: unknown): never {
  throw error;
}

const changes: readonly ((at: number, value: number) => Change)[] = [
  (at, value) => (states, now) =>
    replaceAt(states, at, (one) => ({
      ...one,
      lastGoodPollAt: now,
      tasks: [
        tracked({
          task: task({ processPercent: value }),
          runningSince: now - (value + 10) * MINUTE,
          runningFromPercent: 0,
          lastProgressAt: now - value * MINUTE,
        }),
      ],
    })),
  () => (states) => states,
  (at) => (states, now) => replaceAt(states, at, (one) => ({ ...one, lastGoodPollAt: now, tasks: [] })),
  (at) => (states) => replaceAt(states, at, (one) => ({ ...one, unsupported: 'no backups' })),
  (at, value) => (states) =>
    replaceAt(states, at, (one) => ({ ...one, instance: { ...one.instance, name: `renamed ${value}` } })),
  (at, value) => (states) =>
    replaceAt(states, at, (one) => ({ ...one, instance: { ...one.instance, engine: `Engine ${value % 3}` } })),
  (at) => (states) => states.filter((_, index) => index !== at % states.length),
  (_, value) => (states, now) => [
    ...states,
    state({ instance: instance({ instanceId: `rm-new-${made++}`, name: `new ${value}` }), lastGoodPollAt: now }),
  ],
];

const eightRows = Array.from({ length: 8 }, (_, index) =>
  state({ instance: instance({ instanceId: `rm-${index}`, name: index % 2 ? '' : `name ${index}` }) }),
);
const sort = fc.constantFrom(...SORT_KEYS.flatMap((key) => [key, `-${key}`]));

const step = fc
  .tuple(fc.nat({ max: changes.length - 1 }), fc.nat(40), fc.nat(100), fc.nat(20))
  .map(([kind, at, value, minutes]) => ({ change: changes[kind]!(at, value), minutes }));

describe('the index of the fleet', () => {
  it('tells after any changes what one made anew would tell', async () => {
    const q = fc.constantFrom('', 'new', 'engine 1', 'renamed 7', '88120417');
    await fc.assert(
      fc.asyncProperty(sort, fc.array(fc.tuple(step, q), { maxLength: 25 }), async (sortBy, steps) => {
        const kept = new FleetIndex();
        let current: StatusSnapshot = snapshot({ states: eightRows });
        for (const [{ change, minutes }, words] of steps) {
          const now = current.now + minutes * MINUTE;
          const states = change(current.states, now);
          current = Object.assign({}, current, { version: current.version + 1, now, states });
          const { query } = parseStatusQuery(new URLSearchParams({ sort: sortBy, q: words }));
          const fresh = new FleetIndex();
          await kept.update(current);
          await fresh.update(current);
          const told = [kept, fresh].map((index) => {
            const { rows, total, counts } = index.find(query, current);
            const shown = rows.map((row) => [row.state, row.rowState]);
            return { shown, total, counts, facets: index.facets };
          });
          expect(told[0]).to.deep.equal(told[1]);
        }
      }),
      { numRuns: cases(300) },
    );
  });

  it('is looked at once for all who ask within a second, and again for a new version', async () => {
    const index = new FleetIndex();
    const { query } = parseStatusQuery(new URLSearchParams());
    const stuck = state({ tasks: [tracked({ lastProgressAt: NOW - 31 * MINUTE })] });
    const current = snapshot({ states: [stuck] });
    await index.update(current);
    await index.update({ ...current, states: [] });
    expect(index.find(query, current).total).to.equal(1);
    await index.update({ ...current, version: current.version + 1, states: [] });
    expect(index.find(query, current).total).to.equal(0);
  });

  it('is found in the same order however long the list is', async () => {
    const states = Array.from({ length: 1_100 }, (_, index) =>
      state({
        instance: instance({ instanceId: `rm-${(index * 7_919) % 1_100}`, name: `${(index * 104_729) % 550}` }),
      }),
    );
    const index = new FleetIndex();
    const current = snapshot({ states });
    await index.update(current);
    const found = (sortBy: string): string[] => {
      const { query } = parseStatusQuery(new URLSearchParams({ sort: sortBy, limit: '1000' }));
      return index.find(query, current).rows.map(({ state: { instance: one } }) => `${one.name} ${one.instanceId}`);
    };
    const expected = (text: (one: InstanceState['instance']) => string): string[] =>
      states
        .map(({ instance: one }) => [text(one), `${one.name} ${one.instanceId}`] as const)
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .slice(0, 1_000)
        .map(([, shown]) => shown);
    expect(found('name')).to.deep.equal(expected((one) => `${one.name}\n${one.instanceId}`));
    expect(found('attention')).to.deep.equal(found('name'));
    expect(found('instance_id')).to.deep.equal(expected((one) => one.instanceId));
  });

  it('lets other work have its turn while it takes in a large fleet', async () => {
    const states = Array.from({ length: 2_000 }, (_, index) =>
      state({ instance: instance({ instanceId: `rm-${index}` }) }),
    );
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    await new FleetIndex().update(snapshot({ states }));
    isDone = true;
    expect(turns).to.be.greaterThan(44);
  });
});

describe('sorting in turns', () => {
  it('is sorting', async () => {
    const keys = fc.array(fc.nat(50), { maxLength: 40 }).map((some) => Array.from({ length: 26 }, () => some).flat());
    await fc.assert(
      fc.asyncProperty(keys, async (some) => {
        const compare = (one: number, other: number): number => some[one]! - some[other]! || one - other;
        expect(await sortInTurns(some.length, compare)).to.deep.equal([...some.keys()].toSorted(compare));
      }),
      { numRuns: cases(50) },
    );
  });
});

describe('the facts that make the tag of an answer', () => {
  it('are others whenever the answer is another but for the clock', async () => {
    const due = fc.option(fc.nat(3), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(sort, fc.array(fc.tuple(step, due), { maxLength: 12 }), async (sortBy, steps) => {
        const index = new FleetIndex();
        const told = new Map<string, string>();
        let current: StatusSnapshot = snapshot({ states: eightRows });
        for (const [{ change, minutes }, minute] of steps) {
          const now = current.now + minutes * MINUTE;
          const states = change(current.states, now);
          const nextPollAt = (): number | undefined => minute && NOW + minute * MINUTE;
          current = Object.assign({}, current, { version: current.version + 1, now, states, nextPollAt });
          await index.update(current);
          const { query } = parseStatusQuery(new URLSearchParams({ sort: sortBy, limit: '2' }));
          const found = index.find(query, current);
          const seen = {
            snapshot: current,
            readiness: { ready: true, reason: '' },
            query,
            found,
            facets: index.facets,
          };
          const facts = statusFacts(seen);
          const answer = JSON.stringify(statusBody(seen, unwanted)).replaceAll(
            /"(?:now|data_age_seconds)":[^,}]+/g,
            '',
          );
          expect(told.get(facts) ?? answer).to.equal(answer);
          told.set(facts, answer);
        }
      }),
      { numRuns: cases(400) },
    );
  });

  it('are others when one row goes stale as another is polled again, which leaves every count as it was', async () => {
    const [first, other] = ['a', 'b'].map((name) =>
      state({ instance: instance({ instanceId: `rm-${name}`, name }), lastGoodPollAt: NOW - 20 * MINUTE }),
    );
    const { query } = parseStatusQuery(new URLSearchParams({ sort: 'name', limit: '1' }));
    const index = new FleetIndex();
    const look = async (now: number, ...states: InstanceState[]): Promise<string> => {
      const current = snapshot({ now, states });
      await index.update(current);
      const found = index.find(query, current);
      return statusFacts({
        snapshot: current,
        readiness: { ready: true, reason: '' },
        query,
        found,
        facets: index.facets,
      });
    };
    const fresh = { ...first!, lastGoodPollAt: NOW };
    const before = await look(NOW, fresh, other!);
    const after = await look(NOW + 16 * MINUTE, fresh, { ...other!, lastGoodPollAt: NOW + 16 * MINUTE });
    expect(after).to.not.equal(before);
  });
});
