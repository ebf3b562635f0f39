import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { messageOf } from '../../../dist/errors.js';
import type { InstanceState } from '../../../dist/domain/instance-state.js';
import type { ScrapeResponse, ScrapesOptions } from '../../../dist/metrics/scrape.js';
import { Scrapes } from '../../../dist/metrics/scrape.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { aFleet, aPlace, aState, expose, NOW, selfMetrics } from './fleet.js';

const PLAIN = { accept: undefined, acceptEncoding: undefined };
const GZIP = { accept: undefined, acceptEncoding: 'gzip' };
const OPENMETRICS = { accept: 'application/openmetrics-text', acceptEncoding: undefined };

function ignore(): void {}

function setUp(over: Partial<ScrapesOptions> = {}) {
  const clock = new FakeClock(NOW);
  const fleet = { states: [aState()] as readonly InstanceState[] };
  const self = selfMetrics();
  const places = [aPlace()];
  const scrapes = new Scrapes({
    states: () => fleet.states,
    regions: () => places,
    self,
    clock,
    onBug: ignore,
    ...over,
  });
  return { clock, fleet, self, places, scrapes };
}

/** Cannot be rendered. */
const broken: InstanceState = {
  ...aState(),
  outcomes: {
    get Automated(): never {
      throw new Error('no\nsuch thing');
    },
  },
};

function textOf({ body, headers }: ScrapeResponse): string {
  const whole = Buffer.concat(body);
  return (headers['Content-Encoding'] === 'gzip' ? gunzipSync(whole) : whole).toString();
}

