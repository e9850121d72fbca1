import { expect, test } from 'vitest';
import { browserOfFile, dataOfAll, expectText } from '../support/browser.ts';
import { fixedPrimary, haltedReplica, restingReplica } from '../support/http-worlds.ts';
import { dataOf } from '../support/observed.ts';

const open = browserOfFile();

interface Candidates {
  readonly candidates: readonly {
    readonly transition: string;
    readonly event: string;
    readonly allowed: boolean;
    readonly verdict: { readonly rule_id: string; readonly evidence: Record<string, unknown> } | null;
  }[];
}

test('what may happen next: each candidate, and of each that may not, the guard and its evidence', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const { candidates } = await dataOf<Candidates>(url, '/v1/machine?chart=0');
  const { page } = await open(url);
  await expectText(page, '#candidates', 'Not allowed, and why not');
  const allowed = candidates.filter((one) => one.allowed);
  const barred = candidates.filter((one) => !one.allowed);
  expect([allowed.length, barred.length]).toEqual([5, 3]);
  expect(await page.locator('#candidates .allowed').count()).toBe(allowed.length);
  const shown = await page.locator('#candidates .barred').allInnerTexts();
  expect(shown).toHaveLength(barred.length);
  for (const [index, { event, verdict }] of barred.entries()) {
    const text = shown[index]?.replace(/\s+/g, ' ');
    expect(text).toContain(event);
    expect(text).toContain(`${verdict?.rule_id} violated`);
    for (const [name, value] of Object.entries(verdict?.evidence ?? {}))
      expect(text).toContain(`${name} ${value === null ? 'null' : String(value as string)}`);
  }
  await page.locator('[data-transition].is-allowed').first().waitFor({ state: 'attached' });
  const marked = (kind: string) => dataOfAll(page, `.${kind}[data-transition]`, 'transition');
  expect(await marked('is-allowed')).toEqual(allowed.map(({ transition }) => transition).sort());
  expect(await marked('is-barred')).toEqual(barred.map(({ transition }) => transition).sort());
});

test('every rule of the read gate stands there with its verdict and its evidence', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const { page } = await open(url);
  await expectText(page, '#gate', 'Reads are safe');
  const rules = await page.locator('#gate .rule').allInnerTexts();
  expect(rules.map((text) => /P5-I\d+ \w+ \w+/.exec(text)?.[0])).toEqual([
    'P5-I12 nodeIsActive holds',
    'P5-I10 nothingIsHalted holds',
    'P5-I4 prefixHolds holds',
    'P5-I12 viewIsApplied holds',
    'P5-I4 viewIsInHistory holds',
    'P5-I12 noApplicationIsInFlight holds',
  ]);
  await page.locator('#gate .rule', { hasText: 'viewIsApplied' }).locator('summary').click();
  await expectText(page, '#gate', /view_commit_id\s+3\s+applied_commit_id\s+3/);
});

test('a halted replica: the rule that was broken, at which byte, what to do, and that reads are blocked', async () => {
  const { url } = await haltedReplica();
  const { page } = await open(url);
  await expectText(page, '[data-state-line]', 'halted.resting');
  await page.locator('[data-state="node.halted.resting"].is-current').waitFor({ state: 'attached' });
  await expectText(page, '#halt', 'WAL_CORRUPT: P5-I5 checksumMatches');
  await expectText(page, '#halt', /byte\s+96/);
  await expectText(page, '#halt', /expected\s+crc32c\s+[0-9a-f]{8}\s+found\s+crc32c\s+[0-9a-f]{8}/);
  await expectText(page, '#halt', 'What to do: Keep the evidence.');
  await expectText(page, '#gate', 'Reads are blocked');
  await expectText(page, '#gate', 'P5-I10 nothingIsHalted violated');
  await expectText(page, '#wal', /readable\s+nothing: reads are blocked/);
  await expectText(page, '.card .reads', 'reads are blocked');
});

test('how the last start recovered, with what was decided and by which rules', async () => {
  const { url } = await restingReplica((await fixedPrimary()).url);
  const { page } = await open(url);
  await expectText(page, '#recovery', 'bootstrap');
  await expectText(page, '#recovery', 'discard partials');
  await page.getByText('Rules of the recovery').click();
  await expectText(page, '#recovery', 'P5-I10 noHaltIsRecorded holds');
});
