import { expect } from 'chai';
import { simulate } from '../../bench/denials.js';
import type { Figures, Fleet } from '../../bench/denials.js';
import { cases } from '../../helpers/cases.js';

/** Of the 10 s between two probes of instances that were never asked. */
function mostCalls({ firstMs }: Figures): number {
  return 20 + Math.max(0, Math.ceil((firstMs - 15_000) / 10_000));
}

/** 200 take 40 s at 5 a second; those that time out hold one of 16 slots for 10 s. */
function mostSweepMs({ kind, instances }: Fleet): number {
  return 60_000 + (kind === 'timeout' ? (instances * 10_000) / 16 : 0);
}

describe('a fleet of which a part fails', function () {
  this.timeout(60_000);

  for (const kind of ['denied', 'timeout'] as const) {
    for (const instances of [20, 200].slice(0, cases(2))) {
      for (const failing of [0.01, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99].slice(-cases(9))) {
        it(`polls every instance that works within 1.1 x its interval: ${failing * 100} % of ${instances} ${kind}`, async () => {
          for (const order of ['first', 'last', 'random'] as const) {
            const fleet: Fleet = { instances, failing, kind, order, hours: 2, seed: 1 };
            const figures = await simulate(fleet);
            const where = `${order} ${JSON.stringify(figures)}`;
            expect(figures.longestGap, where).to.be.within(0.9, 1.1);
            expect(figures.allMs, where).to.be.below(figures.firstMs + mostSweepMs(fleet));
            expect(figures.early, where).to.be.at.most(20);
            expect(figures.trial, where).to.be.at.most(mostCalls(figures));
          }
        });
      }
    }
  }

  it('polls one again in time that was out for a moment, although most time out for good', async () => {
    const blip = { fromMs: 3_600_000, toMs: 3_840_000 };
    const fleet: Fleet = { instances: 400, failing: 0.9, kind: 'timeout', order: 'first', hours: 1.5, seed: 1, blip };
    expect((await simulate(fleet)).backMs).to.be.below(330_000);
  });

  it('never goes dark for denials although the only one that works is out for a moment', async () => {
    const fleet: Fleet = { instances: 200, failing: 0.999, kind: 'denied', order: 'random', hours: 1.5, seed: 3 };
    const calm = await simulate(fleet);
    const figures = await simulate({ ...fleet, blip: { fromMs: 3_600_000, toMs: 4_140_000 } });
    // What it was dark before the first success.
    expect([figures.working, figures.darkMs]).to.deep.equal([1, calm.darkMs]);
    expect(figures.backMs).to.be.below(330_000);
  });

  for (const failing of [0.01, 0.5, 0.8].slice(-cases(3))) {
    it(`does so as far as a limit goes that does not suffice: ${failing * 100} % denied`, async () => {
      for (const order of ['first', 'last', 'random'] as const) {
        const rate = { requestsPerSecond: 0.5, hours: 4 };
        const figures = await simulate({ instances: 1_000, failing, kind: 'denied', order, seed: 1, ...rate });
        const where = `${order} ${JSON.stringify(figures)}`;
        expect(figures.longestGap, where).to.be.within(0.9, 1.2);
        expect(figures.allMs, where).to.be.below(3 * 3_600_000);
      }
    });
  }
});
