import { chromium } from 'playwright-core';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { needTool } from './tools.js';

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface TestBrowser {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the page complained of: errors, and whatever its content security policy refused. */
  readonly complaints: string[];
  close(): Promise<void>;
}

/** Debian's Chromium without a profile. Reaches nothing but loopback. */
export async function openBrowser(context: Mocha.Context, options: BrowserContextOptions = {}): Promise<TestBrowser> {
  const executablePath = needTool(context, 'chromium', 'chromium');
  const browser = await chromium.launch({ executablePath, headless: true, args: QUIET });
  const own = await browser.newContext({ viewport: { width: 1_440, height: 900 }, ...options });
  const page = await own.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // Failed loads are what the tests provoke.
    const text = message.text();
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) complaints.push(text);
  });
  return { context: own, page, complaints, close: () => browser.close() };
}
