import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseSchedule } from '../../src/cli/reattach.ts';
import { haltedDirectory } from '../support/halts.ts';
import { put, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { runProcess } from '../support/processes.ts';

describe('a node as a process', () => {
  test('serves nothing without --listen, stays until it is told to stop, and exits with 0', async () => {
    const primary = runProcess([
      'primary',
      '--data',
      await temporaryDirectory(),
      '--json',
      '--log-level',
      'silent',
    ]);
    expect(await primary.started).toMatchObject({
      event: 'started',
      role: 'primary',
      url: null,
      halted: null,
    });
    primary.child.kill('SIGTERM');
    expect(await primary.exited).toEqual({ code: 0, signal: null });
  });

  test('P5-I10: a halted one stays as well, says why, and exits with the code of the cause', async () => {
    const dataDir = await haltedDirectory();
    const process = runProcess([
      'replica',
      '--data',
      dataDir,
      '--primary',
      'http://127.0.0.1:1',
      '--json',
      '--log-level',
      'silent',
    ]);
    expect(await process.started).toMatchObject({ halted: 'WAL_CORRUPT' });
    process.child.kill('SIGINT');
    expect(await process.exited).toEqual({ code: 5, signal: null });
    expect(process.stderr()).toContain('halted: WAL_CORRUPT');
  });

  test.each([
    ['an unreachable primary', ['--primary', 'http://127.0.0.1:9'], 1, 'PRIMARY_UNREACHABLE'],
    ['no primary', [], 3, 'primaryUrl is not set'],
    [
      'a schedule that is none',
      ['--primary', 'http://127.0.0.1:9', '--reattach', 'soon'],
      3,
      'reattach is "soon"',
    ],
    [
      'a certificate file that is not there',
      ['--primary', 'http://127.0.0.1:9', '--listen', '127.0.0.1:0', '--tls-cert', 'no', '--tls-key', 'no'],
      3,
      'tlsCertFile is "no": it cannot be read: ENOENT',
    ],
    ['an unknown flag', ['--prim', 'x'], 2, 'unknown option'],
  ])('%s: a clear error, nothing written, and the process ends', async (_name, flags, code, message) => {
    const dataDir = join(await temporaryDirectory(), 'not-made');
    const process = runProcess(['replica', '--data', dataDir, ...flags, '--log-level', 'silent']);
    expect((await process.exited).code).toBe(code);
    expect(process.stderr()).toContain(message);
    await expect(readdir(dataDir)).rejects.toThrow('ENOENT');
  });

  test('F-N1: --reattach is the operator’s own schedule: each attempt can be seen, and the last one goes on', async () => {
    const options = { dataDir: await temporaryDirectory(), replication: 'enabled' } as const;
    const first = await startPrimary({ ...options, listen: '127.0.0.1:0' });
    await first.commit([put('a', '1')]);
    const listen = (first.url as string).slice('http://'.length);
    const replica = runProcess([
      ...['replica', '--data', await temporaryDirectory(), '--primary', first.url as string],
      ...['--listen', '127.0.0.1:0', '--reattach', '5ms,20ms', '--json'],
    ]);
    const { url } = await replica.started;
    await first.stop();
    const second = await startPrimary({ ...options, listen });
    await second.commit([put('a', '2')]);
    const commit = async () =>
      (
        (await (await fetch(`${String(url)}/v1/replication`)).json()) as {
          data: { replica_commit_id: number };
        }
      ).data.replica_commit_id;
    while ((await commit()) !== 2) await new Promise((resolve) => setImmediate(resolve));
    replica.child.kill('SIGTERM');
    expect((await replica.exited).code).toBe(0);
    expect(replica.stderr()).toContain('"event":"replica.attach"');
  });

  test('tokens of planes, of the primary, and its authority: by flags, a replica follows over TLS', async () => {
    const directory = await temporaryDirectory();
    const token = async (name: string) => {
      await writeFile(join(directory, name), `${name}\n`);
      return join(directory, name);
    };
    const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
    const primary = runProcess([
      ...['primary', '--data', join(directory, 'p'), '--listen', '127.0.0.1:0', '--json'],
      ...['--replication-token-file', await token('of-replicas'), '--dx-token-file', await token('of-dx')],
      ...[
        '--tls-cert',
        fixture('tls-cert.pem'),
        '--tls-key',
        fixture('tls-key.pem'),
        '--log-level',
        'silent',
      ],
    ]);
    const url = String((await primary.started)['url']).replace('127.0.0.1', 'localhost');
    const replica = runProcess([
      ...['replica', '--data', join(directory, 'r'), '--listen', '127.0.0.1:0', '--json', '--primary', url],
      ...['--primary-token-file', await token('of-replicas'), '--primary-ca', fixture('tls-cert.pem')],
      ...['--data-token-file', await token('of-data'), '--dx', 'disabled', '--connections-max', '8'],
    ]);
    const replicaUrl = String((await replica.started)['url']);
    const statusOf = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(`${replicaUrl}${path}`, { headers })).status;
    while ((await statusOf('/readyz')) !== 200) await new Promise((resolve) => setImmediate(resolve));
    expect([await statusOf('/v1/status'), await statusOf('/data/v1/c/a')]).toEqual([404, 401]);
    expect(await statusOf('/data/v1/c/a', { authorization: 'Bearer of-data' })).toBe(404);
    for (const { child, exited } of [replica, primary]) {
      child.kill('SIGTERM');
      expect((await exited).code).toBe(0);
    }
  });

  test('a schedule is a list of waits', () => {
    expect(parseSchedule('100ms, 5s,2m,1h')).toEqual([100, 5_000, 120_000, 3_600_000]);
  });
});
