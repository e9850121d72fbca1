import { expect, test } from 'vitest';
import { browserOfFile, expectText } from '../support/browser.ts';
import { fixedPrimary, haltedReplica, restingReplica, startFixedReplica } from '../support/http-worlds.ts';
import { put } from '../support/nodes.ts';
import { appliedCommit } from '../support/replicas.ts';
import { demonstration, proxied } from '../support/pages.ts';
import { temporaryDirectory } from '../support/nodes.ts';

const open = browserOfFile();
const card = (name: string) => `[data-node="${name}"]`;
const nodes = (all: Record<string, string>) =>
  Object.entries(all)
    .map(([name, url]) => `node=${encodeURIComponent(`${name}=${url}`)}`)
    .join('&');

test('a primary and its replicas side by side, by the address: who stands where, behind whom by how many', async () => {
  const { primary, url: primaryUrl } = await fixedPrimary();
  const replica = await restingReplica(primaryUrl);
  const halted = await haltedReplica();
  // All of them below one origin, as a gateway serves them.
  const proxy = await proxied({ '/p/': primaryUrl, '/r/': replica.url, '/h/': halted.url });
  const { page } = await open(`${proxy}/p/?${nodes({ replica: `${proxy}/r/`, halted: `${proxy}/h/` })}`);
  await expectText(page, card('this node'), /primary\s/);
  await expectText(page, card('replica'), 'replica, Ready');
  await expectText(page, card('replica'), /applied\s+LSN 703, commit 3/);
  await expectText(page, card('replica'), /behind\s+this node by 0 commits/);
  await expectText(page, card('halted'), 'replica, ReplicationHalted');
  await expectText(page, card('halted'), /behind\s+this node by 3 commits/);
  await expectText(page, card('halted'), /read gate\s+reads are blocked/);
  await replica.replica.stop();
  await primary.commit([put('more', '1')]);
  await expectText(page, card('replica'), 'no answer');
  await expectText(page, card('replica'), /behind\s+this node by 1 commit\b/);
  await page.getByRole('button', { name: 'Show halted' }).click();
  await expectText(page, '.now', 'halted.resting');
  await page.locator('[data-state="node.halted.resting"].is-current').waitFor({ state: 'attached' });
});

test('a node of another origin answers only pages that it was told of, and the page says what to do', async () => {
  const { url: primaryUrl } = await fixedPrimary();
  const closed = await restingReplica(primaryUrl);
  const { page } = await open(`${primaryUrl}/?${nodes({ closed: closed.url })}`);
  await expectText(page, card('closed'), 'no answer');
  await expectText(page, card('closed'), `does not answer, or not to pages of ${primaryUrl}`);
  expect(await page.locator(card('closed')).innerText()).toMatch(/applied\s+unknown/);
  await page.getByText('Add a node, or open a journal').click();
  const opened = await startFixedReplica(primaryUrl, await temporaryDirectory(), {
    dxOrigins: [primaryUrl],
    dxToken: 'secret',
  });
  await appliedCommit(opened.replica, 3);
  await page.getByLabel('Name').fill('opened');
  await page.getByLabel('Address').fill(opened.url);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByLabel('Token for opened').fill('secret');
  await page.getByRole('button', { name: 'Use it' }).click();
  await expectText(page, card('opened'), /applied\s+LSN 703, commit 3/);
  // The address can be passed on; the token is not in it.
  expect(new URL(page.url()).searchParams.getAll('node')).toEqual([
    `closed=${closed.url}`,
    `opened=${opened.url}`,
  ]);
  expect(page.url()).not.toContain('secret');
  await page.getByRole('button', { name: 'Remove closed' }).click();
  await expect.poll(() => page.locator(card('closed')).count()).toBe(0);
  expect(new URL(page.url()).searchParams.getAll('node')).toEqual([`opened=${opened.url}`]);
});

test('a node that asks for a token shows nothing without it, and everything with it', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url, undefined, { dxToken: 'right' });
  const { page, errors } = await open(url);
  await expectText(page, card('this node'), 'asks for a token');
  await expectText(page, card('this node'), 'UNAUTHORIZED');
  await expectText(page, '[data-state-line]', 'unknown');
  await page.getByLabel('Token for this node').fill('wrong');
  await page.getByRole('button', { name: 'Use it' }).click();
  await expectText(page, card('this node'), 'asks for a token');
  await page.getByLabel('Token for this node').fill('right');
  await page.getByRole('button', { name: 'Use it' }).click();
  await expectText(page, '[data-state-line]', 'replicating.readGate.open');
  await expectText(page, '#timeline', /\d+ transitions/);
  const kept = 'JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, location.href])';
  expect(await page.evaluate(kept)).not.toContain('right');
  expect(errors).toEqual([]);
});

test('the page of a demonstration has a button for each action, and says what came of it', async () => {
  const { url: primaryUrl } = await fixedPrimary({ dxOrigins: [] });
  const actions = [
    { id: 'flip', title: 'Flip a byte', description: 'Of the stream.', enabled: true, reason: null },
    { id: 'kill', title: 'Kill a replica', description: 'At once.', enabled: true, reason: null },
    {
      id: 'fork',
      title: 'Fork the history',
      description: 'Not now.',
      enabled: false,
      reason: 'it is forked',
    },
  ];
  const { url, asked } = await demonstration(
    { nodes: [{ name: 'the </script> "primary"', url: primaryUrl }], actions: './actions' },
    (path) =>
      path === 'GET /actions'
        ? { status: 200, body: actions }
        : path === 'POST /actions/flip'
          ? { status: 200, body: { done: 'A byte was flipped.' } }
          : { status: 409, body: { error: { message: 'there is no replica' } } },
  );
  const { page, errors } = await open(url);
  await page.getByRole('button', { name: 'Flip a byte' }).click();
  await expectText(page, '#actions [role=status]', 'A byte was flipped.');
  await page.getByRole('button', { name: 'Kill a replica' }).click();
  await expectText(page, '#actions [role=status]', 'It was not done: there is no replica');
  expect(await page.getByRole('button', { name: 'Fork the history' }).isDisabled()).toBe(true);
  await expectText(page, '#actions', 'Not now: it is forked');
  expect(asked.filter((one) => one.startsWith('POST'))).toEqual(['POST /actions/flip', 'POST /actions/kill']);
  await expectText(page, '.card h3', 'the </script> "primary"');
  // The policy of the page and of the browser between origins: refused reads are reported by the browser itself.
  expect(errors.filter((one) => !one.includes('CORS policy'))).toEqual([]);
});
