import { expect } from 'chai';
import { watchEventLoop } from '../../../dist/metrics/event-loop.js';
import { FakeClock } from '../../helpers/fake-clock.js';

describe('the lag of the event loop', () => {
  it('is 0 before anything was measured, never NaN', () => {
    expect(watchEventLoop(new FakeClock())()).to.deep.equal({ mean: 0, max: 0, p50: 0, p99: 0 });
  });

  it('is told to every scraper alike: the last whole window of 10 seconds', async () => {
    const clock = new FakeClock();
    const lag = watchEventLoop(clock);
    await clock.advance(10_000);
    const whole = lag();
    await clock.advance(9_999);
    expect(lag()).to.equal(whole);
    await clock.advance(1);
    expect(lag()).not.to.equal(whole);
  });
});
