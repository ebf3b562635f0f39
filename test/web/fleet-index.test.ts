import { expect } from 'chai';
import fc from 'fast-check';
import type { InstanceState } from '../../dist/fleet/state.js';
import { FleetIndex } from '../../dist/web/fleet-index.js';
import type { StatusSnapshot } from '../../dist/web/snapshot.js';
import { SORT_KEYS, parseStatusQuery } from '../../dist/web/status-query.js';
import { MINUTE, NOW, instance, snapshot, state, task, tracked } from './helpers.js';

type Change = (states: readonly InstanceState[], now: number) => readonly InstanceState[];

function replaceAt(states: readonly InstanceState[], at: number, change: (one: InstanceState) => InstanceState) {
  return states.map((one, index) => (index === at % states.length ? change(one) : one));
}

let made = 0;

const changes: readonly ((at: number, value: number) => Change)[] = [
  (at, value) => (states, now) =>
    replaceAt(states, at, (one) => ({
      ...one,
      lastGoodPollAt: now,
      tasks: [tracked({ task: task({ processPercent: value }), lastProgressAt: now - value * MINUTE })],
    })),
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

const step = fc
  .tuple(fc.nat({ max: changes.length - 1 }), fc.nat(40), fc.nat(100), fc.nat(20))
  .map(([kind, at, value, minutes]) => ({ change: changes[kind]!(at, value), minutes }));

describe('the index of the fleet', () => {
  it('tells after any changes what one made anew would tell', () => {
    const sort = fc.constantFrom(...SORT_KEYS.flatMap((key) => [key, `-${key}`]));
    const q = fc.constantFrom('', 'new', 'engine 1', 'renamed 7', '88120417');
    fc.assert(
      fc.property(sort, fc.array(fc.tuple(step, q), { maxLength: 25 }), (sortBy, steps) => {
        const kept = new FleetIndex();
        let current: StatusSnapshot = snapshot({
          states: Array.from({ length: 8 }, (_, index) =>
            state({ instance: instance({ instanceId: `rm-${index}`, name: index % 2 ? '' : `name ${index}` }) }),
          ),
        });
        for (const [{ change, minutes }, words] of steps) {
          const now = current.now + minutes * MINUTE;
          const states = change(current.states, now);
          current = Object.assign({}, current, { version: current.version + 1, now, states });
          const { query } = parseStatusQuery(new URLSearchParams({ sort: sortBy, q: words }));
          const fresh = new FleetIndex();
          kept.update(current);
          fresh.update(current);
          const told = [kept, fresh].map((index) => {
            const { rows, total, counts } = index.find(query, current);
            const shown = rows.map((row) => [row.state, row.rowState]);
            return { shown, total, counts, facets: index.facets };
          });
          expect(told[0]).to.deep.equal(told[1]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is looked at once for all who ask within a second, and again for a new version', () => {
    const index = new FleetIndex();
    const { query } = parseStatusQuery(new URLSearchParams());
    const stuck = state({ tasks: [tracked({ lastProgressAt: NOW - 31 * MINUTE })] });
    const current = snapshot({ states: [stuck] });
    index.update(current);
    index.update({ ...current, states: [] });
    expect(index.find(query, current).total).to.equal(1);
    index.update({ ...current, version: current.version + 1, states: [] });
    expect(index.find(query, current).total).to.equal(0);
  });
});
