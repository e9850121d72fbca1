import { expect, test } from 'vitest';
import { browserOfFile, expectText, POLL } from '../support/browser.ts';
import { fixedPrimary, restingReplica } from '../support/http-worlds.ts';
import { put } from '../support/nodes.ts';
import { nodeOfTransitions, stepOf } from '../support/pages.ts';
import { appliedCommit } from '../support/replicas.ts';

const open = browserOfFile();

const moments = (selector = '[data-moments]') =>
  `Number(document.querySelector('${selector}')?.dataset.moments)`;

test('a commit of the primary is seen on the page of its replica: transitions, positions, lit states', async () => {
  const { primary, url: primaryUrl } = await fixedPrimary();
  const { replica, url } = await restingReplica(primaryUrl);
  const { page } = await open(url);
  await expectText(page, '#wal', /applied\s+LSN 703\s*commit 3/);
  await expect.poll(() => page.evaluate(moments()), POLL).toBeGreaterThan(0);
  const before = await page.evaluate<number>(moments());
  const { lsn } = await primary.commit([put('new', '4')]);
  await appliedCommit(replica, 4);
  await expectText(page, '#wal', new RegExp(`applied\\s+LSN ${lsn.toLocaleString('en')}\\s*commit 4`));
  await expect.poll(() => page.evaluate(moments()), POLL).toBeGreaterThan(before);
  await page.locator('[data-transition].is-taken').first().waitFor({ state: 'attached' });
  // What is lit looks so.
  const looks = (selector: string, property: string) =>
    page.evaluate<string[]>(
      `[...new Set([...document.querySelectorAll('${selector}')].map((one) => getComputedStyle(one).${property}))]`,
    );
  const lit = await looks('[data-state].is-current > rect', 'fill');
  expect(lit.length).toBe(1);
  expect(await looks('[data-state]:not(.is-current) > rect', 'fill')).not.toContain(lit[0]);
  const taken = await looks('[data-transition].is-taken path', 'stroke');
  expect(taken.length).toBe(1);
  const others = await looks('[data-transition]:not([class*="is-"]) path', 'stroke');
  expect(others.length).toBeGreaterThan(0);
  expect(others).not.toContain(taken[0]);
});

test('every transition is in the timeline, however fast they come', async () => {
  const count = 1_000;
  const { buffer, url } = await nodeOfTransitions();
  const { page, errors } = await open(url);
  await expectText(page, '[data-state-line]', /\w/);
  for (let sequence = 1; sequence <= count; sequence += 1) {
    buffer.append(stepOf(sequence));
    // In bursts, as batches come: no frame of the browser lies between them.
    if (sequence % 25 === 0) await new Promise(setImmediate);
  }
  await expect.poll(() => page.evaluate(moments()), POLL).toBe(count);
  const slider = page.locator('#timeline input[type=range]');
  expect([await slider.getAttribute('min'), await slider.getAttribute('max')]).toEqual([
    '0',
    String(count - 1),
  ]);
  // Each one can be gone to, and is the one that came at its place.
  for (const place of [0, 1, 499, 500, 998, 999]) {
    await slider.fill(String(place));
    await expectText(page, '#candidates', `event.${place + 1}`);
  }
  expect(await page.locator('#timeline .gap').count()).toBe(0);
  expect(errors).toEqual([]);
});

test('transitions that the node no longer has are a gap in the timeline, with how many', async () => {
  const { buffer, url } = await nodeOfTransitions(4);
  for (let sequence = 1; sequence <= 10; sequence += 1) buffer.append(stepOf(sequence));
  const { page } = await open(url);
  await expectText(page, '#timeline .gap', '6 transitions are missing here');
  await expect.poll(() => page.evaluate(moments()), POLL).toBe(4);
});

test('a reconnected page goes on where it was, and shows what it missed in between', async () => {
  const { buffer, url } = await nodeOfTransitions(4);
  buffer.append(stepOf(1));
  const { page } = await open(url);
  await expect.poll(() => page.evaluate(moments()), POLL).toBe(1);
  await page.context().setOffline(true);
  await expectText(page, '.card .reach', 'no answer');
  for (let sequence = 2; sequence <= 9; sequence += 1) buffer.append(stepOf(sequence));
  await page.context().setOffline(false);
  await expectText(
    page,
    '#timeline .gap',
    '4 transitions are missing here; only the newest transitions are kept',
  );
  await expect.poll(() => page.evaluate(moments()), POLL).toBe(5);
});

test('a node that does not answer any more keeps what it said last, and the page says so', async () => {
  const { replica, url } = await restingReplica((await fixedPrimary()).url);
  const { page } = await open(url);
  await expectText(page, '#wal', /applied\s+LSN 703/);
  await replica.stop();
  await expectText(page, '.card .reach', 'no answer');
  await expectText(page, '.card', 'What is shown is as of its last answer.');
  await expectText(page, '.now', 'It does not answer now');
  await expectText(page, '#wal', /applied\s+LSN 703/);
});

test('a screen reader is told of the newest state, not of every step on the way', async () => {
  const { buffer, url } = await nodeOfTransitions();
  const { page } = await open(url);
  await expectText(page, '[data-state-line]', /\w/);
  await page.evaluate(`
    window.announced = new Set();
    const place = document.querySelector('[data-announcer]');
    new MutationObserver(() => announced.add(place.textContent))
      .observe(place, { childList: true, characterData: true, subtree: true })`);
  for (let sequence = 1; sequence <= 41; sequence += 1) {
    buffer.append({ ...stepOf(sequence), to: sequence === 41 ? 'serving' : `serving.${sequence}` });
    await page.evaluate('new Promise(requestAnimationFrame)');
  }
  await expectText(page, '[data-announcer]', 'this node: serving; reads safe');
  expect((await page.evaluate<string[]>('[...announced]')).length).toBeLessThan(10);
});
