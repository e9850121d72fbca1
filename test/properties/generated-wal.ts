import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { encodeFrame } from '../../src/core/wal/frame.ts';
import { prepareCommit, type Operation } from '../../src/core/wal/operation.ts';
import { encodeSegmentHeader, segmentFileName } from '../../src/core/wal/segment-header.ts';
import { operationOf, uuid } from './arbitraries.ts';

/** What a primary did, frame after frame. */
export type Step =
  | { readonly kind: 'commits'; readonly commits: readonly (readonly Operation[])[] }
  | { readonly kind: 'seal' }
  | { readonly kind: 'cut' };

export interface WalUnit {
  readonly kind: 'header' | 'commits' | 'seal' | 'cut';
  readonly lsn: number;
  readonly bytes: Buffer;
  /** The position behind it. */
  readonly after: { readonly commitId: number; readonly lsn: number; readonly historyHash: string };
}

export interface GeneratedWal {
  readonly clusterId: string;
  readonly wal: Buffer;
  readonly units: readonly WalUnit[];
  readonly commits: readonly { readonly commitId: number; readonly operations: readonly Operation[] }[];
  readonly files: readonly { readonly name: string; readonly bytes: Buffer }[];
  /** What is shown of it where a property fails: how it was made, and not its bytes. */
  readonly [fc.toStringMethod]: () => string;
}

export const stepsOf = (largest: boolean, stepsMax: number): fc.Arbitrary<readonly Step[]> => {
  const commit = fc.array(operationOf(largest), { minLength: 1, maxLength: 3 });
  return fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant('commits' as const),
          commits: fc.array(commit, { minLength: 1, maxLength: 3 }),
        }),
      },
      { weight: 2, arbitrary: fc.constant<Step>({ kind: 'seal' }) },
      { weight: 1, arbitrary: fc.constant<Step>({ kind: 'cut' }) },
    ),
    { maxLength: stepsMax },
  );
};

/** The whole WAL of a primary, with what stands where. */
export const walOf = (options: { readonly largest?: boolean; readonly stepsMax: number }) =>
  fc
    .record({ clusterId: uuid, steps: stepsOf(options.largest ?? false, options.stepsMax) })
    .map(({ clusterId, steps }) => buildWal(clusterId, steps));

/** Positions are counted here, and hashes made, without a line of the reader that they are held against. */
export function buildWal(clusterId: string, steps: readonly Step[]): GeneratedWal {
  const units: WalUnit[] = [];
  const commits: GeneratedWal['commits'][number][] = [];
  const starts: number[] = [];
  let at = { commitId: 0, lsn: 0, historyHash: '0'.repeat(64) };
  const add = (kind: WalUnit['kind'], bytes: Buffer, moved: Partial<typeof at>) => {
    const after = { ...at, ...moved, lsn: at.lsn + bytes.length };
    units.push({ kind, lsn: at.lsn, bytes, after });
    at = after;
  };
  const header = () => {
    starts.push(at.lsn);
    const { lsn: startLsn, commitId, historyHash } = at;
    const segmentIndex = starts.length - 1;
    add(
      'header',
      encodeSegmentHeader({ clusterId, segmentIndex, startLsn, firstCommitId: commitId + 1, historyHash }),
      {},
    );
  };
  header();
  for (const step of steps) {
    const made = step.kind === 'commits' ? step.commits : [];
    const { bytes } = encodeFrame({
      lsn: at.lsn,
      kind: step.kind,
      firstCommitId: at.commitId + 1,
      previousHash: at.historyHash,
      commits: made.map(prepareCommit),
    });
    for (const [index, operations] of made.entries())
      commits.push({ commitId: at.commitId + 1 + index, operations });
    add(step.kind, bytes, { commitId: at.commitId + made.length, historyHash: sha256(bytes) });
    if (step.kind === 'seal') header();
  }
  const wal = Buffer.concat(units.map(({ bytes }) => bytes));
  const files = starts.map((start, index) => ({
    name: segmentFileName(start),
    bytes: wal.subarray(start, starts[index + 1] ?? wal.length),
  }));
  return {
    clusterId,
    wal,
    units,
    commits,
    files,
    [fc.toStringMethod]: () => fc.stringify({ clusterId, steps }),
  };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The bytes of an operation that was written as text or as bytes. */
export const asBytes = (value: string | Uint8Array): Buffer =>
  typeof value === 'string' ? Buffer.from(value) : Buffer.from(value);
