/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { expect } from 'chai';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { createApp } from '../../dist/http/app.js';
import type { InstanceState } from '../../dist/domain/instance-state.js';
import type { StatusSnapshot } from '../../dist/status/snapshot.js';
import { openBrowser } from '../helpers/browser.js';
import type { TestBrowser } from '../helpers/browser.js';
import { MINUTE, instance, parts, serve, state, task, tracked } from '../unit/http/helpers.js';
import type { TestServer } from '../unit/http/helpers.js';
import { sampleSnapshot } from '../unit/status/sample-fleet.js';

/** The exporter behind the page, on the wall clock as a real one, with a fleet that the test changes. */
class Exporter {
  current: StatusSnapshot;
  server: TestServer | undefined;
  /** What was asked, in the order in which it arrived. */
  requests: string[] = [];
  /** Whether it takes requests and says nothing. */
  isMute = false;

  constructor(size: number) {
    this.current = sampleSnapshot(size, Date.now());
  }

  get origin(): string {
    return this.server?.origin ?? '';
  }

  async start(port = 0): Promise<void> {
    const app = createApp(parts({ snapshot: () => ({ ...this.current, now: Date.now() }) }));
    this.server = await serve(
      (request, response) => {
        this.requests.push(request.url ?? '');
        if (!this.isMute) app(request, response);
      },
      { addresses: [{ host: '127.0.0.1', port }] },
    );
  }

  change(over: Partial<StatusSnapshot>): void {
    this.current = { ...this.current, version: this.current.version + 1, ...over };
  }
}

