import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { messageOf } from '../../../dist/errors.js';
import { loadAssets } from '../../../dist/status/page/assets.js';
import { spanText, tellTime } from '../../../dist/status/page/age-text.js';
import { html } from '../../../dist/status/page/html.js';
import { NOW, MINUTE, ask as askNow, serveParts, snapshot } from '../http/helpers.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import type { TestServer } from '../http/helpers.js';
import { sampleSnapshot } from './sample-fleet.js';

describe('a span of time', () => {
  const spans: [number, string][] = [
    [-5, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [59 * MINUTE, '59 min'],
    [60 * MINUTE, '1 h'],
    [125 * MINUTE, '2 h 5 min'],
    [13 * 60 * MINUTE, '13 h'],
    [47 * 60 * MINUTE, '47 h'],
    [49 * 60 * MINUTE, '2 d'],
  ];
  for (const [ms, text] of spans) it(`of ${ms} ms is ${text}`, () => expect(spanText(ms)).to.equal(text));

  const left: [number, string][] = [
    [-1, 'under a minute to go'],
    [59_000, 'under a minute to go'],
    [6.4 * MINUTE, 'about 6 min to go'],
    [13 * MINUTE, 'about 15 min to go'],
    [67 * MINUTE, 'about 1 h to go'],
    [100 * MINUTE, 'about 1 h 45 min to go'],
  ];
  for (const [ms, text] of left) {
    it(`of ${ms} ms left is told as ${text}`, () => expect(tellTime('togo', NOW + ms, NOW)).to.equal(text));
  }

  it('until a time that has come is due', () => {
    expect(tellTime('in', NOW + 999, NOW)).to.equal('due');
    expect(tellTime('in', NOW + 1_500, NOW)).to.equal('in 1 s');
  });
});

describe('an HTML template', () => {
  it('escapes every value that is not HTML itself', () => {
    const item = html`<b>${'<&>"\''}</b>`;
    expect(html`<p title="${'"x"'}">${[item, undefined]}${undefined}${null}${7}</p>`.text).to.equal(
      '<p title="&quot;x&quot;"><b>&lt;&amp;&gt;&quot;&#39;</b>7</p>',
    );
  });
});

const clock = new FakeClock();

/** Later than what an answer before it is shared. */
const ask: typeof askNow = async (...asked) => {
  await clock.advance(1_000);
  return askNow(...asked);
};

describe('the status page', () => {
  let server: TestServer;
  let current = snapshot();
  before(async () => {
    server = await serveParts({ snapshot: () => current, clock });
  });
  beforeEach(() => {
    current = sampleSnapshot(240, NOW);
  });
  after(() => server.close());

  const page = async (query = ''): Promise<string> => (await ask(server, `/${query}`)).body;

  it('loads only what the exporter itself serves, all of it there and kept for ever', async () => {
    const body = await page();
    const loads = [...body.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, path]) => path);
    expect(loads).to.have.length(3);
    const types: (string | undefined)[] = [];
    for (const path of loads) {
      const { status, headers } = await ask(server, `/${path}`);
      expect(status).to.equal(200);
      expect(headers['cache-control']).to.equal('public, max-age=31536000, immutable');
      types.push(headers['content-type']);
    }
    expect(types).to.deep.equal(['image/svg+xml', 'text/css; charset=utf-8', 'text/javascript; charset=utf-8']);
    expect(body).to.not.match(/<style|style=|<script>| on\w+=|(?:src|href)="(?:https?:)?\/\//);
  });

  it('serves every module that its script imports', async () => {
    const main = (await page()).match(/assets\/[^"]+main\.js/)?.[0] ?? '';
    const folder = mkdtempSync(join(tmpdir(), 'page-script-'));
    try {
      for (const [path, { body }] of loadAssets().files) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), body);
      }
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
      // A module whose imports are not all there fails before anything runs; one that runs misses the browser.
      const error = await import(pathToFileURL(join(folder, main)).href).catch(messageOf);
      expect(error).to.equal('document is not defined');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is bounded, whatever the fleet', async () => {
    current = sampleSnapshot(10_000, NOW);
    const body = await page();
    expect(body.match(/<tr\b[^>]*data-key="(?!place)/g)).to.have.length(50);
    expect(body.length).to.be.below(150_000);
    expect(body).to.include('1 to 50 of 10,000');
  });

  it('answers 304 until something other than the clock has moved', async () => {
    const { headers } = await ask(server, '/?state=idle');
    const tag = headers.etag ?? '';
    current = { ...current, now: NOW + 5_000 };
    expect((await ask(server, '/?state=idle', { headers: { 'if-none-match': tag } })).status).to.equal(304);
    const [first, ...others] = current.states;
    current = { ...current, version: current.version + 1, states: [{ ...first!, unsupported: 'gone' }, ...others] };
    expect((await ask(server, '/?state=idle', { headers: { 'if-none-match': tag } })).status).to.equal(200);
  });

  it('keeps the rest of the address in every link of a narrowed list', async () => {
    const body = await page('?q=crm&state=idle&sort=-name&limit=5&offset=5');
    expect(body).to.include('href="?q=crm&amp;state=idle&amp;sort=-name&amp;limit=5&amp;offset=10"');
    expect(body).to.include('href="?q=crm&amp;state=stuck&amp;sort=-name&amp;limit=5"');
    expect(body).to.include('href="api/v1/status?q=crm&amp;state=idle&amp;sort=-name&amp;limit=5&amp;offset=5"');
    expect(body).to.include('<input type="hidden" name="sort" value="-name" />');
  });

  it('says what is wrong in its address and goes on without it', async () => {
    const body = await page('?limit=0&state=bad');
    expect(body).to.include('limit &quot;0&quot; must be a whole number from 1 to 1000');
    expect(body).to.include('1 to 50 of 240');
  });

  it('tells an instance that is not watched, a page beyond the end and an empty match', async () => {
    expect(await page('?open=a/b/c')).to.include('The exporter does not watch this instance now.');
    expect(await page('?offset=1000')).to.include('This page is beyond the end of the list.');
    expect(await page('?q=no-such-thing')).to.include('No instance matches.');
  });

  const textOf = async (query = ''): Promise<string> =>
    (await page(query)).replaceAll(/<[^>]+>/g, '').replaceAll(/\s+/g, ' ');

  it('tells at a glance the budget of the accounts and regions that use most of it, in a steady order', async () => {
    const used = [0.5, 1.7, 1.701, 0.2, 3, 4];
    const places = current.regions.map((place, index) => Object.assign({}, place, { account: `account-${index}` }));
    const usedRequestsPerSecond = ({ account }: { account: string }): number | undefined =>
      used[Number(account.at(-1))];
    current = { ...current, regions: places, usedRequestsPerSecond };
    expect(await textOf()).to.include(
      'API budget used: account-5 eu-central-1 80 %, account-4 eu-central-1 60 %, account-1 cn-hangzhou 34 %, by action',
    );
  });

  it('lists what is not polled with the reason, and says so at a glance', async () => {
    const leftOut = Array.from({ length: 103 }, (_, index) => ({
      account: 'production',
      regionId: 'cn-hangzhou',
      instanceId: `rr-${index}`,
      name: `replica ${index}`,
      reason: 'an instance of type Readonly has no backup tasks of its own',
    }));
    current = { ...current, skipped: leftOut };
    const text = await textOf();
    expect(text).to.include('103 more without backup tasks');
    expect(text).to.include('Not polled: 103 instances without backup tasks by type or engine');
    expect(text).to.include(
      'rr-99 replica 99 production, cn-hangzhou: an instance of type Readonly has no backup tasks of its own',
    );
    expect(text).to.include('and 3 more');
    expect(await page()).to.match(/href="#skipped"[^]+id="skipped"/);
  });

  it('tells for how long a stuck task has not moved, and beyond what that is stuck', async () => {
    const { account, regionId, instanceId } = current.states[2]!.instance;
    const text = await textOf(`?state=stuck&open=${account}/${regionId}/${instanceId}`);
    expect(text).to.include('last progress 45 min ago');
    expect(text).to.include('Stuck: no progress for more than 30 min.');
  });

  it('names every trouble of the exporter', async () => {
    const places = current.regions.map((place, index) =>
      Object.assign({}, place, {
        discovery: { success: false, lastSuccessAt: undefined, problem: `Forbidden.RAM ${index}` },
        calls: place.calls.map((call) =>
          Object.assign({}, call, { cooldown: { until: NOW + 5 * MINUTE, code: 'Dark', message: 'no answer' } }),
        ),
      }),
    );
    current = {
      ...current,
      regions: places.slice(0, 1),
      accounts: [{ account: 'staging', credentialType: 'sts', problem: { code: 'Gone', message: 'key', at: NOW } }],
      exporter: { ...current.exporter, stateSaved: false, configReload: { successful: false, lastSuccessAt: NOW } },
    };
    const text = await textOf();
    for (const words of [
      'The last reload failed; in force is the configuration of 2026-01-15 08:30:00 UTC',
      'The state could not be saved',
      'Credentials of account staging do not work: Gone key',
      'production in cn-hangzhou: DescribeBackupTasks is held back, tried again in 5 min: Dark no answer',
      'production in cn-hangzhou: discovery fails, never worked since the start: Forbidden.RAM 0',
    ]) {
      expect(text).to.include(words);
    }
  });
});
