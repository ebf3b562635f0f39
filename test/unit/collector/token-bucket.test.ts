import { expect } from 'chai';
import fc from 'fast-check';
import { TokenBucket } from '../../../dist/collector/token-bucket.js';

const LIMIT = { requestsPerSecond: 4, burst: 2 };

function throttle(bucket: TokenBucket, nowMs: number, retryAfterMs?: number): boolean {
  return bucket.throttled({ sentAt: nowMs, nowMs, retryAfterMs });
}

/** How many tokens there are at one moment. */
function takeAll(bucket: TokenBucket, nowMs: number): number {
  let count = 0;
  while (bucket.tryTake(nowMs)) count++;
  return count;
}

describe('the token bucket', () => {
  it('gives its burst at once and then one token every 1/rate', () => {
    const bucket = new TokenBucket(LIMIT, 0);
    expect([bucket.tryTake(0), bucket.tryTake(0), bucket.tryTake(0)]).to.deep.equal([true, true, false]);
    expect(bucket.availableAt(0)).to.equal(250);
    expect(bucket.availableAt(375)).to.equal(375);
    const other = new TokenBucket(LIMIT, 0);
    expect(takeAll(other, 0)).to.equal(2);
    expect([other.tryTake(249), other.tryTake(250), other.tryTake(250)]).to.deep.equal([false, true, false]);
  });

  it('never exceeds rate x window + burst in any window, whatever is thrown at it', () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 3_000 }),
      wanted: fc.integer({ min: 1, max: 8 }),
      isThrottled: fc.boolean(),
    });
    const limit = fc.record({
      requestsPerSecond: fc.double({ min: 0.05, max: 50, noNaN: true }),
      burst: fc.integer({ min: 1, max: 10 }),
    });
    fc.assert(
      fc.property(limit, fc.array(step, { minLength: 1, maxLength: 60 }), ({ requestsPerSecond, burst }, steps) => {
        const bucket = new TokenBucket({ requestsPerSecond, burst }, 0);
        const taken: number[] = [];
        let now = 0;
        for (const { waitMs, wanted, isThrottled } of steps) {
          now += waitMs;
          for (let i = 0; i < wanted; i++) if (bucket.tryTake(now)) taken.push(now);
          if (isThrottled) throttle(bucket, now);
        }
        for (let first = 0; first < taken.length; first++) {
          for (let last = first; last < taken.length; last++) {
            const windowS = (taken[last]! - taken[first]!) / 1000;
            expect(last - first + 1).to.be.at.most(requestsPerSecond * windowS + burst + 1e-6);
          }
        }
      }),
    );
  });

  it('halves its rate when throttled, at most once in 5 s and never for a call sent before the last halving', () => {
    const bucket = new TokenBucket(LIMIT, 0);
    throttle(bucket, 1_000);
    expect(bucket.rate(1_000)).to.equal(2);
    throttle(bucket, 5_999);
    expect(bucket.rate(5_999)).to.equal(2);
    bucket.throttled({ sentAt: 999, nowMs: 6_500, retryAfterMs: undefined });
    expect(bucket.rate(6_500)).to.equal(2);
    throttle(bucket, 6_500);
    expect(bucket.rate(6_500)).to.equal(1);
  });

  it('halves again for a call sent at the last halving, and 5 s after it to the millisecond', () => {
    const bucket = new TokenBucket(LIMIT, 0);
    throttle(bucket, 1_000);
    bucket.throttled({ sentAt: 1_000, nowMs: 6_000, retryAfterMs: undefined });
    expect(bucket.rate(6_000)).to.equal(1);
  });

  it('says whether it lowered its rate', () => {
    const bucket = new TokenBucket(LIMIT, 0);
    const lowered = [0, 1_000, 5_000, 10_000, 15_000, 20_000].map((now) => throttle(bucket, now));
    expect(lowered).to.deep.equal([true, false, true, true, true, false]);
  });

  it('holds what it earned before it was throttled', () => {
    const bucket = new TokenBucket(LIMIT, 0);
    takeAll(bucket, 0);
    throttle(bucket, 500);
    expect(takeAll(bucket, 500)).to.equal(2);
  });

  it('earns at the rate of each step while it recovers', () => {
    const bucket = new TokenBucket({ requestsPerSecond: 16, burst: 1_000 }, 0);
    takeAll(bucket, 0);
    throttle(bucket, 0);
    expect(takeAll(bucket, 20_000)).to.equal(8 * 10 + 9 * 10);
    expect(takeAll(bucket, 30_000)).to.equal(10 * 10);
  });

  it('holds after a new limit what it earned at the old one', () => {
    const bucket = new TokenBucket({ requestsPerSecond: 1, burst: 100 }, 0);
    takeAll(bucket, 0);
    bucket.configure({ requestsPerSecond: 50, burst: 100 }, 2_000);
    expect(takeAll(bucket, 2_000)).to.equal(2);
  });

  it('keeps a sixteenth of its rate in the longest storm', () => {
    const bucket = new TokenBucket(LIMIT, 0);
    for (let now = 0; now < 100_000; now += 5_000) throttle(bucket, now);
    expect(bucket.rate(95_000)).to.equal(0.25);
  });

  it('recovers by a sixteenth for each 10 s without throttling', () => {
    const bucket = new TokenBucket(LIMIT, 0);
    throttle(bucket, 0);
    expect(bucket.rate(9_999)).to.equal(2);
    expect(bucket.rate(10_000)).to.equal(2.25);
    throttle(bucket, 12_000);
    expect(bucket.rate(12_000)).to.equal(1.125);
    expect(bucket.rate(21_999)).to.equal(1.125);
    expect(bucket.rate(22_000)).to.equal(1.375);
    expect(bucket.rate(1_000_000)).to.equal(4);
  });

  it('waits as long as the server asks', () => {
    const bucket = new TokenBucket(LIMIT, 0);
    throttle(bucket, 100, 700);
    expect(bucket.availableAt(100)).to.equal(800);
    expect([bucket.tryTake(799), bucket.tryTake(800)]).to.deep.equal([false, true]);
  });

  it('takes over a new limit and keeps the share that throttling left', () => {
    const bucket = new TokenBucket(LIMIT, 0);
    throttle(bucket, 0);
    bucket.configure({ requestsPerSecond: 10, burst: 1 }, 0);
    expect(bucket.rate(0)).to.equal(5);
    expect(bucket.configuredRate).to.equal(10);
    expect([bucket.tryTake(0), bucket.tryTake(0)]).to.deep.equal([true, false]);
  });
});
