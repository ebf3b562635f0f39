import { expect } from 'chai';
import { Nonces } from '../../../dist/simulator/nonces.js';

describe('the memory of nonces', () => {
  it('keeps each for at least as long as told, and none for more than twice that', () => {
    const nonces = new Nonces(1000);
    expect(nonces.use('a', 0)).to.equal(true);
    expect(nonces.use('b', 999)).to.equal(true);
    expect([nonces.use('a', 1001), nonces.use('b', 1999)]).to.deep.equal([false, false]);
    expect([nonces.use('c', 2002), nonces.use('b', 2002)]).to.deep.equal([true, true]);
  });

  it('is bounded', () => {
    const nonces = new Nonces(1000);
    for (let nth = 0; nth < 200_001; nth++) nonces.use(String(nth), 0);
    expect([nonces.use('100000', 0), nonces.use('0', 0)]).to.deep.equal([false, true]);
  });
});
