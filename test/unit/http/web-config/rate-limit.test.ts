import { expect } from 'chai';
import { RateLimit } from '../../../../dist/http/web-config/rate-limit.js';
import { FakeClock } from '../../../helpers/fake-clock.js';

describe('the rate limit', () => {
  it('lets a burst through at once, then one request each interval', async () => {
    const clock = new FakeClock();
    const limit = new RateLimit({ intervalMs: 500, burst: 3 }, clock);
    const allowed = (): number => Array.from({ length: 10 }, () => limit.allow()).filter(Boolean).length;
    expect(allowed()).to.equal(3);
    await clock.advance(499);
    expect(allowed()).to.equal(0);
    await clock.advance(1);
    expect(allowed()).to.equal(1);
    await clock.advance(1_250);
    expect(allowed()).to.equal(2);
    await clock.advance(250);
    expect(allowed()).to.equal(1);
    await clock.advance(3_600_000);
    expect(allowed()).to.equal(3);
  });
});
