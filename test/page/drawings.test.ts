import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { browserOfFile, dataOfAll, expectText, POLL } from '../support/browser.ts';
import { fixedPrimary, haltedReplica, restingReplica } from '../support/http-worlds.ts';

const open = browserOfFile();

const WRITTEN = '"charts":[';

test('drawings of stages can be chosen, and are lit in the same way', async () => {
  const { url } = await haltedReplica();
  const { page } = await open('about:blank');
  const svg = await readFile(new URL('../../visualizations/node.svg', import.meta.url), 'utf8');
  // A page whose server has a drawing more, whichever the package has.
  await page.route(`${url}/`, async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace(WRITTEN, `${WRITTEN}"stages-9-of-a-test.svg",`);
    await route.fulfill({ response, body });
  });
  await page.route(`${url}/page/charts/stages-9-of-a-test.svg`, (route) =>
    route.fulfill({ contentType: 'image/svg+xml', body: svg.replace('<svg ', '<svg data-stage="9" ') }),
  );
  await page.goto(url);
  await page.getByRole('combobox').selectOption('9-of-a-test');
  await page
    .locator('svg[data-stage="9"] [data-state="node.halted.resting"].is-current')
    .waitFor({ state: 'attached' });
  await page.getByRole('combobox').selectOption('the whole chart');
  await page.locator('svg:not([data-stage]) .is-current').first().waitFor({ state: 'attached' });
});

test('a drawing that cannot be had is told of, and all else is shown', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const { page } = await open('about:blank');
  await page.route(`${url}/page/charts/node.svg`, (route) => route.fulfill({ status: 502, body: 'no' }));
  await page.goto(url);
  await expectText(page, '#chart .problem', 'The drawing node.svg cannot be had: Error: HTTP 502');
  await expectText(page, '[data-state-line]', 'replicating.readGate.open');
  await expectText(page, '#candidates', 'Not allowed, and why not');
});

test('what is lit lies in view when the page has loaded, and again when it has moved on', async () => {
  const { url } = await haltedReplica();
  const { page } = await open(url);
  const isInView = `(() => {
    const pane = document.querySelector('.chart-pane').getBoundingClientRect();
    const lit = document.querySelector('.is-current > rect')?.getBoundingClientRect();
    return lit !== undefined && lit.left >= pane.left && lit.right <= pane.right && lit.top >= pane.top && lit.bottom <= pane.bottom;
  })()`;
  for (const place of [null, '0', '12']) {
    if (place !== null) await page.getByRole('slider').fill(place);
    await expect.poll(() => page.evaluate(isInView), POLL).toBe(true);
  }
  expect(await dataOfAll(page, '.is-current[data-state]', 'state')).not.toEqual(['node.halted.resting']);
});
