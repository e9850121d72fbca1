import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, cliJson } from '../support/cli.ts';
import { fingerprint } from '../support/files.ts';
import { fixturePath, journalOf, recordsOf, SECOND_RUN } from '../support/flights.ts';
import { temporaryDirectory } from '../support/nodes.ts';
import { runProcess } from '../support/processes.ts';

interface Verdict {
  readonly verdict: string;
  readonly difference: Record<string, unknown> | null;
  readonly final: { readonly state: string; readonly halt: { readonly code: string } | null } | null;
}

const replay = (path: string) => cliJson<Verdict>(['replay', path]);

async function fileWith(journal: Buffer): Promise<string> {
  const path = join(await temporaryDirectory(), '00000000000000000001.flight');
  await writeFile(path, journal);
  return path;
}

describe('what a replay says, and its exit code', () => {
  test('0: the same, in a process of its own', async () => {
    const { started, exited } = runProcess(['replay', fixturePath('checksum-mismatch'), '--json']);
    expect(await started).toMatchObject({
      verdict: 'same',
      files: 1,
      runs: 1,
      gaps: 0,
      lost: 0,
      ended: 1,
      final: { chart: 'node', state: 'stopped.closed', halt: { rule: 'P5-I5 checksumMatches' } },
      torn: null,
      damage: null,
      difference: null,
    });
    expect((await exited).code).toBe(0);
  });

  test('0: of a directory, and of the data directory around it; nothing is changed', async () => {
    const dataDir = await temporaryDirectory();
    await mkdir(join(dataDir, 'flight'));
    const name = '00000000000000000003.flight';
    await copyFile(fixturePath('divergence'), join(dataDir, 'flight', name));
    const before = await fingerprint(dataDir, /^$/);
    const alone = await replay(join(dataDir, 'flight', name));
    expect(alone.exit).toBe(0);
    expect(await replay(join(dataDir, 'flight'))).toEqual(alone);
    expect(await replay(dataDir)).toEqual(alone);
    expect(await fingerprint(dataDir, /^$/)).toEqual(before);
  });

  test('5: damaged', async () => {
    const journal = await readFile(fixturePath('gap'));
    journal[2_000] = (journal[2_000] as number) ^ 1;
    const { exit, body } = await replay(await fileWith(journal));
    expect([exit, body]).toMatchObject([5, { verdict: 'damaged', damage: { line: 2 } }]);
  });

  test('5: different, with the first difference', async () => {
    const records = recordsOf(await readFile(fixturePath('gap'))).map((record) =>
      record['n'] === 4 ? { ...record, state: 'elsewhere' } : record,
    );
    const path = await fileWith(journalOf(records));
    const { exit, body } = await replay(path);
    expect([exit, body]).toMatchObject([
      5,
      { verdict: 'different', difference: { line: 4, record: 4, what: 'state', expected: 'elsewhere' } },
    ]);
    const { exit: again, out } = await cli(['replay', path]);
    expect(again).toBe(5);
    expect(out).toMatch(/^verdict +different$/m);
    expect(out).toMatch(/^what +state$/m);
    expect(out).toMatch(/^expected +elsewhere$/m);
    expect(out).toMatch(/^found +\S+$/m);
  });

  test('6: a torn end', async () => {
    const journal = await readFile(fixturePath('gap'));
    const { exit, body } = await replay(await fileWith(journal.subarray(0, -3)));
    expect([exit, body]).toMatchObject([6, { verdict: 'torn', difference: null, damage: null }]);
  });

  test('5: different, where the file of a primary stands behind that of a replica', async () => {
    const directory = await temporaryDirectory();
    const names = ['00000000000000000001.flight', '00000000000000000002.flight'] as const;
    await copyFile(fixturePath('torn-tail'), join(directory, names[0]));
    await copyFile(fixturePath('primary-write-failed'), join(directory, names[1]));
    const { exit, body } = await replay(directory);
    expect([exit, body]).toMatchObject([
      5,
      {
        verdict: 'different',
        difference: { file: names[1], line: 1, what: 'chart', expected: 'node', found: 'primary' },
        final: { chart: 'node', run: SECOND_RUN, state: 'stopped.closed' },
      },
    ]);
  });

  test('what cannot be noticed from the files is said in the help, and is the same with fewer runs ended', async () => {
    const journal = await readFile(fixturePath('gap'));
    const whole = journal.subarray(0, journal.lastIndexOf(0x0a, -2) + 1);
    const { exit, body } = await replay(await fileWith(whole));
    expect([exit, body]).toMatchObject([0, { verdict: 'same', runs: 1, ended: 0 }]);
    const { out } = await cli(['replay', '--help']);
    expect(out).toContain('a last file that is missing');
    for (const field of ['gaps', 'lost', 'ended', 'runs']) {
      expect(out).toContain(`"${field}"`);
      expect(body).toHaveProperty(field);
    }
  });

  test('2: nothing to replay', async () => {
    const empty = await temporaryDirectory();
    expect(await replay(join(empty, 'missing'))).toMatchObject({
      exit: 2,
      body: { error: { code: 'REQUEST_INVALID' } },
    });
    expect(await replay(empty)).toMatchObject({ exit: 2, body: { error: { code: 'REQUEST_INVALID' } } });
    expect((await cli(['replay'])).exit).toBe(2);
  });

  test('the text for people', async () => {
    const { exit, out, err } = await cli(['replay', fixturePath('fsync-failed')]);
    expect([exit, err]).toEqual([0, '']);
    expect(out).toMatch(/^verdict +same\n/);
    expect(out).toMatch(/^state +stopped\.closed$/m);
    expect(out).toMatch(/^halt +STORAGE_FAILED$/m);
  });
});
