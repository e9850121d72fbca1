import { describe, expect, test } from 'vitest';
import { put, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { runProcess } from '../support/processes.ts';
import { walBytes } from '../support/sources.ts';
import { digestAt } from '../support/state.ts';

const statusOf = async (url: string) =>
  ((await (await fetch(`${url}/v1/replication`)).json()) as { data: { replica_commit_id: number | null } })
    .data;

describe('a real process with the real index', () => {
  test('F-A1, P5-I11: killed again and again while it applies, it ends in the primary’s state', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir, listen: '127.0.0.1:0', replication: 'enabled' });
    const commits = 6_000;
    for (let n = 0; n < commits; n += 500)
      await Promise.all(
        Array.from({ length: 500 }, (_, k) =>
          primary.commit([put(`k${(n + k) % 700}`, `v${n + k}`.padEnd(2_000, '.'))]),
        ),
      );
    const replicaDir = await temporaryDirectory();
    const args = [
      'replica',
      '--data',
      replicaDir,
      '--primary',
      primary.url as string,
      '--listen',
      '127.0.0.1:0',
      '--json',
      '--log-level',
      'silent',
    ];
    const seen: number[] = [];
    for (let kill = 0; kill < 5; kill += 1) {
      const replica = runProcess(args);
      const { url } = await replica.started;
      // As soon as it has come further than the last time: killed in the middle of its work.
      for (;;) {
        const at = (await statusOf(url as string)).replica_commit_id ?? 0;
        if (at > (seen.at(-1) ?? 0) || at === commits) {
          seen.push(at);
          break;
        }
      }
      replica.child.kill('SIGKILL');
      expect(await replica.exited).toEqual({ code: null, signal: 'SIGKILL' });
    }
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    const last = runProcess(args);
    const { url } = await last.started;
    while ((await statusOf(url as string)).replica_commit_id !== commits)
      await new Promise((resolve) => setImmediate(resolve));
    last.child.kill('SIGTERM');
    expect(await last.exited).toEqual({ code: 0, signal: null });
    await primary.stop();
    expect((await walBytes(replicaDir)).equals(await walBytes(dataDir))).toBe(true);
    expect(await digestAt(replicaDir, commits)).toEqual(await digestAt(dataDir, commits));
  }, 120_000);
});
