import { readFile, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeIdentity, encodeIdentity, newIdentity } from '../../src/core/identity.ts';
import { encodeSealedRecord } from '../../src/core/sealed-record.ts';
import { fingerprint } from '../support/files.ts';
import {
  CLUSTER,
  NODE,
  OTHER_CLUSTER,
  rejection,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';
import { scriptedSource } from '../support/sources.ts';

const identity = newIdentity('primary', CLUSTER, NODE);

describe('the identity file', () => {
  test('round trip', () => {
    expect(decodeIdentity(encodeIdentity(identity))).toEqual({ state: 'present', identity });
  });

  test('F-RC2, P5-I11: every flipped bit is found out', () => {
    const bytes = encodeIdentity(identity);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(decodeIdentity(flipped).state, `bit ${bit}`).toBe('damaged');
    }
  });

  test('F-RC2: every truncation is found out', () => {
    const bytes = encodeIdentity(identity);
    for (let length = 0; length < bytes.length; length += 1)
      expect(decodeIdentity(bytes.subarray(0, length)).state, `length ${length}`).toBe('damaged');
  });
});

describe('P5-I1: the role of a data directory never changes', () => {
  test('a node has the same identity after a restart', async () => {
    const dataDir = await temporaryDirectory();
    const first = await startPrimary({ dataDir });
    await first.stop();
    const second = await startPrimary({ dataDir });
    expect(second.identity).toEqual(first.identity);
  });

  test('P5-I16: a replica that never met its primary has a node id of its own, and binds to a cluster once', async () => {
    const dataDir = await temporaryDirectory();
    const options = { dataDir, primaryUrl: 'http://127.0.0.1:1' };
    const ids = [];
    for (let run = 0; run < 2; run += 1) {
      const replica = await startReplica(options);
      const { identity } = replica.snapshot().context;
      expect(identity?.clusterId).toBe('00000000-0000-0000-0000-000000000000');
      ids.push(identity?.nodeId);
      await replica.stop();
    }
    const bound = await startReplica(
      { ...options, replication: 'enabled' },
      { walSource: scriptedSource(() => ({ clusterId: CLUSTER })) },
    );
    ids.push(bound.snapshot().context.identity?.nodeId);
    expect(bound.snapshot().context.identity?.clusterId).toBe(CLUSTER);
    await bound.stop();
    expect(new Set(ids).size).toBe(1);
    expect(
      await rejection(startReplica({ ...options, replication: 'enabled', clusterId: OTHER_CLUSTER })),
    ).toMatchObject({ code: 'CLUSTER_CHANGED' });
  });

  test('a primary’s directory refuses to start as a replica, untouched, and says what to do', async () => {
    const dataDir = await temporaryDirectory();
    await (await startPrimary({ dataDir, clusterId: CLUSTER, nodeId: NODE })).stop();
    const before = await fingerprint(dataDir, /^$/);
    const error = await rejection(startReplica({ dataDir, primaryUrl: 'http://127.0.0.1:1' }));
    expect(error).toMatchObject({
      code: 'ROLE_CHANGED',
      invariant: 'P5-I1',
      evidence: {
        file: 'identity',
        expected: { format_version: 1, role: 'replica', cluster_id: null, node_id: null },
        found: { format_version: 1, cluster_id: CLUSTER, node_id: NODE, role: 'primary' },
      },
    });
    expect((error as Error).message).toContain('use an empty directory for the new role');
    expect(await fingerprint(dataDir, /^$/)).toEqual(before);
  });

  test.each([
    ['another cluster', { clusterId: OTHER_CLUSTER }, 'CLUSTER_CHANGED'],
    ['another node', { nodeId: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb' }, 'NODE_CHANGED'],
  ])('%s refuses to start, untouched', async (_name, options, code) => {
    const dataDir = await temporaryDirectory();
    await (await startPrimary({ dataDir, clusterId: CLUSTER, nodeId: NODE })).stop();
    const before = await fingerprint(dataDir, /^$/);
    expect(await rejection(startPrimary({ dataDir, ...options }))).toMatchObject({ code });
    expect(await fingerprint(dataDir, /^$/)).toEqual(before);
  });

  test('another format version refuses to start, untouched', async () => {
    const dataDir = await temporaryDirectory();
    const file = join(dataDir, 'identity');
    await writeFile(file, encodeIdentity({ ...identity, formatVersion: 2 }));
    expect(await rejection(startPrimary({ dataDir }))).toMatchObject({ code: 'FORMAT_UNSUPPORTED' });
    expect(Object.keys(await fingerprint(dataDir, /^$/))).toEqual(['identity']);
  });

  test('F-RC2: a damaged identity refuses to start, untouched', async () => {
    const dataDir = await temporaryDirectory();
    await (await startPrimary({ dataDir })).stop();
    const file = join(dataDir, 'identity');
    const bytes = await readFile(file);
    bytes[10] = (bytes[10] as number) ^ 1;
    await writeFile(file, bytes);
    const before = await fingerprint(dataDir, /^$/);
    expect(await rejection(startPrimary({ dataDir }))).toMatchObject({
      code: 'IDENTITY_DAMAGED',
      invariant: 'P5-I11',
    });
    expect(await fingerprint(dataDir, /^$/)).toEqual(before);
  });

  test('a sealed record of another kind is no identity', () => {
    expect(decodeIdentity(encodeSealedRecord({ magic: 'something-else' })).state).toBe('damaged');
  });

  test('a directory with data but without an identity is not taken over', async () => {
    const dataDir = await temporaryDirectory();
    await mkdir(join(dataDir, 'wal'));
    await writeFile(join(dataDir, 'wal', '00000000000000000000.wal'), 'x');
    expect(await rejection(startPrimary({ dataDir }))).toMatchObject({
      code: 'IDENTITY_MISSING',
      evidence: { found: { state: 'absent', data_files: ['wal'] } },
    });
  });

  test('P5-I13: a second process on the same directory is refused', async () => {
    const dataDir = await temporaryDirectory();
    await startPrimary({ dataDir });
    expect(await rejection(startPrimary({ dataDir }))).toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' });
  });
});
