/** A browser for the tests of the page: one a file of tests, a context of its own for each test. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { launchBrowser } from '../../scripts/browser.ts';
import { afterTest } from './nodes.ts';

/** What a page has asked for and complained of. */
export interface Watched {
  readonly page: Page;
  /** Every address that was asked for, those that were not let through included. */
  readonly asked: readonly string[];
  /** Errors of scripts and of the page's own policy. */
  readonly errors: readonly string[];
}

/** Starts the browser for a file of tests; the function opens pages in it. */
export function browserOfFile(): (url: string, options?: BrowserContextOptions) => Promise<Watched> {
  let browser: Browser | null = null;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());
  return async (url, options = {}) => {
    if (browser === null) throw new Error('the browser is not started');
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
    afterTest(() => context.close());
    const page = await context.newPage();
    const [asked, errors]: [string[], string[]] = [[], []];
    // The browser itself asks for nothing outside either: whatever is not on this machine gets no answer.
    await context.route(
      (address) => !LOCAL.test(address.hostname) && address.protocol !== 'data:',
      (route) => route.abort(),
    );
    page.on('request', (request) => asked.push(request.url()));
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      const isOfNetwork = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !isOfNetwork) errors.push(message.text());
    });
    await page.goto(url);
    return { page, asked, errors };
  };
}

const LOCAL = /^(127\.0\.0\.1|localhost)$/;

/** Waits until a locator has this text, or fails with the text it has. */
export async function expectText(page: Page, selector: string, wanted: RegExp | string): Promise<void> {
  const text = async () => (await page.locator(selector).allInnerTexts()).join('\n');
  if (typeof wanted === 'string') await expect.poll(text, POLL).toContain(wanted);
  else await expect.poll(text, POLL).toMatch(wanted);
}

export const POLL = { timeout: 15_000, interval: 50 } as const;

/** A data attribute of all elements that a selector finds, sorted. */
export async function dataOfAll(page: Page, selector: string, name: string): Promise<readonly string[]> {
  const all = `[...document.querySelectorAll(${JSON.stringify(selector)})].map((one) => one.dataset[${JSON.stringify(name)}])`;
  return (await page.evaluate<string[]>(all)).sort();
}
