import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { snapshotIdOf, type Explanation } from '../../src/core/explain/explanation.ts';
import { cli } from '../support/cli.ts';
import { startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedLsn } from '../support/replicas.ts';

const DOCUMENT = new URL('../../docs/EXPLANATIONS.md', import.meta.url);

async function blocks(language: string): Promise<string[]> {
  const text = await readFile(DOCUMENT, 'utf8');
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].flatMap(([, name, body]) =>
    name === language ? [body as string] : [],
  );
}

/** The nodes that the document speaks of, and what their names stand for. */
async function stage() {
  const root = await temporaryDirectory();
  const [primaryDir, replicaDir] = [join(root, 'primary'), join(root, 'replica')];
  const primary = await startPrimary({ dataDir: primaryDir, listen: '127.0.0.1:0', replication: 'enabled' });
  for (const name of ['Wien', 'Vienna'])
    await primary.commit([
      { op: 'put', collection: 'cities', id: 'vie', document: JSON.stringify({ name }) },
    ]);
  const primaryUrl = primary.url as string;
  const replica = await startReplica({
    dataDir: replicaDir,
    primaryUrl,
    replication: 'enabled',
    listen: '127.0.0.1:0',
  });
  await appliedLsn(replica, primary.position()?.lsn as number);
  const names: Record<string, string> = {
    'http://127.0.0.1:7001': primaryUrl,
    'http://127.0.0.1:7002': replica.url as string,
    './primary/wal': join(primaryDir, 'wal'),
    './primary': primaryDir,
    './replica': replicaDir,
    'kept.json': join(root, 'kept.json'),
    'page.json': join(root, 'page.json'),
  };
  return (word: string) => names[word] ?? word;
}

/** Runs a line as a shell would: pipes, and a file at the end. Gives the exit codes. */
async function runLine(line: string, named: (word: string) => string): Promise<number[]> {
  const [pipeline = '', file] = line.split(' > ');
  const exits: number[] = [];
  let output = '';
  for (const command of pipeline.split(' | ')) {
    const [program, ...args] = command.split(' ').map(named);
    expect(program).toBe('replichart');
    const stdin = vi
      .spyOn(process, 'stdin', 'get')
      .mockReturnValue(Readable.from([output]) as unknown as typeof process.stdin);
    const { exit, out } = await cli(args);
    stdin.mockRestore();
    exits.push(exit);
    output = out;
  }
  if (file !== undefined) await writeFile(named(file), output);
  return exits;
}

describe('P5-I15: docs/EXPLANATIONS.md', () => {
  test('every command in it does what it says', async () => {
    const named = await stage();
    const lines = (await blocks('sh')).flatMap((block) => block.trimEnd().split('\n'));
    expect(lines.length).toBe(9);
    for (const line of lines) expect(new Set(await runLine(line, named)), line).toEqual(new Set([0]));
  });

  test('its examples are real: one of each type, with the id of its content', async () => {
    const examples = (await blocks('json')).map((block) => JSON.parse(block) as Explanation);
    expect(examples.map((one) => one.explanation_type)).toEqual([
      'replication.safety',
      'recovery.process',
      'mvcc.read_visibility',
    ]);
    for (const one of examples) expect(snapshotIdOf(one)).toBe(one.observed_snapshot.snapshot_id);
  });
});