describe('a scrape', () => {
  it('is answered in the text format, plain, unless asked otherwise', async () => {
    const { scrapes, fleet, places, self } = setUp();
    const answer = await scrapes.answer(PLAIN);
    expect(answer.status).to.equal(200);
    expect(answer.headers).to.deep.equal({
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
      Vary: 'Accept, Accept-Encoding',
    });
    expect(textOf(answer)).to.equal(await expose({ ...fleet, places, self }));
  });

  it('is answered in OpenMetrics when asked to', async () => {
    const { scrapes, fleet, places, self } = setUp();
    const answer = await scrapes.answer(OPENMETRICS);
    expect(answer.headers['Content-Type']).to.equal('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(textOf(answer)).to.equal(await expose({ ...fleet, places, self, format: 'openmetrics' }));
  });

  it('is answered with one gzip member that says the same', async () => {
    const { scrapes, fleet, places, self } = setUp({ states: () => fleet.states });
    fleet.states = aFleet(2_000);
    const answer = await scrapes.answer(GZIP);
    expect(answer.headers['Content-Encoding']).to.equal('gzip');
    const whole = Buffer.concat(answer.body);
    const member = gunzipSync(whole);
    expect(whole.readUInt32LE(whole.length - 4)).to.equal(member.length);
    expect(member.toString()).to.equal(await expose({ ...fleet, places, self }));
    expect(whole.length).to.be.lessThan(member.length / 10);
  });

  it('says the same plain and compressed, whichever was rendered', async () => {
    for (const [first, second] of [
      [PLAIN, GZIP],
      [GZIP, PLAIN],
    ] as const) {
      const { scrapes, fleet } = setUp({ states: () => fleet.states });
      fleet.states = aFleet(1_000);
      const one = textOf(await scrapes.answer(first));
      expect(textOf(await scrapes.answer(second))).to.equal(one);
      expect(scrapes.renders).to.equal(1);
    }
  });

  it('shares one render with all that arrive together', async () => {
    const { scrapes, fleet } = setUp({ states: () => fleet.states });
    fleet.states = aFleet(100);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => scrapes.answer(index % 2 ? GZIP : PLAIN)),
    );
    expect(new Set(answers.map(textOf)).size).to.equal(1);
    expect(answers.map(({ status }) => status)).to.deep.equal(Array.from({ length: 50 }, () => 200));
    expect(scrapes.renders).to.equal(1);
  });

  it('shares a render for less than a second', async () => {
    const { scrapes, fleet, clock } = setUp({ states: () => fleet.states });
    await scrapes.answer(PLAIN);
    fleet.states = [];
    await clock.advance(999);
    expect(textOf(await scrapes.answer(PLAIN))).to.contain('alicloud_rds_backup_instance_info');
    await clock.advance(1);
    expect(textOf(await scrapes.answer(PLAIN))).not.to.contain('alicloud_rds_backup_instance_info');
    expect(scrapes.renders).to.equal(2);
  });

  it('shares no render with those from before a reload, not even one that still runs', async () => {
    const told: unknown[] = [];
    const { scrapes, fleet } = setUp({ states: () => fleet.states, onBug: (thrown) => told.push(messageOf(thrown)) });
    const texts: string[] = [];
    for (const request of [PLAIN, GZIP]) {
      scrapes.renew();
      fleet.states = aFleet(1_000);
      const before = Promise.all([scrapes.answer(request), scrapes.answer(request)]);
      fleet.states = [];
      scrapes.renew();
      texts.push(textOf(await scrapes.answer(request)), ...(await before).map(textOf));
    }
    const shows = texts.map((text) => text.includes('alicloud_rds_backup_instance_info'));
    expect(shows).to.deep.equal([false, true, true, false, true, true]);
    fleet.states = [...aFleet(1_000), broken];
    scrapes.renew();
    const failing = Promise.all([scrapes.answer(PLAIN), scrapes.answer(PLAIN)]);
    scrapes.renew();
    expect((await failing).map(({ status }) => status)).to.deep.equal([500, 500]);
    expect(told).to.deep.equal(['no such thing']);
  });

  it('tells what the exporter counts afresh within the second too', async () => {
    const { scrapes, self, places } = setUp();
    for (const request of [PLAIN, GZIP]) {
      const before = textOf(await scrapes.answer(request));
      self.unexpectedValue('Process');
      places[0] = { ...places[0]!, pollLagMs: places[0]!.pollLagMs + 1_000 };
      const after = textOf(await scrapes.answer(request));
      expect(after).not.to.equal(before);
    }
    const last = textOf(await scrapes.answer(PLAIN));
    expect(last).to.contain('unexpected_values_total{field="Process"} 2\n');
    expect(last).to.contain('poll_lag_seconds{account="production",region_id="cn-hangzhou"} 2\n');
    expect(scrapes.renders).to.equal(1);
  });

  it('holds nothing of a render when its second is over', async () => {
    const { scrapes, clock } = setUp();
    await scrapes.answer(PLAIN);
    expect(clock.pendingTimers).to.equal(1);
    await clock.advance(1_000);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('keeps an answer whole until it is released, and uses its memory again after that', async () => {
    const { scrapes, fleet, clock } = setUp({ states: () => fleet.states });
    const memoryOf = ({ body }: ScrapeResponse): readonly ArrayBufferLike[] =>
      body.slice(0, -1).map((part) => part.buffer);
    const next = async (states: readonly InstanceState[]): Promise<ScrapeResponse> => {
      await clock.advance(2_000);
      fleet.states = states;
      return scrapes.answer(PLAIN);
    };
    const first = await next(aFleet(200));
    const firstText = textOf(first);
    const second = await next(aFleet(100));
    await clock.advance(2_000);
    expect(textOf(first)).to.equal(firstText);
    first.release();
    first.release();
    const third = await next(aFleet(100));
    const fourth = await next(aFleet(100));
    for (const buffer of memoryOf(third)) expect(memoryOf(first)).to.include(buffer);
    const all = [second, third, fourth].flatMap(memoryOf);
    expect(new Set(all).size).to.equal(all.length);
  });

  it('takes the states once: a poll during the render changes nothing', async () => {
    let taken = 0;
    const { scrapes } = setUp({
      states: () => {
        taken++;
        return aFleet(500);
      },
    });
    await scrapes.answer(GZIP);
    expect(taken).to.equal(1);
  });

  it('that cannot be rendered is answered with 500 and told of once, and the next one is tried anew', async () => {
    const told: unknown[] = [];
    for (const request of [PLAIN, GZIP]) {
      const { scrapes, fleet } = setUp({
        states: () => fleet.states,
        onBug: (thrown) => told.push(messageOf(thrown)),
      });
      fleet.states = [...aFleet(1_000), broken];
      const answers = await Promise.all(Array.from({ length: 5 }, () => scrapes.answer(request)));
      expect(answers.map(({ status }) => status)).to.deep.equal([500, 500, 500, 500, 500]);
      const [{ headers, body }] = answers as [ScrapeResponse];
      const text = 'The metrics could not be rendered; the log has the reason.\n';
      expect(headers).to.deep.equal({ 'Content-Type': 'text/plain; charset=utf-8' });
      expect(Buffer.concat(body).toString()).to.equal(text);
      fleet.states = [aState()];
      expect((await scrapes.answer(request)).status).to.equal(200);
      expect(told.splice(0)).to.deep.equal(['no such thing']);
    }
  });

  it('that fails for the places or the counters is answered with 500 too', async () => {
    const { scrapes } = setUp({
      regions: () => {
        throw new Error('no places');
      },
    });
    expect((await scrapes.answer(PLAIN)).status).to.equal(500);
  });

  it('lets other work have its turn for every half megabyte that it renders, and not much more often', async () => {
    const { scrapes, fleet } = setUp({ states: () => fleet.states });
    fleet.states = aFleet(5_000);
    let turns = 0;
    let rendering = true;
    const count = (): void => {
      turns++;
      if (rendering) setImmediate(count);
    };
    setImmediate(count);
    const { body } = await scrapes.answer(PLAIN);
    rendering = false;
    const halfMegabytes = body.reduce((sum, part) => sum + part.length, 0) / (512 * 1024);
    expect(turns).to.be.within(halfMegabytes, 1.2 * halfMegabytes + 5);
  });
});
