import { describe } from 'vitest';
import type { JsonObject } from '../../src/core/bytes.ts';
import * as bootstrap from '../../src/core/checks/bootstrap.ts';
import type { FetchFacts, ResumeFacts, VerifiedFacts } from '../../src/core/bootstrap.ts';
import { encodeSegmentHeader, readSegmentHeader } from '../../src/core/wal/segment-header.ts';
import { at, checkpoint, HASH, json, parts } from '../support/claim-parts.ts';
import { CLUSTER, OTHER_CLUSTER } from '../support/nodes.ts';

const cut = { ...at(4), segmentIndex: 1 };

describe('P5-I9: how the WAL goes on at the cut', () => {
  const header = readSegmentHeader(
    encodeSegmentHeader({
      clusterId: CLUSTER,
      segmentIndex: 1,
      startLsn: 400,
      firstCommitId: 5,
      historyHash: HASH,
    }),
  );
  const probed = (change: Partial<typeof header> | null, streamStartLsn = 400): ResumeFacts => ({
    kind: 'probed',
    cut,
    clusterId: CLUSTER,
    streamStartLsn,
    header: change && { ...header, ...change },
  });
  const crc = header.crcStored.toString(16).padStart(8, '0');
  const expected = {
    cluster_id: CLUSTER,
    start_lsn: 400,
    segment_index: 1,
    first_commit_id: 5,
    history_hash: HASH,
  };
  parts(bootstrap.walResumesAtTheCut, [
    ['before it is asked', null, null, {}],
    [
      'the header of the next segment',
      probed({}),
      true,
      { expected, found: { ...expected, crc32c: crc, crc32c_computed: crc }, stream_start_lsn: 400 },
    ],
    ['no header', probed(null), false, { expected, found: null, stream_start_lsn: 400 }],
    ['a stream that starts later', probed({}, 401), false],
    ['another magic', probed({ magic: 'RPLCHRT2' }), false],
    ['a checksum that does not match', probed({ crcComputed: header.crcComputed ^ 1 }), false],
    ['another cluster', probed({ clusterId: OTHER_CLUSTER }), false],
    ['a later segment', probed({ startLsn: 401 }), false],
    ['another segment index', probed({ segmentIndex: 2 }), false],
    ['a commit id left out', probed({ firstCommitId: 6 }), false],
    ['another history', probed({ historyHash: 'cd'.repeat(32) }), false],
    ['a silence', { kind: 'unreachable', message: 'gone' }, null, { answer: 'unreachable', message: 'gone' }],
    [
      'a refusal',
      { kind: 'refused', code: 'WAL_PRUNED', message: 'm', evidence: {} },
      false,
      { answer: 'refused', message: 'm' },
    ],
  ]);
});

describe('P5-I8: what was transferred and installed', () => {
  const snapshot = {
    snapshotId: '4',
    clusterId: CLUSTER,
    cut,
    stateDigest: '00'.repeat(32),
    versions: 3,
    keys: 2,
    bytes: 300,
  };
  const fetched = (clusterId: string, fault: JsonObject | null): FetchFacts => ({
    kind: 'fetched',
    clusterId,
    snapshot,
    blocks: 7,
    blockFault: fault && { block: 1, expected: { bytes: 2 }, found: { bytes: 3 } },
  });
  const damaged: FetchFacts = { kind: 'manifest damaged', snapshotId: '4', expected: 'a', found: 'b' };
  parts(bootstrap.manifestIsIntact, [
    ['before it is fetched', null, null, { answer: null }],
    ['a whole one', fetched(CLUSTER, null), true, { answer: 'fetched' }],
    ['a damaged one', damaged, false, { snapshot_id: '4', expected: 'a', found: 'b' }],
  ]);
  parts(bootstrap.snapshotIsOfOurCluster, [
    ['nothing fetched', damaged, null, { expected: { cluster_id: null }, found: { cluster_id: null } }],
    [
      'ours',
      fetched(CLUSTER, null),
      true,
      { expected: { cluster_id: CLUSTER }, found: { cluster_id: CLUSTER } },
    ],
    [
      'another’s',
      fetched(OTHER_CLUSTER, null),
      false,
      { expected: { cluster_id: OTHER_CLUSTER }, found: { cluster_id: CLUSTER } },
    ],
  ]);
  parts(bootstrap.blocksAreIntact, [
    ['nothing fetched', null, null, {}],
    ['all whole', fetched(CLUSTER, null), true, { blocks: 7, fault: null }],
    [
      'one that is not',
      fetched(CLUSTER, {}),
      false,
      { blocks: 7, fault: { block: 1, expected: { bytes: 2 }, found: { bytes: 3 } } },
    ],
  ]);

  const verified = (change: Partial<VerifiedFacts>): VerifiedFacts => ({
    snapshot,
    header: { clusterId: CLUSTER, cut },
    fault: null,
    stateDigest: snapshot.stateDigest,
    versions: 3,
    keys: 2,
    bytes: 300,
    ...change,
  });
  const shown = {
    cluster_id: CLUSTER,
    cut: { ...json(4), segment_index: 1 },
    state_digest: snapshot.stateDigest,
    versions: 3,
    keys: 2,
    bytes: 300,
  };
  parts(bootstrap.baseIsWhole, [
    ['before it is read back', null, null, {}],
    ['as the manifest says', verified({}), true, { expected: shown, found: shown, fault: null }],
    [
      'no header',
      verified({ header: null }),
      false,
      { expected: shown, found: { ...shown, cluster_id: null, cut: null }, fault: null },
    ],
    [
      'a fault alone',
      verified({ fault: { at: 1 } }),
      false,
      { expected: shown, found: shown, fault: { at: 1 } },
    ],
    ['another cluster', verified({ header: { clusterId: OTHER_CLUSTER, cut } }), false],
    ['another cut', verified({ header: { clusterId: CLUSTER, cut: { ...cut, lsn: 401 } } }), false],
    [
      'another segment',
      verified({ header: { clusterId: CLUSTER, cut: { ...cut, segmentIndex: 2 } } }),
      false,
    ],
    ['another state', verified({ stateDigest: '01'.repeat(32) }), false],
    ['a version more', verified({ versions: 4 }), false],
    ['a key more', verified({ keys: 3 }), false],
    ['a byte more', verified({ bytes: 301 }), false],
  ]);
  const installed = (commitId: number, snapshotCut: number) => ({
    cut,
    checkpoint: checkpoint(commitId, snapshotCut),
  });
  parts(bootstrap.installedIsTheCut, [
    ['before it is installed', null, null, {}],
    ['exactly at the cut', installed(4, 4), true, { expected: json(4), found: json(4) }],
    ['a checkpoint elsewhere', installed(5, 4), false, { expected: json(4), found: json(5) }],
    ['a checkpoint that names no base file', installed(4, 0), false],
  ]);
});
