import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tableText } from '../../src/cli/table.ts';
import { cli } from '../support/cli.ts';
import { afterTest, put, startPrimary, temporaryDirectory } from '../support/nodes.ts';

const table = {
  head: ['id', 'value'],
  rows: [
    ['a', 1],
    ['b', null],
  ],
};

/** Standard output as a terminal of so many columns, for one test. */
function terminal(columns: number): void {
  const before = { isTTY: process.stdout.isTTY, columns: process.stdout.columns };
  Object.assign(process.stdout, { isTTY: true, columns });
  afterTest(async () => void Object.assign(process.stdout, before));
}

describe('rows', () => {
  test('on a terminal are a table', () => {
    expect(tableText(table, true)).toBe(
      [
        '┌────┬───────┐',
        '│ id │ value │',
        '├────┼───────┤',
        '│ a  │ 1     │',
        '│ b  │ -     │',
        '└────┴───────┘',
      ].join('\n'),
    );
  });

  test('elsewhere are lines with tabs, without a head', () => {
    expect(tableText(table, false)).toBe('a\t1\nb\t-');
  });

  test('do nothing to a terminal, and stay in their line', () => {
    expect(tableText({ head: ['id'], rows: [['\u001b[2J\t\n\u009b']] }, false)).toBe(
      '\\u001b[2J\\u0009\\u000a\\u009b',
    );
  });

  test('that are wider than the terminal lose nothing: the last column is broken', () => {
    terminal(24);
    expect(tableText({ head: ['id', 'hash'], rows: [['a', '0123456789abcdefgh']] })).toBe(
      [
        '┌────┬─────────────────┐',
        '│ id │ hash            │',
        '├────┼─────────────────┤',
        '│ a  │ 0123456789abcde │',
        '│    │ fgh             │',
        '└────┴─────────────────┘',
      ].join('\n'),
    );
    expect(tableText({ head: ['id', 'text'], rows: [['a', 'whole words, if they fit']] })).toBe(
      [
        '┌────┬─────────────────┐',
        '│ id │ text            │',
        '├────┼─────────────────┤',
        '│ a  │ whole words, if │',
        '│    │ they fit        │',
        '└────┴─────────────────┘',
      ].join('\n'),
    );
  });
});

describe('on a terminal', () => {
  test('documents, snapshots and verdicts are tables', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir, listen: '127.0.0.1:0', replication: 'enabled' });
    await primary.commit([put('k1', '{"n":1}')]);
    const { stateDigest, bytes, cut } = await primary.createSnapshot();
    const url = primary.url as string;
    terminal(200);
    expect((await cli(['read', url, 'c'])).out.split('\n').slice(-6)).toEqual([
      '┌────┬─────────┬──────────┐',
      '│ id │ version │ document │',
      '├────┼─────────┼──────────┤',
      '│ k1 │ 1       │ {"n":1}  │',
      '└────┴─────────┴──────────┘',
      '',
    ]);
    const cells = (out: string) =>
      out
        .split('\n')
        .filter((line) => line.startsWith('│'))
        .map((line) => line.split('│').map((cell) => cell.trim()))
        .map((line) => line.slice(1, -1));
    expect(cells((await cli(['snapshot', 'list', '--primary', url])).out)).toEqual([
      ['snapshot', 'commit', 'LSN', 'versions', 'documents', 'bytes', 'state digest'],
      ['1', '1', String(cut.lsn), '1', '1', String(bytes), stateDigest],
    ]);
    expect(cells((await cli(['snapshot', 'verify', '--data', dataDir])).out)).toEqual([
      ['snapshot', 'verdict', 'versions', 'documents', 'bytes', 'state digest'],
      ['1', 'intact', '1', '1', String(bytes), stateDigest],
    ]);
    await truncate(join(dataDir, 'snapshots/1/data.base'), 0);
    const { exit, out } = await cli(['snapshot', 'verify', '--data', dataDir]);
    expect(exit).toBe(5);
    expect(cells(out).slice(0, 4)).toEqual([
      ['snapshot', 'verdict', 'versions', 'documents', 'bytes', 'state digest'],
      ['1', 'damaged', '1', '1', String(bytes), stateDigest],
      ['snapshot', 'file', 'rule', 'offset', 'expected', 'found'],
      ['1', 'snapshots/1/data.base', 'size', '-', `{"bytes":${bytes}}`, '{"bytes":0}'],
    ]);
  });
});
