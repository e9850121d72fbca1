import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../src/core/errors.ts';
import { cli, cliJson } from '../support/cli.ts';
import { fingerprint } from '../support/files.ts';
import { haltedDirectory } from '../support/halts.ts';
import { startPrimary, temporaryDirectory } from '../support/nodes.ts';

interface Shown {
  readonly halt: Record<string, unknown> | null;
}

describe('halt show', () => {
  test('P5-I10: shows the cause with its evidence, and changes nothing', async () => {
    const dataDir = await haltedDirectory();
    const before = await fingerprint(dataDir);
    const { exit, body, err } = await cliJson<Shown>(['halt', 'show', '--data', dataDir]);
    expect([exit, err]).toEqual([0, '']);
    expect(body).toMatchObject({
      halted: true,
      halt: { code: 'WAL_CORRUPT', rule: expect.any(String) as string, action: ERRORS.WAL_CORRUPT.action },
    });
    expect((await cli(['halt', 'show', '--data', dataDir])).out).toMatch(/^code +WAL_CORRUPT\n/);
    expect(await fingerprint(dataDir)).toEqual(before);
  });

  test('of a node that has not halted', async () => {
    const dataDir = await temporaryDirectory();
    await startPrimary({ dataDir });
    expect(await cliJson(['halt', 'show', '--data', dataDir])).toEqual({
      exit: 0,
      body: { halted: false, halt: null },
      err: '',
    });
    expect((await cli(['halt', 'show', '--data', dataDir])).out).toBe('no halt is recorded\n');
  });

  test('of no data directory', async () => {
    expect((await cli(['halt', 'show', '--data', await temporaryDirectory()])).exit).toBe(2);
    expect((await cli(['halt', 'show'])).exit).toBe(2);
  });
});

describe('halt clear', () => {
  test('P5-I10, P5-I15: takes the record away and keeps it with the evidence', async () => {
    const dataDir = await haltedDirectory();
    const record = await readFile(join(dataDir, 'halt'));
    const shown = await cliJson<Shown>(['halt', 'show', '--data', dataDir]);
    expect(await cliJson(['halt', 'clear', '--data', dataDir])).toEqual({
      exit: 0,
      body: { cleared: true, kept_as: 'evidence/halt-1', halt: shown.body.halt },
      err: '',
    });
    expect(await readFile(join(dataDir, 'evidence/halt-1'))).toEqual(record);
    expect((await cli(['halt', 'clear', '--data', dataDir])).out).toBe('no halt is recorded\n');
  });

  test('P5-I11: a damaged record is a halt as well', async () => {
    const dataDir = await haltedDirectory();
    await writeFile(join(dataDir, 'halt'), 'not a record');
    expect((await cli(['halt', 'clear', '--data', dataDir])).out).toBe(
      'cleared HALT_RECORD_DAMAGED; the record is kept as evidence/halt-1\n',
    );
  });

  test('P5-I13: not while the node runs', async () => {
    const dataDir = await temporaryDirectory();
    await startPrimary({ dataDir });
    expect(await cliJson(['halt', 'clear', '--data', dataDir])).toMatchObject({
      exit: 1,
      body: { error: { code: 'DATA_DIRECTORY_IN_USE' } },
    });
  });
});
