import { expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { browserOfFile, dataOfAll, expectText, POLL } from '../support/browser.ts';
import { fixedPrimary, haltedReplica, restingReplica } from '../support/http-worlds.ts';
import type { Transition } from '../../src/node/transitions.ts';
import { ask, sentEvents } from '../support/http.ts';

const open = browserOfFile();

async function transitionsOf(url: string): Promise<readonly Transition[]> {
  const { text } = await ask(url, '/v1/events?follow=0');
  return sentEvents(text).map(({ data }) => data as unknown as Transition);
}

/** What the page shows is that transition: state, lit states, what was taken, what was asked. */
async function expectShown(page: Page, { to, event, transitions, verdicts }: Transition): Promise<void> {
  await expectText(page, '[data-state-line]', to);
  await expectText(page, '#candidates', event);
  expect(await page.locator('[data-state-line]').innerText()).toBe(to);
  const current = to.split(' | ').map((path) => `node.${path}`);
  await expect.poll(() => dataOfAll(page, '.is-current[data-state]', 'state'), POLL).toEqual(current.sort());
  expect(await dataOfAll(page, '.is-taken[data-transition]', 'transition')).toEqual([...transitions].sort());
  const rules = await page.locator('#candidates .rule strong').allInnerTexts();
  expect(rules).toEqual(verdicts.map(({ rule_id: rule }) => rule));
}

test('back and forth through every transition of a replica: the chart and the verdicts follow', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const transitions = await transitionsOf(url);
  const { page } = await open(url);
  await expectText(page, '#timeline', `${transitions.length} transitions`);
  const slider = page.getByRole('slider', { name: 'Transition that is shown' });
  for (const place of [0, 1, 20, transitions.length - 2, 5]) {
    await slider.fill(String(place));
    await expectShown(page, transitions[place] as Transition);
  }
  await expectText(page, '#timeline', `What is shown is as of 6 of ${transitions.length}: transition 6,`);
  await expectText(page, '#gate', 'The rules of that moment are not recorded.');
  await expectText(page, '#candidates', 'What else was allowed then is not recorded.');
  expect(await page.locator('.is-allowed[data-transition]').count()).toBe(0);
  await page.getByRole('button', { name: 'Live', exact: true }).click();
  await expectText(page, '[data-state-line]', transitions.at(-1)?.to ?? '');
  await expectText(page, '#candidates', 'Not allowed, and why not');
  await expectText(page, '#timeline', 'Live: what is shown is now.');
});

test('by keyboard alone: the slider and the list are gone through with arrows', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const transitions = await transitionsOf(url);
  const { page } = await open(url);
  await expectText(page, '#timeline', `${transitions.length} transitions`);
  await page.getByRole('slider').focus();
  await page.keyboard.press('Home');
  await expectShown(page, transitions[0] as Transition);
  await page.keyboard.press('ArrowRight');
  await expectShown(page, transitions[1] as Transition);
  await page.locator('#timeline .moments button[aria-current]').focus();
  await page.keyboard.press('ArrowDown');
  await expectShown(page, transitions[0] as Transition);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await expectShown(page, transitions[2] as Transition);
});

test('of a past transition the positions are those that it carried, and unknown stays unknown', async () => {
  const { url } = await haltedReplica();
  const transitions = await transitionsOf(url);
  const { page } = await open(url);
  await expectText(page, '#timeline', `${transitions.length} transitions`);
  await page.getByRole('slider').fill('0');
  await expectText(page, '#wal', /received\s+unknown/);
  await expectText(page, '#wal', /validated\s+unknown\s*unknown/);
  await expectText(page, '#halt', 'Nothing has halted this node.');
  const halting = transitions.findIndex(({ halt }) => halt !== null);
  await page.getByRole('slider').fill(String(halting));
  await expectText(page, '#halt', 'WAL_CORRUPT: P5-I5 checksumMatches');
  await expectText(page, '#candidates', 'P5-I5 checksumMatches violated');
  await expectText(page, '#candidates', /byte\s+96/);
  const { positions } = transitions[halting] as Transition;
  await expectText(page, '#wal', `LSN ${positions.received_lsn}`);
});

test('the drawing is zoomed, fitted and panned by buttons and by keys, and goes to what is lit', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const { page } = await open(url);
  await page.locator('.chart-pane .is-current').first().waitFor();
  const width = () =>
    page.evaluate<number>("document.querySelector('.chart-pane svg').getBoundingClientRect().width");
  const place = () =>
    page.evaluate<number[]>(
      "[document.querySelector('.chart-pane').scrollLeft, document.querySelector('.chart-pane').scrollTop]",
    );
  const before = await width();
  await page.getByRole('button', { name: 'Zoom in' }).click();
  expect(await width()).toBeGreaterThan(before);
  const pane = page.getByRole('region', { name: 'Drawing of the chart' });
  await pane.focus();
  await page.keyboard.press('0');
  const paneBox = (await pane.boundingBox()) as { width: number };
  expect(await width()).toBeLessThanOrEqual(Math.ceil(paneBox.width));
  await page.keyboard.press('+');
  await page.getByRole('button', { name: 'Go to current' }).click();
  const there = await place();
  await page.getByRole('button', { name: 'Pan right' }).click();
  await page.getByRole('button', { name: 'Pan up' }).click();
  expect(await place()).not.toEqual(there);
  await page.keyboard.press('Tab');
  await pane.focus();
  await page.keyboard.press('.');
  expect(await place()).toEqual(there);
  await page.mouse.move(paneBox.width / 2, 0);
  await pane.hover();
  const unzoomed = await width();
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -100);
  await page.keyboard.up('Control');
  await expect.poll(width, POLL).toBeGreaterThan(unzoomed);
});
