import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, cliJson } from '../support/cli.ts';
import { put, startPrimary, temporaryDirectory } from '../support/nodes.ts';

async function primaryOf(options: { readonly token?: string; readonly dx?: 'disabled' } = {}) {
  const primary = await startPrimary({
    dataDir: await temporaryDirectory(),
    listen: '127.0.0.1:0',
    ...options,
  });
  await primary.commit([put('a', '1')]);
  return { url: primary.url as string, identity: primary.identity };
}

test('a node without its DX plane has no status to give, and the error says why that may be', async () => {
  const { url } = await primaryOf({ dx: 'disabled' });
  expect(await cli(['status', url])).toMatchObject({
    exit: 1,
    out: '',
    err: expect.stringContaining('has no /v1/status: its DX plane may be disabled') as string,
  });
});

describe('the status of a node', () => {
  test('is the answer of the node as JSON, and its fields for people', async () => {
    const { url, identity } = await primaryOf();
    const answer = (await (await fetch(`${url}/v1/status`)).json()) as { data: Record<string, unknown> };
    expect(await cliJson(['status', url])).toEqual({ exit: 0, body: answer, err: '' });
    expect(answer.data).toMatchObject({ role: 'primary', cluster_id: identity.clusterId });
    const { exit, out, err } = await cli(['status', url]);
    expect([exit, err]).toEqual([0, '']);
    expect(out).toMatch(/^role +primary$/m);
    const names = out.trimEnd().split('\n');
    expect(names.map((line) => line.split(' ')[0])).toEqual(Object.keys(answer.data));
  });

  test('is given to whoever has the token', async () => {
    const { url } = await primaryOf({ token: 'secret' });
    expect(await cliJson(['status', url])).toMatchObject({
      exit: 1,
      body: { error: { code: 'UNAUTHORIZED' } },
    });
    const file = join(await temporaryDirectory(), 'token');
    await writeFile(file, 'secret\n');
    expect((await cli(['status', url, '--token-file', file])).exit).toBe(0);
  });

  test('of a node that is not there, or of no address', async () => {
    const { exit, out, err } = await cli(['status', 'http://127.0.0.1:1']);
    expect([exit, out]).toEqual([1, '']);
    expect(err).toMatch(/^replichart: NODE_UNREACHABLE: /);
    expect((await cli(['status', 'here'])).exit).toBe(2);
    expect((await cli(['status'])).exit).toBe(2);
  });
});
