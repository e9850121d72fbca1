import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { cli, cliJson, type Ran } from '../support/cli.ts';
import { put, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedLsn } from '../support/replicas.ts';

interface Verified {
  readonly verdict: string;
  readonly differences: readonly { readonly path: string }[];
  readonly undetermined: readonly string[];
  readonly not_in_files: readonly string[];
}

async function nodes() {
  const primaryDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir: primaryDir, listen: '127.0.0.1:0', replication: 'enabled' });
  for (let n = 1; n <= 4; n += 1) await primary.commit([put(`k${n % 3}`, `{"n":${n}}`)]);
  const dataDir = await temporaryDirectory();
  const replica = await startReplica({
    dataDir,
    primaryUrl: primary.url as string,
    replication: 'enabled',
    listen: '127.0.0.1:0',
  });
  await appliedLsn(replica, primary.position()?.lsn as number);
  return { primary, replica, url: replica.url as string, dataDir, primaryDir };
}

/** Runs a command line with a text on its standard input. */
async function withInput(input: string, args: readonly string[]): Promise<Ran> {
  const spy = vi
    .spyOn(process, 'stdin', 'get')
    .mockReturnValue(Readable.from([input]) as unknown as typeof process.stdin);
  try {
    return await cli(args);
  } finally {
    spy.mockRestore();
  }
}

async function kept(text: string): Promise<string> {
  const file = join(await temporaryDirectory(), 'kept.json');
  await writeFile(file, text);
  return file;
}

const WAYS = [['replication'], ['recovery'], ['read']] as const;
const read = (way: string) => (way === 'read' ? ['c', 'k1'] : []);

describe('P5-I15: what a node says of itself, by rules', () => {
  test('as text and as JSON', async () => {
    const { url } = await nodes();
    for (const [way] of WAYS) {
      const { exit, out, err } = await cli(['explain', way, url, ...read(way)]);
      expect([exit, err], out).toEqual([0, '']);
      expect(out).toMatch(/^\[\+\] P5-I\d+ \w+: holds\n {4}.+\n {4}{.*}$/m);
      const { body } = await cliJson(['explain', way, url, ...read(way)]);
      expect(await cliJson(['explain', way, '--file', await kept(JSON.stringify(body))])).toMatchObject({
        exit: 0,
        body,
      });
    }
  });

  test('of a view that is refused: the rule that does not hold is marked', async () => {
    const { url } = await nodes();
    const { exit, out } = await cli(['explain', 'replication', url, '--at', '99']);
    expect(exit).toBe(0);
    expect(out).toMatch(/^\[-\] P5-I12 viewIsApplied: violated$/m);
  });
});

