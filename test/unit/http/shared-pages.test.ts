import { expect } from 'chai';
import { FakeClock } from '../../helpers/fake-clock.js';
import { ask, dialogue, serveParts, snapshot } from './helpers.js';
import type { TestServer } from './helpers.js';

describe('the status page and the status API', () => {
  const clock = new FakeClock();
  let server: TestServer;
  /** Looks at the fleet. */
  let looks: number;
  let looked: (() => void) | undefined;
  let reloads = 0;

  before(async () => {
    server = await serveParts({
      clock,
      reloads: () => reloads,
      snapshot: () => {
        looks++;
        looked?.();
        return snapshot();
      },
    });
  });
  beforeEach(async () => {
    await clock.advance(1_000);
    looks = 0;
  });
  after(() => server.close());

  for (const path of ['/', '/api/v1/status']) {
    it(`are rendered once a second for all who ask for ${path}`, async () => {
      const bodies = await Promise.all(Array.from({ length: 30 }, async () => (await ask(server, path)).body));
      expect([looks, new Set(bodies).size]).to.deep.equal([1, 1]);
      await clock.advance(999);
      await ask(server, path);
      expect(looks).to.equal(1);
      await clock.advance(1);
      await ask(server, path);
      expect(looks).to.equal(2);
    });
  }

  it('are rendered for each address', async () => {
    for (const path of ['/?limit=1', '/?limit=2', '/api/v1/status?limit=1', '/?limit=1']) await ask(server, path);
    expect(looks).to.equal(3);
  });

  it('are kept for eight addresses', async () => {
    for (let limit = 1; limit <= 9; limit++) await ask(server, `/?limit=${limit}`);
    await ask(server, '/?limit=9');
    expect(looks).to.equal(9);
    await ask(server, '/?limit=1');
    expect(looks).to.equal(10);
  });

  it('are rendered anew after a reload', async () => {
    await ask(server, '/');
    reloads++;
    await ask(server, '/');
    expect(looks).to.equal(2);
  });

  it('are rendered anew after a reload that came in the middle of a render', async () => {
    looked = () => {
      looked = undefined;
      reloads++;
    };
    await ask(server, '/');
    await ask(server, '/');
    expect(looks).to.equal(2);
  });

  it('are rendered for pipelined requests that differ, one after the other', async () => {
    const paths = Array.from({ length: 20 }, (_, n) => `/api/v1/status?q=${n}`);
    const last = 'GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const told = await dialogue(
      server.port,
      paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join('') + last,
    );
    expect(told.match(/HTTP\/1\.1 200/g)).to.have.length(21);
    expect(looks).to.equal(20);
  });
});
