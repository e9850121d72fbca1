import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { browserOfFile, dataOfAll, expectText } from '../support/browser.ts';
import { fixturePath, newestFlight, recordedReplica, recordsOf } from '../support/flights.ts';
import { fixedPrimary } from '../support/http-worlds.ts';
import { temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit } from '../support/replicas.ts';
import type { Move } from '../../src/core/flight/records.ts';
import { sentEvents, ask } from '../support/http.ts';

const open = browserOfFile();

async function opened(path: string): Promise<Page> {
  const { url } = await fixedPrimary();
  const { page } = await open(url);
  await page.getByText('Add a node, or open a journal').click();
  await page.locator('input[type=file]').setInputFiles(path);
  return page;
}

async function movesIn(path: string): Promise<readonly Move[]> {
  return recordsOf(await readFile(path)).flatMap((record) => (record['moves'] as Move[] | undefined) ?? []);
}

describe('a recorded journal, opened from a file', () => {
  test('fills the timeline with every transition that it holds, and its checksums are checked', async () => {
    const path = fixturePath('checksum-mismatch');
    const moves = await movesIn(path);
    const page = await opened(path);
    await expectText(page, '#timeline', `${moves.length} transitions`);
    await expectText(
      page,
      '.now',
      `The chained checksums of ${recordsOf(await readFile(path)).length} records hold.`,
    );
    const halting = moves.findIndex(({ verdicts }) =>
      verdicts.some(({ evaluation }) => evaluation === 'violated'),
    );
    await page.getByRole('slider').fill(String(halting));
    await expectText(page, '[data-state-line]', 'halted.');
    await expectText(page, '#candidates', 'P5-I5 checksumMatches violated');
    await expectText(page, '#candidates', /crc32c/);
    expect(await dataOfAll(page, '.is-taken[data-transition]', 'transition')).toEqual(
      moves[halting]?.transitions,
    );
    await expectText(page, '#halt', 'unknown: not recorded as such');
    await page.getByRole('slider').fill('0');
    await expectText(page, '#wal', /received\s+unknown/);
  });

  test('shows at every transition the very states that the node had', async () => {
    const { url } = await fixedPrimary();
    const dataDir = await temporaryDirectory();
    const replica = await recordedReplica(dataDir, {}, { primaryUrl: url, listen: '127.0.0.1:0' });
    await appliedCommit(replica, 3);
    const { text } = await ask(replica.url as string, '/v1/events?follow=0');
    const sent = sentEvents(text).map(({ data }) => String(data['to']));
    await replica.stop();
    const path = join(dataDir, 'copied.flight');
    await writeFile(path, await newestFlight(dataDir));
    const page = await opened(path);
    await expectText(page, '#timeline', /\d+ transitions/);
    for (const [place, to] of sent.entries()) {
      await page.getByRole('slider').fill(String(place));
      await expectText(page, '#timeline .then', `as of ${place + 1} of`);
      expect([place, await page.locator('[data-state-line]').innerText()]).toEqual([place, to]);
    }
  });

  test('that is damaged is read up to the damage, and what was expected is said', async () => {
    const bytes = await readFile(fixturePath('gap'));
    const lines = bytes.toString('latin1').split('\n');
    const damaged = lines
      .map((line, index) => (index === 3 ? line.replace('"step"', '"stop"') : line))
      .join('\n');
    const path = join(await temporaryDirectory(), 'damaged.flight');
    await writeFile(path, damaged, 'latin1');
    const page = await opened(path);
    await expectText(page, '.now', 'The chained checksums of 3 records hold.');
    await expectText(
      page,
      '.now',
      /Nothing behind is shown: line 4: the checksum [0-9a-f]{8} was expected, found [0-9a-f]{8}/,
    );
  });

  test('whose last line is torn says so', async () => {
    const path = join(await temporaryDirectory(), 'torn.flight');
    await writeFile(path, (await readFile(fixturePath('gap'))).subarray(0, -20));
    await expectText(await opened(path), '.now', 'The last line is torn');
  });

  test('that is none is refused, and the view stays where it was', async () => {
    const path = join(await temporaryDirectory(), 'other.flight');
    await writeFile(path, 'not a journal\n');
    const page = await opened(path);
    await expectText(page, '[role=alert]', 'other.flight cannot be opened: line 1: a record was expected');
    await expectText(page, '.now', 'this node');
  });
});
