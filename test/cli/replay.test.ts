import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CHAIN_START, sealLine } from '../../src/core/flight/chain.ts';
import { cli, cliJson } from '../support/cli.ts';
import { fingerprint } from '../support/files.ts';
import { fixturePath, recordsOf } from '../support/flights.ts';
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
    let end = CHAIN_START;
    const lines = recordsOf(await readFile(fixturePath('gap'))).map(({ n, ...record }) => {
      const sealed = sealLine(end, (n === 4 ? { ...record, state: 'elsewhere' } : record) as never);
      end = sealed.end;
      return sealed.line;
    });
    const path = await fileWith(Buffer.concat(lines));
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
