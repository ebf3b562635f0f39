/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { expect } from 'chai';
import { startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';
import { openBrowser } from '../helpers/browser.js';
import type { TestBrowser } from '../helpers/browser.js';

describe('the page of the demo', function () {
  this.timeout(180_000);
  let browser: TestBrowser | undefined;
  let exporter: RunningExporter | undefined;

  before(async function () {
    browser = await openBrowser(this);
    exporter = await startExporter(['--demo']);
  });
  after(async () => {
    await browser?.close();
    await exporter?.program.stop();
  });

  it('shows its fleet, and a progress bar that moves by itself', async () => {
    const { page, complaints } = browser!;
    await page.goto(`${exporter!.url}/`);
    await page.waitForFunction(() => document.querySelectorAll('.list tbody tr.running progress').length > 0, null, {
      timeout: 60_000,
    });
    expect(await page.locator('.list tbody tr').count()).to.be.greaterThan(15);
    const before = await page.evaluate(() =>
      Object.fromEntries(
        [...document.querySelectorAll<HTMLElement>('.list tbody tr')].map((row) => [
          row.dataset.key ?? '',
          row.querySelector('progress')?.value,
        ]),
      ),
    );
    await page.waitForFunction(
      (seen) =>
        [...document.querySelectorAll<HTMLElement>('.list tbody tr')].some((row) => {
          const was = seen[row.dataset.key ?? ''];
          const is = row.querySelector('progress')?.value;
          return was !== undefined && is !== undefined && is > was;
        }),
      before,
      { timeout: 60_000 },
    );
    expect(complaints).to.deep.equal([]);
  });
});
