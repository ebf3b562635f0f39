import { expect } from 'chai';
import { RegionSlots } from '../../../dist/collector/region-slots.js';
import { gateOf } from '../../helpers/gates.js';

describe('the slots of a region', () => {
  it('are averaged over about half a minute, from when it was opened', () => {
    const lane = new RegionSlots(1_000);
    lane.take(1_000);
    lane.take(1_000);
    expect([lane.held, lane.usage(1_000), lane.usage(31_000), lane.usage(31_000)]).to.deep.equal([2, 0, 1, 1]);
    // (1 x 30 s + 2 x 10 s) / 40 s, then (1.25 x 30 s + 1 x 20 s) / 50 s.
    lane.giveBack(41_000, 40_000);
    expect([lane.held, lane.usage(41_000), lane.usage(61_000)]).to.deep.equal([1, 1.25, 1.15]);
    lane.take(76_000);
    // (1.15 x 30 s + 1 x 15 s) / 45 s.
    expect([lane.held, lane.usage(76_000)]).to.deep.equal([2, 1.1]);
    expect(lane.usage(76_001)).to.be.closeTo((1.1 * 30_000 + 2) / 30_001, 1e-12);
  });

  it('are expected to be held by the next request as long as by the last', () => {
    const lane = new RegionSlots(0);
    expect(lane.usageAfterNext(0)).to.equal(0);
    lane.take(0);
    lane.giveBack(10_000, 10_000);
    // 0.25 so far, and one slot for another 10 s.
    expect([lane.usage(10_000), lane.usageAfterNext(10_000)]).to.deep.equal([0.25, 0.4375]);
  });

  it('have a use as long as one of its gates has', () => {
    const lane = new RegionSlots(0);
    expect(lane.isUsed).to.equal(false);
    lane.limiters = [gateOf(), gateOf({ instances: () => 1 })];
    expect(lane.isUsed).to.equal(true);
  });
});
