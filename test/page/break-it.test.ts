import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { watchDemo, type Watched } from '../demo/watched.ts';
import { browserOfFile, expectText } from '../support/browser.ts';

const open = browserOfFile();

// One demonstration for all of them: the tests are its story, in this order.
describe(
  'the page of a demonstration breaks its nodes, and shows what comes of it',
  { timeout: 120_000 },
  () => {
    let demo: Watched;
    beforeAll(async () => {
      demo = await watchDemo();
    }, 120_000);
    afterAll(() => demo.end());

    const shown = async (node: string) => {
      const { page, errors } = await open(demo.url);
      await page.getByRole('button', { name: `Show ${node}`, exact: true }).click();
      const act = (id: string) => page.locator(`[data-action="${id}"]`).click();
      return { page, errors, act };
    };

    test('P5-I10, F-V1: a byte that is flipped on its way halts the replica, and the page says by which rule', async () => {
      const { page, errors, act } = await shown('replica-a');
      await expectText(page, '#gate', 'Reads are safe');
      await act('flip-byte-replica-a');
      await page.locator('[data-state="node.halted.resting"].is-current').waitFor({ state: 'attached' });
      await expectText(page, '#halt', 'WAL_CORRUPT: P5-I5 checksumMatches');
      await expectText(page, '#gate', 'Reads are blocked');
      await expectText(page, '#actions .said', 'WAL_CORRUPT');
      expect(errors).toEqual([]);
    });

    test('P5-I10: its halt stays until it is cleared, and then it follows again', async () => {
      const { page, act } = await shown('replica-a');
      await page.locator('[data-state="node.halted.resting"].is-current').waitFor({ state: 'attached' });
      await act('clear-halt-replica-a');
      await page
        .locator('[data-state="node.replicating.readGate.open"].is-current')
        .waitFor({ state: 'attached' });
      await expectText(page, '#gate', 'Reads are safe');
    });

    test('F-N1: what is cut off is detached until it is asked to attach', async () => {
      const { page, act } = await shown('replica-a');
      await act('cut-replica-a');
      await page
        .locator('[data-state="node.replicating.ingesting.detached"].is-current')
        .waitFor({ state: 'attached' });
      await act('attach-replica-a');
      await page
        .locator('[data-state="node.replicating.ingesting.receiving"].is-current')
        .waitFor({ state: 'attached' });
    });

    test('the page of a node itself has no such buttons', async () => {
      const { page } = await open(demo.nodes['replica-a'] ?? '');
      await expectText(page, '[data-state-line]', 'replicating');
      expect(await page.locator('#actions, [data-action]').count()).toBe(0);
    });
  },
);
