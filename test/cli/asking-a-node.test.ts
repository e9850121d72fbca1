import { describe, expect, test } from 'vitest';
import { explanationShape, snapshotIdOf } from '../../src/core/explain/explanation.ts';
import { cli, cliJson } from '../support/cli.ts';
import { put, startPrimary, temporaryDirectory } from '../support/nodes.ts';

async function primaryOf() {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir, listen: '127.0.0.1:0' });
  for (const n of [1, 2, 3]) await primary.commit([put('k', `{"n":${n}}`)]);
  return { url: primary.url as string, dataDir };
}

describe('explain', () => {
  test.each([
    [['explain', 'replication'], [], 'replication.safety'],
    [['explain', 'recovery'], [], 'recovery.process'],
    [['explain', 'read'], ['c', 'k'], 'mvcc.read_visibility'],
  ])('%j prints what the node says, and it is so by the files', async (verb, more, type) => {
    const { url, dataDir } = await primaryOf();
    const { exit, body, err } = await cliJson([...verb, url, ...more]);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    const explanation = explanationShape.parse(body);
    expect(explanation.explanation_type).toBe(type);
    expect(explanation.observed_snapshot.snapshot_id).toBe(snapshotIdOf(explanation));
    const { exit: verified, body: verdict } = await cliJson([
      ...verb,
      url,
      ...more,
      '--verify',
      '--data',
      dataDir,
    ]);
    expect([verified, verdict['verdict']]).toEqual([0, 'verified']);
  });
});

describe('events', () => {
  test('prints every transition that the node still has, a line each, and goes on after the last', async () => {
    const { url } = await primaryOf();
    const { exit, out } = await cli(['events', url]);
    const lines = out.trimEnd().split('\n');
    expect(exit).toBe(0);
    expect(lines.at(-1)).toMatch(/^[0-9a-f-]{36}:\d+\t\S+\trecovering\.\S+ -> disabled$/);
    const ids = lines.map((line) => line.split('\t')[0] ?? '');
    expect(ids.map((id) => Number(id.split(':')[1]))).toEqual(lines.map((_, index) => index + 1));
    const shown = (await cli(['events', url, '--json'])).out.trimEnd().split('\n');
    expect(shown.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(ids);
    expect(await cli(['events', url, '--after', ids.at(-1) ?? ''])).toEqual({ exit: 0, out: '', err: '' });
  });
});
