/**
 * The history that the model speaks of: a stretch of WAL is so many units, each as large as a frame may be and of one
 * commit, so that positions are few and every bound that the chart knows is met.
 */
import { FORMAT_VERSION, FRAME_BYTES_MAX, SEGMENT_HEADER_BYTES } from '../../src/core/limits.ts';
import { GENESIS_HASH, positionOf, type Position } from '../../src/core/position.ts';
import type { ProvenRange } from '../../src/core/application.ts';
import type { Checkpoint } from '../../src/core/storage/checkpoint.ts';
import { FRAME_KIND, FRAME_MAGIC } from '../../src/core/wal/frame.ts';
import { SEGMENT_MAGIC } from '../../src/core/wal/segment-header.ts';
import { genesisChain, type ChainState, type FrameFacts, type UnitFacts } from '../../src/core/wal/chain.ts';

export const CLUSTER = '11111111-1111-4111-8111-111111111111';
export const OTHER_CLUSTER = '22222222-2222-4222-8222-222222222222';
export function otherThan(clusterId: string): string {
  return clusterId === OTHER_CLUSTER ? CLUSTER : OTHER_CLUSTER;
}

export const NODE = '33333333-3333-4333-8333-333333333333';
export const OTHER_NODE = '44444444-4444-4444-8444-444444444444';

export const UNIT_BYTES = FRAME_BYTES_MAX;

/** The hash after so many units of a history; two histories have no hash in common behind their fork. */
export function hashAfter(units: number, history = 0): string {
  if (units === 0) return GENESIS_HASH;
  return `${history.toString(16)}${units.toString(16)}`.padStart(4, '0').repeat(16);
}

export function positionAfter(units: number, history = 0): Position {
  return { commitId: units, lsn: units * UNIT_BYTES, historyHash: hashAfter(units, history) };
}

export function chainAfter(units: number, history = 0): ChainState {
  const chain = { ...genesisChain(CLUSTER), ...positionAfter(units, history) };
  return units === 0 ? chain : { ...chain, expects: 'frame' };
}

export function checkpointAfter(units: number, snapshotCut = 0, history = 0): Checkpoint {
  const segmentIndex = snapshotCut > 0 ? 1 : 0;
  return { ...positionAfter(units, history), segmentIndex, snapshotCut };
}

export function unitsOf({ lsn }: { readonly lsn: number }): number {
  return lsn / UNIT_BYTES;
}

/** The chain behind the next unit, if that is the good one. */
export function chainBehind(chain: ChainState, history = 0): ChainState {
  return { ...chain, ...positionAfter(unitsOf(chain) + 1, history), expects: 'frame' };
}

export function rangeOf(from: Position, to: Position): ProvenRange {
  return { from: positionOf(from), to: positionOf(to) };
}

const CRC = 1;

/** What an observer says of the good unit that follows a chain. */
export function goodUnit(chain: ChainState, history = 0): FrameFacts {
  const behind = chainBehind(chain, history);
  return {
    unit: 'frame',
    file: 'a segment',
    byte: chain.lsn - chain.segmentStartLsn,
    chain,
    header: {
      magic: FRAME_MAGIC,
      frameBytes: UNIT_BYTES,
      ownLsn: chain.lsn,
      firstCommitId: chain.commitId + 1,
      commitCount: 1,
      kind: FRAME_KIND.commits,
      previousHash: chain.historyHash,
      crcStored: CRC,
      reserved: 0,
    },
    computed: { crc: CRC, historyHash: behind.historyHash, payloadFault: null },
  };
}

/** The ways in which one unit can be wrong, and what an observer says of each; every one breaks one rule first. */
export const WRONG_UNITS = {
  'not framed': (chain: ChainState): UnitFacts => withHeader(chain, { kind: 9 }),
  'checksum does not match': (chain: ChainState): UnitFacts => withHeader(chain, { crcStored: CRC + 1 }),
  'of another cluster': (chain: ChainState): UnitFacts => foreignSegment(chain),
  'at another place': (chain: ChainState): UnitFacts => withHeader(chain, { ownLsn: chain.lsn + UNIT_BYTES }),
  'of another history': (chain: ChainState): UnitFacts =>
    withHeader(chain, { previousHash: hashAfter(9, 9) }),
  'commit ids are not dense': (chain: ChainState): UnitFacts =>
    withHeader(chain, { firstCommitId: chain.commitId + 2 }),
  'payload is malformed': (chain: ChainState): UnitFacts => {
    const fault = {
      kind: 'structure',
      offset: 72,
      expected: { operations: 1 },
      found: { operations: 2 },
    } as const;
    return { ...goodUnit(chain), computed: { crc: CRC, historyHash: hashAfter(9, 9), payloadFault: fault } };
  },
} as const;
export type WrongUnit = keyof typeof WRONG_UNITS;

function withHeader(chain: ChainState, change: Partial<FrameFacts['header']>): FrameFacts {
  const good = goodUnit(chain);
  return { ...good, header: { ...good.header, ...change } };
}

function foreignSegment(chain: ChainState): UnitFacts {
  return {
    unit: 'segment header',
    file: 'a segment',
    byte: 0,
    chain: { ...chain, expects: 'segment header' },
    header: {
      magic: SEGMENT_MAGIC,
      headerBytes: SEGMENT_HEADER_BYTES,
      formatVersion: FORMAT_VERSION,
      clusterId: otherThan(chain.clusterId),
      segmentIndex: chain.segmentIndex,
      startLsn: chain.lsn,
      firstCommitId: chain.commitId + 1,
      historyHash: chain.historyHash,
      reserved: 0,
      crcStored: CRC,
      crcComputed: CRC,
    },
  };
}