describe('P5-I15: --verify', () => {
  test('against the files of the node, of its primary, and bare segments: exit code 0', async () => {
    const { url, dataDir, primaryDir } = await nodes();
    for (const [way] of WAYS)
      for (const source of [
        ['--data', dataDir],
        ['--primary-data', primaryDir],
        ['--wal', join(primaryDir, 'wal')],
      ]) {
        const args = ['explain', way, url, ...read(way), '--verify', ...source];
        expect(await cliJson<Verified>(args)).toMatchObject({
          exit: 0,
          err: '',
          body: { verdict: 'verified', differences: [], undetermined: [] },
        });
        const { exit, out } = await cli(args);
        expect(exit).toBe(0);
        expect(out).toMatch(/^verdict +verified$/m);
        expect(out).toMatch(/^not in files: inputs\./m);
      }
  });

  test('what differs is shown with both sides: exit code 5', async () => {
    const { url, dataDir } = await nodes();
    const { out } = await cli(['explain', 'replication', url, '--json']);
    const forged = out.replace('"view_commit_id":4', '"view_commit_id":3');
    expect(forged).not.toBe(out);
    const args = ['explain', 'replication', '--file', await kept(forged), '--verify', '--data', dataDir];
    const { exit, body } = await cliJson<Verified>(args);
    expect([exit, body.verdict]).toEqual([5, 'differs']);
    expect(body.differences[0]?.path).toBe('observed_snapshot.snapshot_id');
    expect((await cli(args)).out).toMatch(
      /^differs: rules_applied\[3\]\.evidence\.view_commit_id\n {4}stated: {2}4\n {4}derived: 3$/m,
    );
  });

  test('files that do not reach that far: exit code 4', async () => {
    const { replica, primary, url, primaryDir } = await nodes();
    const { cp } = await import('node:fs/promises');
    const before = join(await temporaryDirectory(), 'before');
    await cp(primaryDir, before, { recursive: true });
    await primary.commit([put('k1', '5')]);
    await appliedLsn(replica, primary.position()?.lsn as number);
    for (const [way] of [['replication'], ['read']] as const) {
      const args = ['explain', way, url, ...read(way), '--verify', '--primary-data', before];
      const { exit, body } = await cliJson<Verified>(args);
      expect([exit, body.verdict, body.differences]).toEqual([4, 'undetermined', []]);
      expect((await cli(args)).out).toMatch(
        /^undetermined: inputs\.position: LSN \d+ is behind what is there/m,
      );
    }
  });

  test('P5-I7: a read that was kept with its proof is verified with its documents, from standard input as well', async () => {
    const { url, dataDir } = await nodes();
    for (const id of [['k1'], []]) {
      const { out } = await cli(['read', url, 'c', ...id, '--proof', '--json']);
      const args = ['explain', 'read', '--file', '-', '--verify', '--data', dataDir];
      expect((await withInput(out, args)).exit).toBe(0);
      const forged = await withInput(out.replace('"document":{"n":4}', '"document":{"n":5}'), [
        ...args,
        '--json',
      ]);
      expect(forged.exit).toBe(5);
      const { differences } = JSON.parse(forged.out) as Verified;
      expect(differences.map(({ path }) => path)).toEqual([
        id.length === 0 ? 'answer.documents[1].document.n' : 'answer.document.n',
      ]);
      expect((await withInput(out, ['explain', 'read', '--file', '-'])).out).toMatch(/P5-I7/);
    }
  });
});

describe('what cannot be explained or verified: exit code 2', () => {
  test('without files, without an explanation, or with two', async () => {
    const { url, dataDir, primaryDir } = await nodes();
    const file = await kept('{}');
    for (const args of [
      [url, '--verify'],
      ['--verify', '--data', dataDir],
      [url, '--file', file],
      ['--file', join(dataDir, 'nothing.json')],
      ['--file', await kept('{')],
      ['--file', file],
      ['--file', await kept('[1]'), '--verify', '--data', dataDir],
      [url, '--verify', '--data', dataDir, '--primary-data', primaryDir],
      [url, '--verify', '--data', join(dataDir, 'nothing')],
      [url, '--verify', '--primary-data', dataDir],
      [url, '--verify', '--wal', dataDir],
    ]) {
      const { exit, out } = await cli(['explain', 'replication', ...args]);
      expect([exit, out], args.join(' ')).toEqual([2, '']);
    }
    expect((await cli(['explain', 'read', url])).exit).toBe(2);
  });

  test('an explanation of another type: nobody takes one for the other', async () => {
    const { url, dataDir } = await nodes();
    const file = await kept((await cli(['explain', 'replication', url, '--json'])).out);
    for (const more of [[], ['--verify', '--data', dataDir]])
      expect(await cliJson(['explain', 'read', '--file', file, ...more])).toMatchObject({
        exit: 2,
        body: { error: { code: 'REQUEST_INVALID' } },
      });
  });
});

test('files that are named without --verify are refused: nothing would be verified', async () => {
  const { url, dataDir } = await nodes();
  for (const flag of ['--data', '--primary-data', '--wal'])
    expect(await cli(['explain', 'replication', url, flag, dataDir])).toMatchObject({
      exit: 2,
      out: '',
      err: expect.stringContaining('--verify is not') as string,
    });
});
