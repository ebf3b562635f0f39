import { expect } from 'chai';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../../dist/config/duration.js';

describe('a duration', () => {
  it('is read in the syntax of Prometheus', () => {
    const texts = ['0', '0s', '500ms', '30s', '5m', '1h30m', '1d', '1w', '1y', '1y2w3d4h5m6s7ms', '90m'];
    expect(texts.map(parseDuration)).to.deep.equal([
      0, 0, 500, 30_000, 300_000, 5_400_000, 86_400_000, 604_800_000, 31_536_000_000, 33_019_506_007, 5_400_000,
    ]);
  });

  it('is refused when its units are out of order, repeated, unknown or absent', () => {
    const texts = ['', '5', '5 m', ' 5m', '-5m', '1.5h', '30m1h', '5m5m', '5min', '5M', 'm', '1h30', '00', '5m\n'];
    for (const text of texts) expect(parseDuration(text), text).to.equal(undefined);
  });

  it('is refused beyond what Prometheus can hold', () => {
    expect(parseDuration('292y')).to.equal(9_208_512_000_000);
    expect(parseDuration('293y')).to.equal(undefined);
    expect(parseDuration('106751d23h47m16s854ms')).to.equal(9_223_372_036_854);
    expect(parseDuration('106751d23h47m16s855ms')).to.equal(undefined);
    expect(parseDuration(`${'9'.repeat(400)}s`)).to.equal(undefined);
  });

  it('is written as Prometheus writes it', () => {
    const ms = [0, 1, 1500, 90_000, 86_400_000, 604_800_000, 691_200_000, 31_536_000_000, 31_622_400_000, 5_400_000];
    const texts = ['0s', '1ms', '1s500ms', '1m30s', '1d', '1w', '8d', '1y', '366d', '1h30m'];
    expect(ms.map(formatDuration)).to.deep.equal(texts);
  });

  it('reads as what was written', () => {
    fc.assert(fc.property(fc.nat(9_000_000_000), (ms) => parseDuration(formatDuration(ms)) === ms));
  });
});
