/** What the properties of this room have found in the program, the smallest case of each, kept for ever. */
import { describe, expect, test } from 'vitest';
import { walResumesAtTheCut } from '../../src/core/checks/bootstrap.ts';
import { documentJson } from '../../src/core/document-json.ts';
import { decodeHaltRecord } from '../../src/core/halt.ts';
import { decodeIdentity } from '../../src/core/identity.ts';
import { GENESIS } from '../../src/core/position.ts';
import { decideRecovery } from '../../src/core/recovery/decision.ts';
import { decodeManifest, encodeManifest } from '../../src/core/storage/manifest.ts';
import { encodeSegmentHeader, readSegmentHeader } from '../../src/core/wal/segment-header.ts';
import { CLUSTER } from '../support/nodes.ts';
import { sealed } from '../support/forging.ts';
import { primaryThatSays } from './saying-primary.ts';

describe('documents', () => {
  test.each([
    ['bytes that are no UTF-8 inside of quotes', Buffer.from([0x22, 0x80, 0x22])],
    ['a number beyond what JSON is read to', Buffer.from('1e400')],
    ['such a number without an exponent', Buffer.from(`[-${'9'.repeat(400)}]`)],
  ])('%s are shown as the bytes that they are', (_what, document) => {
    expect(documentJson(document)).toEqual({ document_base64: document.toString('base64') });
  });

  test('a text that only looks as if it held such a number is shown as JSON', () => {
    for (const value of [{ n: 1e300 }, ['1e400'], '9'.repeat(400), { '1e400': 0 }])
      expect(documentJson(Buffer.from(JSON.stringify(value)))).toEqual({ document: value });
  });
});

describe('F-RC2, P5-I10: records under a right seal', () => {
  test.each([
    ['without its fields', '{"magic":"replichart-halt","code":"WAL_CORRUPT"}'],
    ['with a code that is no text', '{"magic":"replichart-halt","code":["WAL_CORRUPT"]}'],
    [
      'with evidence that is no object',
      '{"magic":"replichart-halt","code":"WAL_CORRUPT","invariant":null,"rule":null,"message":"","evidence":[],"action":""}',
    ],
    [
      'nested too deep to be written again',
      `{"magic":"replichart-halt","code":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
    ],
  ])('a halt record %s is a halt all the same, and a whole one', (_what, line) => {
    expect(decodeHaltRecord(sealed(line))).toMatchObject({
      code: 'HALT_RECORD_DAMAGED',
      evidence: { expected: 'the fields of a halt record', found: line },
    });
  });

  test('an identity that is nested too deep to be written again is damaged', () => {
    const line = `{"magic":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    expect(decodeIdentity(sealed(line))).toMatchObject({ state: 'damaged', found: line });
  });

  test('F-S4: a manifest whose cluster is no cluster id is damaged', () => {
    const manifest = {
      snapshotId: '1',
      clusterId: CLUSTER,
      cut: { ...GENESIS, commitId: 1, segmentIndex: 0 },
      stateDigest: GENESIS.historyHash,
      versions: 0,
      keys: 0,
      bytes: 1,
      blocks: [{ index: 0, offset: 0, bytes: 1, sha256: GENESIS.historyHash }],
    };
    expect(decodeManifest(encodeManifest(manifest)).state).toBe('intact');
    expect(decodeManifest(encodeManifest({ ...manifest, clusterId: `${CLUSTER}x` }))).toEqual({
      state: 'damaged',
      expected: 'the fields of a manifest',
      found: 'cluster_id: must be a UUID',
    });
  });
});

test('P5-I9, P5-I15: a segment header with a number beyond safe integers is shown with null, as it is after a restart', () => {
  const cut = { ...GENESIS, commitId: 1, segmentIndex: 0 };
  const bytes = encodeSegmentHeader({ clusterId: CLUSTER, startLsn: 0, firstCommitId: 2, ...cut });
  bytes.writeBigUInt64LE(2n ** 53n, 40);
  const facts = {
    kind: 'probed',
    cut,
    clusterId: CLUSTER,
    streamStartLsn: 0,
    header: readSegmentHeader(bytes),
  } as const;
  expect(walResumesAtTheCut.evidence(facts)).toMatchObject({ found: { start_lsn: null } });
});

test('P5-I4, P5-I15: an empty segment file that stands where no history begins: the table halts as the chart does', () => {
  expect(
    decideRecovery({
      halt: 'none',
      checkpoint: 'absent',
      wal: 'empty',
      base: 'not needed',
      prefix: 'broken',
      proven: 'nothing',
      end: 'clean',
      partials: 'none',
      bootstrap: 'wal',
    }),
  ).toEqual({ outcome: 'halt', rule: 'P5-I4 prefixIsProven', steps: [] });
});

describe('F-N1: what a primary answers', () => {
  async function sourceOf(status: number, body: string) {
    const { source, say } = await primaryThatSays();
    say({ status, body });
    return source;
  }
  const noPrimary = { kind: 'unreachable', message: 'it answered 409, and not as a primary does' };

  test.each([
    ['without text and evidence', '{"error":{"code":"HISTORY_DIVERGED"}}'],
    ['that is no object', '{"error":"HISTORY_DIVERGED"}'],
    [
      'with evidence nested too deep to be written into a halt record',
      `{"error":{"code":"HISTORY_DIVERGED","message":"m","evidence":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}}`,
    ],
  ])('a refusal %s is no answer of a primary', async (_what, body) => {
    expect(await (await sourceOf(409, body)).openWal(GENESIS)).toEqual(noPrimary);
  });

  test('P5-I4: a stream without its headers says nothing of where it begins and of what is durable', async () => {
    const opened = await (await sourceOf(200, 'x')).openWal(GENESIS);
    expect(opened).toMatchObject({
      kind: 'opened',
      stream: { clusterId: '', startLsn: Number.NaN, durable: null },
    });
    // It has ended, and is closed before anyone has read of it, as where a node stops while it attaches: nobody is told,
    // and nothing fails.
    const failed: unknown[] = [];
    const note = (error: unknown) => failed.push(error);
    process.on('uncaughtException', note);
    if (opened.kind === 'opened') opened.stream.close();
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    process.off('uncaughtException', note);
    expect(failed).toEqual([]);
  });
});
