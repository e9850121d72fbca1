import axe from 'axe-core';
import { describe, expect, test } from 'vitest';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { browserOfFile, expectText } from '../support/browser.ts';
import { fixedPrimary, haltedReplica, restingReplica } from '../support/http-worlds.ts';

const open = browserOfFile();
const NARROW = { viewport: { width: 320, height: 640 } } as const;
const LOOKS: readonly (readonly [string, BrowserContextOptions])[] = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['narrow', NARROW],
];

async function violationsOn(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

describe.each(LOOKS)('the page, %s', (_, options) => {
  test('of a replica that is well passes the accessibility checks, live and as of a past transition', async () => {
    const { url } = await restingReplica((await fixedPrimary()).url);
    const { page } = await open(url, options);
    await page.locator('.chart-pane .is-current').first().waitFor({ state: 'attached' });
    await expectText(page, '#candidates', 'Not allowed, and why not');
    await expectText(page, '#timeline', /\d+ transitions/);
    await page.getByText('Add a node, or open a journal').click();
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole('slider').fill('7');
    await expectText(page, '#timeline', 'What is shown is as of 8');
    expect(await violationsOn(page)).toEqual([]);
  });

  test('of a halted replica passes them as well, and so does the question for a token', async () => {
    const { url } = await haltedReplica();
    const { page } = await open(url, options);
    await expectText(page, '#halt', 'What to do');
    await page.locator('.chart-pane .is-current').first().waitFor({ state: 'attached' });
    expect(await violationsOn(page)).toEqual([]);
    const locked = await open((await fixedPrimary({ dxToken: 'x' })).url, options);
    await expectText(locked.page, '.card', 'asks for a token');
    expect(await violationsOn(locked.page)).toEqual([]);
  });
});

test('on a screen of 320 pixels nothing of the page lies beside it', async () => {
  for (const { url } of [await restingReplica((await fixedPrimary()).url), await haltedReplica()]) {
    const { page } = await open(url, NARROW);
    await page.locator('.chart-pane .is-current').first().waitFor({ state: 'attached' });
    await expectText(page, '#candidates', 'Not allowed, and why not');
    await expectText(page, '#timeline', /\d+ transitions/);
    await page.getByText('Add a node, or open a journal').click();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
    // Scrolling by itself is for the drawing; of all else every right edge is on the screen.
    const beyond = `[...document.querySelectorAll('main *')]
      .filter((one) => one.closest('.chart-pane') === null && one.closest('.for-readers') === null)
      .filter((one) => one.getBoundingClientRect().right > 320.5)
      .map((one) => one.outerHTML.slice(0, 80))`;
    expect(await page.evaluate(beyond)).toEqual([]);
  }
});

test('light and dark follow the system, page and drawing alike', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const colours: unknown[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page } = await open(url, { colorScheme });
    await page.locator('.chart-pane .is-current').first().waitFor({ state: 'attached' });
    const brightness = (selector: string) =>
      `getComputedStyle(document.querySelector('${selector}')).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((sum, one) => sum + Number(one), 0) > 384`;
    colours.push([
      await page.evaluate(brightness('body')),
      await page.evaluate(brightness('.chart-pane svg')),
    ]);
  }
  expect(colours).toEqual([
    [true, true],
    [false, false],
  ]);
});

test('with reduced motion nothing moves by itself', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const moving = `[...document.querySelectorAll('*')].filter((one) => {
    const { transitionDuration, animationName } = getComputedStyle(one);
    return transitionDuration.split(', ').some((time) => time !== '0s') || animationName !== 'none';
  }).length`;
  const found: unknown[] = [];
  for (const reducedMotion of ['reduce', 'no-preference'] as const) {
    const { page } = await open(url, { reducedMotion });
    await expectText(page, '#wal', /applied\s+LSN 703/);
    found.push((await page.evaluate(moving)) === 0);
  }
  expect(found).toEqual([true, false]);
});

test('every control is reached by the keyboard, in the order of the page, with a focus that is seen', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const { page } = await open(url);
  await page.locator('.chart-pane .is-current').first().waitFor({ state: 'attached' });
  await expectText(page, '#timeline', /\d+ transitions/);
  const names: string[] = [];
  for (let presses = 0; presses < 24; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = `(() => {
      const one = document.activeElement;
      const isSeen = getComputedStyle(one).outlineStyle !== 'none';
      return (isSeen ? '' : 'UNSEEN ') + (one.getAttribute('aria-label') ?? one.textContent).trim().slice(0, 40);
    })()`;
    names.push(await page.evaluate<string>(focused));
  }
  expect(names.slice(0, 3)).toEqual([
    'Skip to the node in view',
    'Show this node',
    'Add a node, or open a journal',
  ]);
  expect(names).toEqual(
    expect.arrayContaining(['Zoom in', 'Fit', 'Drawing of the chart', 'Transition that is shown', 'Live']),
  );
  expect(names.filter((name) => name.startsWith('UNSEEN'))).toEqual([]);
});
