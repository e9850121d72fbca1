import { describe, expect, test } from 'vitest';
import type { Transition } from '../../src/node/transitions.ts';
import { ENDPOINT_NAMES, ENDPOINTS } from '../../src/http/contract/endpoints.ts';
import { fingerprint } from '../support/files.ts';
import { ask, askJson, codeOf } from '../support/http.ts';
import {
  fixedPrimary,
  REQUESTS,
  restingReplica,
  startFixedPrimary,
  startFixedReplica,
} from '../support/http-worlds.ts';
import { temporaryDirectory } from '../support/nodes.ts';
import { halted } from '../support/replicas.ts';
import { chunked, recordedWal } from '../support/sources.ts';
import { servedReplica } from '../support/served-nodes.ts';
import { flipped } from '../support/wal-forge.ts';

const isDx = (name: (typeof ENDPOINT_NAMES)[number]) => ENDPOINTS[name].plane === 'dx';
/** All but the DX plane, what changes the node last. */
const OTHERS = ENDPOINT_NAMES.filter((name) => !isDx(name) && name !== 'getWalStream');
const COMMIT = { ops: [{ op: 'put', collection: 'c', id: 'd', document: [4] }] };

async function answersOf(url: string) {
  const answers: string[] = [];
  for (const name of OTHERS) {
    const { method } = ENDPOINTS[name];
    const { status, type, text } = await ask(url, REQUESTS[name], {
      method,
      ...(name === 'postCommits'
        ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(COMMIT) }
        : {}),
    });
    answers.push(`${name} ${status} ${type} ${text}`);
  }
  return answers;
}

describe('P5-I16: the DX plane can be left out', () => {
  test('then /v1, /metrics and /openapi.json are not there, on a primary and on a replica', async () => {
    const { url } = await fixedPrimary({ dx: 'disabled' });
    const replica = await restingReplica(url, undefined, { dx: 'disabled' });
    for (const node of [url, replica.url])
      for (const name of ENDPOINT_NAMES.filter(isDx)) {
        const answer = await ask(node, REQUESTS[name]);
        expect([name, answer.status, codeOf(answer)]).toEqual([name, 404, 'NOT_FOUND']);
      }
  });

  test('and nothing else changes: every other answer and every byte of the files of a primary', async () => {
    const [with_, without] = [await fixedPrimary(), await fixedPrimary({ dx: 'disabled' })];
    expect(await answersOf(without.url)).toEqual(await answersOf(with_.url));
    expect((await ask(without.url, '/readyz')).status).toBe(200);
    expect((await ask(without.url, '/livez')).status).toBe(200);
    await Promise.all([with_.primary.stop(), without.primary.stop()]);
    const prints = await fingerprint(without.dataDir);
    expect(prints).toEqual(await fingerprint(with_.dataDir));
    expect(Object.keys(prints).filter((name) => name.startsWith('wal/'))).toHaveLength(3);
  });

  test('nor the answers and the files of a replica', async () => {
    const { url } = await fixedPrimary();
    const nodes = [await restingReplica(url), await restingReplica(url, undefined, { dx: 'disabled' })];
    const [with_, without] = [await answersOf(nodes[0]?.url ?? ''), await answersOf(nodes[1]?.url ?? '')];
    expect(without).toEqual(with_);
    for (const { replica } of nodes) await replica.stop();
    expect(await fingerprint(nodes[1]?.dataDir ?? '')).toEqual(await fingerprint(nodes[0]?.dataDir ?? ''));
  });

  test('nor the transitions of a replica, here up to a halt', async () => {
    const wal = flipped(await recordedWal(3), 8 * 200);
    const transitionsWith = async (dx: 'enabled' | 'disabled'): Promise<readonly Transition[]> => {
      const replica = await servedReplica(() => ({ chunks: () => chunked(wal, wal.length) }), {
        dx,
        nodeId: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb',
      });
      await halted(replica);
      return replica.transitions.read(0, 1000).transitions;
    };
    const without = await transitionsWith('disabled');
    expect(without).toEqual(await transitionsWith('enabled'));
    expect(without.at(-1)?.to).toBe('halted.resting');
  });

  test('a directory can be served with it and without it in turn', async () => {
    const { primary, dataDir, url } = await fixedPrimary();
    const before = (await askJson(url, REQUESTS.getStatus)).body;
    await primary.stop();
    const without = await startFixedPrimary(dataDir, { dx: 'disabled' });
    await without.stop();
    const again = await startFixedPrimary(dataDir);
    expect((await askJson(again.url as string, REQUESTS.getStatus)).body).toEqual(before);
    const replica = await startFixedReplica(again.url as string, await temporaryDirectory(), {
      dx: 'disabled',
      replication: 'disabled',
    });
    expect((await ask(replica.url, '/readyz')).status).toBe(503);
  });
});
