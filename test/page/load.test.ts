import { expect, test } from 'vitest';
import { browserOfFile, dataOfAll, expectText, POLL } from '../support/browser.ts';
import { fixedPrimary, restingReplica, startFixedReplica } from '../support/http-worlds.ts';
import { temporaryDirectory } from '../support/nodes.ts';
import { proxied } from '../support/pages.ts';

const open = browserOfFile();
const LOAD_BYTES_MAX = 200_000;

test('the page of a replica: its state, its chart lit where it stands, and its positions', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const { page, errors } = await open(url);
  const states = ['ingesting.receiving', 'validating.idle', 'applying.idle', 'readGate.open'];
  await expectText(page, '[data-state-line]', states.map((state) => `replicating.${state}`).join(' | '));
  await page.locator('.is-current').first().waitFor();
  expect(await dataOfAll(page, '.is-current', 'state')).toEqual(
    states.map((state) => `node.replicating.${state}`).sort(),
  );
  await expectText(page, '#wal', /validated\s+LSN 703\s*commit 3/);
  await expectText(page, '#wal', /readable\s+LSN 703\s*commit 3/);
  await expectText(page, '#gate', 'Reads are safe');
  await expectText(page, '#halt', 'Nothing has halted this node.');
  expect(errors).toEqual([]);
});

test('the page of a primary shows the chart of a primary', async () => {
  const { url } = await fixedPrimary();
  const { page } = await open(url);
  await page.locator('[data-state="node.disabled"].is-current').waitFor();
  expect(await page.locator('[data-state^="node.replicating"]').count()).toBe(0);
  await expectText(page, '#gate', 'Reads are safe');
});

test('a replica that may not replicate knows of no WAL, and the page says unknown and no number', async () => {
  const { url } = await startFixedReplica('http://127.0.0.1:1', await temporaryDirectory(), {
    replication: 'disabled',
  });
  const { page } = await open(url);
  await expectText(page, '#wal', /received\s+unknown/);
  await expectText(page, '#wal', /validated\s+unknown\s*unknown/);
  expect(await page.locator('#wal').innerText()).not.toMatch(/LSN 0/);
  await expectText(page, '.facts', /behind\s+unknown/);
});

test('nothing is asked for but this node: not on loading, not while it is looked at', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const { page, asked, errors } = await open(url);
  await page.locator('.is-current').first().waitFor();
  // Each endpoint a second time: by then everything that the page does by itself was done.
  await expect
    .poll(() => asked.filter((one) => one.endsWith('/v1/machine?chart=0')).length, POLL)
    .toBeGreaterThan(1);
  expect(asked.filter((one) => !one.startsWith(`${url}/`))).toEqual(
    ['data:,'].filter((one) => asked.includes(one)),
  );
  expect(errors).toEqual([]);
});

test('it only reads: every request of the page of a node is a GET', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const { page } = await open('about:blank');
  const methods = new Set<string>();
  page.on('request', (request) => methods.add(request.method()));
  await page.goto(url);
  await page.locator('.is-current').first().waitFor();
  await expectText(page, '#timeline', /\d+ transitions/);
  expect([...methods]).toEqual(['GET']);
  expect(await page.locator('#actions').count()).toBe(0);
});

test(`a load takes less than ${LOAD_BYTES_MAX} bytes, the first answers included`, async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const { page } = await open('about:blank');
  const sizes: Record<string, Promise<number>> = {};
  page.on('response', (response) => {
    const path = new URL(response.url()).pathname;
    // The stream of transitions does not end; what a node has kept of them is data.
    if (path !== '/v1/events') sizes[path] ??= response.body().then((body) => body.length);
  });
  await page.goto(url);
  await page.locator('.is-current').first().waitFor();
  await page.locator('#candidates .allowed').first().waitFor();
  const bytes = Object.fromEntries(
    await Promise.all(Object.entries(sizes).map(async ([path, size]) => [path, await size] as const)),
  );
  expect(Object.keys(bytes)).toEqual(expect.arrayContaining(['/', '/page/charts/node.svg', '/v1/machine']));
  expect(Object.values(bytes).reduce((sum, one) => sum + one, 0)).toBeLessThan(LOAD_BYTES_MAX);
});

test('behind a proxy, below a path of its own, everything is asked for below that path', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const proxy = await proxied({ '/watch/replica-1/': url });
  const { page, asked } = await open(`${proxy}/watch/replica-1/`);
  await page.locator('.is-current').first().waitFor();
  await expectText(page, '#timeline', 'Live: what is shown is now.');
  await expectText(page, '#timeline', /\d+ transitions/);
  await expectText(page, '#wal', /applied\s+LSN 703/);
  expect(
    asked.filter((one) => one.startsWith('http') && !one.startsWith(`${proxy}/watch/replica-1/`)),
  ).toEqual([]);
});
