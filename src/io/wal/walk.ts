import type { ChainState } from '../../core/wal/chain.ts';
import { ProvenBatch, type Proof, type ProofStop } from '../../core/wal/proof.ts';
import { segmentFileName } from '../../core/wal/segment-header.ts';
import type { WalFiles } from './files.ts';

export const WALK_BYTES = 1024 * 1024;

/**
 * Proves the WAL from a chain state up to `endLsn`, a bounded piece at a time. Ends with the first stop, or when all
 * is proved. Memory: one piece, or one frame where that is larger.
 */
export async function* walkWal(wal: WalFiles, from: ChainState, endLsn: number): AsyncGenerator<Proof> {
  let chain = from;
  while (chain.lsn < endLsn) {
    const proof = await proveNext(wal, chain, endLsn, WALK_BYTES);
    yield proof;
    if (proof.stop !== null) return;
    chain = proof.batch.to;
  }
}

/**
 * Proves the next piece. A unit that the piece cuts off is left for the next one; it stops the walk only where the
 * file itself, or `endLsn`, cuts it off.
 */
export async function proveNext(
  wal: WalFiles,
  chain: ChainState,
  endLsn: number,
  pieceBytes: number,
): Promise<Proof> {
  const piece = await wal.read(chain.lsn, Math.min(pieceBytes, endLsn - chain.lsn));
  // No file holds what comes next, though the stream goes on behind it: a hole between two files.
  if (piece.length === 0) return { ...ProvenBatch.prove(chain, piece), stop: missingAt(chain, 0, null) };
  let proof = ProvenBatch.prove(chain, piece);
  if (proof.stop?.kind !== 'incomplete') return proof;
  if (proof.batch.to.lsn > chain.lsn && piece.length === pieceBytes) return { ...proof, stop: null };
  const { neededBytes, availableBytes } = proof.stop;
  if (neededBytes !== null && neededBytes > availableBytes && piece.length === pieceBytes) {
    const whole = await wal.read(chain.lsn, Math.min(neededBytes, endLsn - chain.lsn));
    proof = ProvenBatch.prove(chain, whole);
  }
  return proof;
}

/** The stop of a unit of which fewer bytes are there than it takes. */
export function missingAt(chain: ChainState, availableBytes: number, neededBytes: number | null): ProofStop {
  return {
    kind: 'incomplete',
    lsn: chain.lsn,
    file: segmentFileName(chain.segmentStartLsn),
    byte: chain.lsn - chain.segmentStartLsn,
    availableBytes,
    neededBytes,
  };
}
