import { expect } from 'chai';
import fc from 'fast-check';
import { DeadlineHeap } from '../../../dist/collector/deadline-heap.js';

interface Entry {
  readonly name: string;
  dueAt: number;
  order: number;
  position: number;
}

const entryOf = (name: string, dueAt: number): Entry => ({ name, dueAt, order: 0, position: -1 });

describe('the heap of due times', () => {
  it('gives the earliest first, and first come first served among equals', () => {
    const heap = new DeadlineHeap<Entry>();
    for (const [name, dueAt] of [
      ['c', 2],
      ['a', 1],
      ['d', 2],
      ['b', 1],
    ] as const)
      heap.push(entryOf(name, dueAt));
    expect([heap.pop(), heap.pop(), heap.pop(), heap.pop(), heap.pop()].map((entry) => entry?.name)).to.deep.equal([
      'a',
      'b',
      'c',
      'd',
      undefined,
    ]);
  });

  it('agrees with a sorted list under any pushes and removals', () => {
    const action = fc.tuple(fc.constantFrom('push', 'pop', 'remove'), fc.integer({ min: 0, max: 20 }));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const heap = new DeadlineHeap<Entry>();
        const model: Entry[] = [];
        for (const [kind, number] of actions) {
          if (kind === 'push') {
            const entry = entryOf('', number);
            heap.push(entry);
            model.push(entry);
          } else {
            model.sort((one, other) => one.dueAt - other.dueAt || one.order - other.order);
            const [gone] = model.splice(kind === 'pop' ? 0 : number % Math.max(1, model.length), 1);
            if (kind === 'pop') expect(heap.pop()).to.equal(gone);
            else if (gone !== undefined) heap.remove(gone);
            expect(gone?.position ?? -1).to.equal(-1);
          }
          expect(heap.size).to.equal(model.length);
        }
      }),
    );
  });

  it('leaves an entry of another heap alone', () => {
    const [one, other] = [new DeadlineHeap<Entry>(), new DeadlineHeap<Entry>()];
    const entry = entryOf('a', 1);
    one.push(entry);
    other.push(entryOf('b', 1));
    other.remove(entry);
    expect([one.size, other.size]).to.deep.equal([1, 1]);
  });
});
