import { expect, test } from 'vitest';
import { cli, cliJson } from '../support/cli.ts';
import { commitTo } from '../support/histories.ts';
import { startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { runProcess } from '../support/processes.ts';

async function primaryWithHistory() {
  const primary = await startPrimary({
    dataDir: await temporaryDirectory(),
    listen: '127.0.0.1:0',
    replication: 'enabled',
  });
  for (const n of [10, 20]) {
    await commitTo(primary, n);
    await primary.createSnapshot();
  }
  return { primary, url: primary.url as string };
}

test('a primary is pruned up to its oldest snapshot, and further once that is removed', async () => {
  const { url } = await primaryWithHistory();
  expect(await cliJson(['prune', url, '--up-to', '9'])).toMatchObject({
    exit: 0,
    body: { cut: null, segments_removed: 0, bytes_removed: 0 },
  });
  expect(await cliJson(['prune', url])).toMatchObject({
    exit: 0,
    body: { cut: { commit_id: 10, segment_index: 1 }, segments_removed: 1 },
  });
  expect((await cli(['prune', url])).out).toMatch(/^there is nothing to prune\ncut +\{"commit_id":10,/);
  expect(await cli(['snapshot', 'remove', '10', '--primary', url])).toEqual({
    exit: 0,
    out: 'snapshot 10 is removed\n',
    err: '',
  });
  expect(await cliJson(['snapshot', 'remove', '10', '--primary', url])).toMatchObject({
    exit: 1,
    body: { error: { code: 'SNAPSHOT_UNKNOWN' } },
  });
  expect(await cliJson(['prune', url])).toMatchObject({ exit: 0, body: { cut: { commit_id: 20 } } });
});

test('without a snapshot a primary is not pruned', async () => {
  const { url } = await startPrimary({ dataDir: await temporaryDirectory(), listen: '127.0.0.1:0' });
  expect(await cliJson(['prune', url as string])).toMatchObject({
    exit: 2,
    body: { error: { code: 'REQUEST_INVALID' } },
  });
});

test('P5-I9: a replica that needs what is gone says so and what to do, stays, and exits with 7', async () => {
  const { primary, url } = await primaryWithHistory();
  await primary.prune();
  const replica = runProcess([
    ...['replica', '--data', await temporaryDirectory(), '--primary', url],
    ...['--log-level', 'silent', '--json'],
  ]);
  await replica.started;
  await expect.poll(replica.stderr, { timeout: 20_000 }).toMatch(/WAL_PRUNED.*--bootstrap snapshot/);
  replica.child.kill('SIGTERM');
  expect(await replica.exited).toEqual({ code: 7, signal: null });
});