/** What axe finds in the page, which has it loaded: by all of its rules, or by those for colours. */
async function violations(page: Page, rules: 'all' | 'colours'): Promise<string[]> {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const runOnly =
    rules === 'all'
      ? { type: 'tag', values: tags }
      : { type: 'rule', values: ['color-contrast', 'link-in-text-block'] };
  const found = await page.evaluate((only) => Reflect.get(globalThis, 'axe').run(document, { runOnly: only }), runOnly);
  return found.violations.map(
    ({ id, nodes }: { id: string; nodes: { html: string }[] }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`,
  );
}

describe('the status page in a browser', function () {
  this.timeout(180_000);
  let browser: TestBrowser;
  let exporter: Exporter;

  before(async function () {
    browser = await openBrowser(this);
    // The page's clock goes on by itself, and jumps where a test would wait.
    await browser.context.clock.install();
  });
  beforeEach(async () => {
    exporter = new Exporter(240);
    await exporter.start();
    browser.complaints.length = 0;
  });
  afterEach(async () => {
    await browser?.page.goto('about:blank');
    await exporter.server?.close();
    expect(browser.complaints).to.deep.equal([]);
  });
  after(() => browser?.close());

  const open = async (query = ''): Promise<Page> => {
    await browser.page.goto(`${exporter.origin}/${query}`);
    await browser.page.waitForSelector('#pause:visible');
    return browser.page;
  };
  /** Lets the page ask the exporter anew. */
  const refresh = (): Promise<void> => browser.page.clock.fastForward(5_100);
  const names = (page: Page): Promise<string[]> => page.locator('.list tbody .c-name a').allTextContents();

  it('shows what needs a person first, with counts that filter', async () => {
    const page = await open();
    expect(await page.title()).to.equal('2 stuck, 2 failed last, 2 unknown · RDS backups');
    expect((await names(page)).slice(0, 4)).to.deep.equal(['search-index-122', 'search-index-2', 'crm-123', 'crm-3']);
    expect(await page.locator('.list tbody tr').count()).to.equal(50);
    await page.click('.count.stuck');
    await page.waitForFunction(() => document.querySelectorAll('.list tbody tr').length === 2);
    expect(page.url()).to.equal(`${exporter.origin}/?state=stuck`);
    await page.click('.count.stuck');
    await page.waitForFunction(() => document.querySelectorAll('.list tbody tr').length === 50);
  });

  it('moves a progress bar in place, without touching the rest', async () => {
    const page = await open('?q=metrics-13&state=running&limit=1');
    const bar = page.locator('.list progress').first();
    expect(await bar.getAttribute('value')).to.equal('91');
    const kept = await page.locator('.list tbody tr').first().elementHandle();
    const states = exporter.current.states.map((one) =>
      one.tasks[0]?.task.processPercent === 91
        ? { ...one, tasks: [{ ...one.tasks[0], task: { ...one.tasks[0].task, processPercent: 95 } }] }
        : one,
    );
    exporter.change({ states });
    await refresh();
    await page.waitForFunction(() => document.querySelector('.list progress')?.getAttribute('value') === '95');
    expect(await kept?.evaluate((row) => row.isConnected)).to.equal(true);
  });

  it('keeps filters in the address, over a reload and for a colleague', async () => {
    const page = await open();
    await page.fill('input[name=q]', 'ledger');
    await page.selectOption('select[name=engine]', 'SQLServer');
    await page.waitForFunction(() => location.search.includes('SQLServer'));
    await page.waitForFunction(() =>
      [...document.querySelectorAll('.c-engine')].slice(1).every((cell) => cell.textContent?.startsWith('SQLServer')),
    );
    const before = await names(page);
    expect(before.length).to.be.greaterThan(0);
    expect(before.every((name) => name.startsWith('ledger') || name.startsWith('rm-'))).to.equal(true);
    expect(new URL(page.url()).search).to.equal('?q=ledger&engine=SQLServer');
    await page.reload();
    expect(await page.inputValue('input[name=q]')).to.equal('ledger');
    expect(await page.inputValue('select[name=engine]')).to.equal('SQLServer');
    expect(await names(page)).to.deep.equal(before);
  });

  it('goes back and forward through what was looked at', async () => {
    const page = await open();
    await page.click('.count.failed');
    await page.waitForFunction(() => document.querySelectorAll('.list tbody tr').length === 2);
    await page.goBack();
    await page.waitForFunction(() => document.querySelectorAll('.list tbody tr').length === 50);
    await page.goForward();
    await page.waitForFunction(() => document.querySelectorAll('.list tbody tr').length === 2);
  });

  it('shows markup in a description as text, and Chinese as it is', async () => {
    const attack = `<script>document.title='owned'</script><img src=x onerror="document.title='owned'">`;
    const evil = instance({ name: attack, instanceId: `rm-"'<b>`, account: 'a"><i>', labels: { team: '</dd><b>' } });
    exporter.change({
      states: [
        state({ instance: evil, lastGoodPollAt: Date.now() }),
        state({ instance: instance({ name: '订单数据库 – 生产' }), lastGoodPollAt: Date.now() }),
      ],
    });
    const page = await open(`?sort=name&q=`);
    expect((await names(page)).toSorted()).to.deep.equal([attack, '订单数据库 – 生产'].toSorted());
    await page.click(`.list tbody a:has-text("onerror")`);
    await page.waitForSelector('#detail');
    expect(await page.textContent('#detail-title')).to.equal(attack);
    expect(await page.title()).to.not.include('owned');
    expect(await page.locator('main script, main img, main b, main i').count()).to.equal(0);
  });

  it('says when the exporter does not answer, and takes it back', async () => {
    const page = await open();
    const port = exporter.server!.port;
    expect(await page.isVisible('#connection')).to.equal(false);
    await exporter.server!.close();
    await refresh();
    await page.waitForSelector('#connection:visible');
    expect(await page.textContent('#connection')).to.match(
      /^The exporter has not answered since .+ Shown is what it said at .+\.$/,
    );
    expect(await page.locator('.list tbody tr').count()).to.equal(50);
    await exporter.start(port);
    await refresh();
    await page.waitForSelector('#connection', { state: 'hidden' });
    expect(await page.textContent('#connection')).to.equal('');
  });

  it('says so as well when the exporter takes the question and never answers', async () => {
    const page = await open();
    exporter.isMute = true;
    await Promise.all([page.waitForRequest(`${exporter.origin}/`), refresh()]);
    await page.clock.fastForward(10_000);
    await page.waitForSelector('#connection:visible');
    exporter.isMute = false;
    await refresh();
    await page.waitForSelector('#connection', { state: 'hidden' });
  });

  it('asks with the tag of what it shows, and is told 304', async () => {
    const page = await open('?state=idle&limit=5&q=nothing-at-all');
    exporter.requests.length = 0;
    for (const status of [200, 304]) {
      const [answer] = await Promise.all([
        page.waitForResponse((response) => response.url().includes('nothing-at-all')),
        refresh(),
      ]);
      expect(answer.status()).to.equal(status);
      await page.waitForFunction(() => document.getElementById('live')?.textContent === 'Live, updated 0 s ago');
    }
  });

  /** Whatever the page asked while its clock ran came before what it is made to ask last. */
  const expectSilence = async (): Promise<void> => {
    exporter.requests.length = 0;
    await browser.page.clock.fastForward(60_000);
    expect(await browser.page.evaluate(async () => (await fetch('/-/healthy')).status)).to.equal(200);
    expect(exporter.requests).to.deep.equal(['/-/healthy']);
  };

  it('asks for nothing while it is paused', async () => {
    const page = await open();
    await page.click('#pause');
    expect(await page.getAttribute('#pause', 'aria-pressed')).to.equal('true');
    expect(await page.textContent('#live')).to.match(/^Paused/);
    await expectSilence();
    await page.click('#pause');
    await page.waitForFunction(() => document.getElementById('live')?.textContent?.startsWith('Live'));
    await page.waitForFunction(() => document.getElementById('live')?.textContent === 'Live, updated 0 s ago');
    expect(exporter.requests).to.include('/');
  });

  it('asks for nothing in a hidden tab, and at once when it is looked at again', async () => {
    const page = await open();
    const hide = (isHidden: boolean): Promise<void> =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, isHidden);
    await hide(true);
    await expectSilence();
    await Promise.all([page.waitForResponse(`${exporter.origin}/`), hide(false)]);
  });

  it('finds its way through 10,000 instances, a bounded page at a time', async () => {
    exporter.current = sampleSnapshot(10_000, Date.now());
    const page = await open();
    expect(await page.textContent('.pager p')).to.equal('1 to 50 of 10,000');
    expect(await page.locator('.list tbody tr').count()).to.equal(50);
    await page.fill('input[name=q]', '订单数据库-81');
    await page.waitForFunction(() => location.search !== '' && document.querySelectorAll('.list tbody tr').length < 50);
    expect((await names(page)).every((name) => name.startsWith('订单数据库-81'))).to.equal(true);
    await page.click('.clear');
    await page.click('.pager >> text=Last');
    await page.waitForFunction(() => document.querySelector('.pager p')?.textContent === '9,951 to 10,000 of 10,000');
    const answer = await page.reload();
    expect((await answer!.request().sizes()).responseBodySize).to.be.below(30_000);
    expect((await answer!.text()).length).to.be.below(150_000);
  });

  it('is worked by keyboard alone, focus kept over updates', async () => {
    const page = await open();
    const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');
    await page.keyboard.press('Tab');
    expect(await focused()).to.equal('Skip to the list');
    await page.keyboard.press('Enter');
    await page.locator('.list tbody a').first().focus();
    const first = await focused();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement?.id === 'detail');
    expect(await page.textContent('#detail-title')).to.equal(first);
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => !document.getElementById('detail'));
    await page.waitForFunction((text) => document.activeElement?.textContent === text, first);
    const moves = (change: (one: InstanceState) => InstanceState): void =>
      exporter.change({
        states: exporter.current.states.map((one) => (one.instance.name === first ? change(one) : one)),
      });
    moves((one) => ({ ...one, tasks: [{ ...one.tasks[0]!, lastProgressAt: Date.now() }] }));
    await refresh();
    await page.waitForFunction((text) => document.querySelector('.list tbody a')?.textContent !== text, first);
    expect(await focused()).to.equal(first);
  });

  it('leaves the focus to the list when the focused row goes', async () => {
    const page = await open();
    await page.locator('.list tbody a').first().focus();
    exporter.change({
      states: exporter.current.states.filter(({ instance: { name } }) => name !== 'search-index-122'),
    });
    await refresh();
    await page.waitForFunction(() => document.activeElement?.id === 'list');
  });

  it('keeps what is being typed over an update', async () => {
    const page = await open();
    await page.focus('input[name=q]');
    await page.keyboard.type('led', { delay: 20 });
    await page.waitForFunction(() => location.search === '?q=led');
    await page.keyboard.type('ger');
    await page.waitForFunction(() => location.search === '?q=ledger');
    expect(await page.inputValue('input[name=q]')).to.equal('ledger');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).to.equal('q');
  });

  it('has the detail of an instance with tasks, outcomes and the console', async () => {
    const one = instance();
    const running = tracked({
      task: task({ backupStatus: 'Other', unexpected: [{ field: 'BackupStatus', value: 'Dancing' }] }),
      firstSeenAt: Date.now() - 9 * MINUTE,
      lastProgressAt: Date.now() - MINUTE,
    });
    exporter.change({ states: [state({ instance: one, lastGoodPollAt: Date.now(), tasks: [running] })] });
    const page = await open('?open=production/cn-hangzhou/rm-bp1example01');
    const text = (await page.textContent('#detail')) ?? '';
    for (const part of ['88120417', 'NormalBackupTask', 'BackupProgressStatus', 'Dancing', '62 %']) {
      expect(text).to.include(part);
    }
    expect(
      await page.locator('#detail .links a').evaluateAll((links) => links.map((link) => link.getAttribute('href'))),
    ).to.deep.equal([
      'https://rdsnext.console.aliyun.com/detail/rm-bp1example01/basicInfo?region=cn-hangzhou',
      'https://rds.console.alibabacloud.com/detail/rm-bp1example01/basicInfo?region=cn-hangzhou',
    ]);
  });

  it("tells times in the viewer's zone, UTC on hover", async () => {
    const page = await open();
    const time = page.locator('.list tbody time').first();
    expect(await time.textContent()).to.match(/ ago$/);
    expect(await time.getAttribute('title')).to.match(/\(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)$/);
  });

  it('fits a phone without scrolling sideways', async () => {
    const page = await open();
    await page.setViewportSize({ width: 360, height: 740 });
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).to.be.at.most(0);
    await page.setViewportSize({ width: 1_440, height: 900 });
  });

  it('passes axe, light and dark, wide and narrow, with every state, detail open and problems shown', async () => {
    const now = Date.now();
    exporter.current = sampleSnapshot(18, now, {
      accounts: [
        { account: 'staging', credentialType: 'access_key', problem: { code: 'Bad', message: 'no key', at: now } },
      ],
      skipped: [{ account: 'a', regionId: 'r', instanceId: 'rm-ro', name: 'replica', reason: 'Readonly' }],
    });
    const { account, regionId, instanceId } = exporter.current.states[2]!.instance;
    const page = await open(`?open=${account}/${regionId}/${instanceId}`);
    expect(await page.locator('.count:not(.none)').count()).to.equal(8);
    await page.evaluate(axe.source);
    const found: Record<string, string[]> = {};
    for (const width of [1_440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        found[`${colorScheme} ${width}`] = await violations(page, colorScheme === 'light' ? 'all' : 'colours');
      }
    }
    await page.setViewportSize({ width: 1_440, height: 900 });
    await page.emulateMedia({ colorScheme: null });
    expect(found).to.deep.equal({ 'light 1440': [], 'dark 1440': [], 'light 390': [], 'dark 390': [] });
  });

  it('has a dark ground in dark mode and a light one in light mode', async () => {
    const page = await open();
    const ground = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await ground()).to.equal('rgb(18, 22, 29)');
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await ground()).to.equal('rgb(246, 247, 249)');
    await page.emulateMedia({ colorScheme: null });
  });
});

describe('the status page without JavaScript', function () {
  this.timeout(180_000);

  it('shows the list, filters by its form and pages', async function () {
    const browser = await openBrowser(this, { javaScriptEnabled: false });
    const exporter = new Exporter(240);
    await exporter.start();
    const { page } = browser;
    await page.goto(exporter.origin);
    expect(await page.locator('.list tbody tr').count()).to.equal(50);
    expect(await page.isVisible('#pause')).to.equal(false);
    await page.fill('input[name=q]', 'crm');
    await page.click('button[type=submit]');
    expect(new URL(page.url()).searchParams.get('q')).to.equal('crm');
    expect(await page.locator('.pager p').textContent()).to.match(/^1 to \d+ of \d+$/);
    await page.click('.list tbody a >> nth=0');
    expect(await page.locator('#detail-title').textContent()).to.match(/^crm-/);
    expect(browser.complaints).to.deep.equal([]);
    await browser.close();
    await exporter.server?.close();
  });
});
