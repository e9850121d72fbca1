import { fromPromise } from 'xstate';
import { unitBytes, type ChainState } from '../core/wal/chain.ts';
import type { ProofStop } from '../core/wal/proof.ts';
import type { ValidationFacts } from '../core/validation.ts';
import type { StagedBatch, Storage } from '../io/storage.ts';
import type { WalFiles } from '../io/wal/files.ts';
import type { PieceSize } from './piece.ts';
import { proveNext, WALK_BYTES } from '../io/wal/walk.ts';

/** What the validator hands on. */
export interface ProofDesk {
  /** Proven batches in order, the next to be applied first. */
  readonly proven: StagedBatch[];
  /** The unit that did not pass, for the evidence. */
  suspectBytes: Buffer | null;
}

/**
 * Proves the next piece of received WAL, as it stands on disk, and has the index take up its entries: while the piece
 * before it is written to the index, this one is made ready.
 */
export function defineValidateActor(
  wal: () => WalFiles,
  storage: () => Storage,
  desk: ProofDesk,
  pieces: PieceSize,
) {
  return fromPromise<ValidationFacts, { readonly from: ChainState; readonly receivedLsn: number }>(
    async ({ input: { from, receivedLsn } }) => {
      const { batch, stop } = await proveNext(wal(), from, receivedLsn, pieces.next());
      if (batch.to.lsn > from.lsn) desk.proven.push(storage().stage(batch));
      const suspect = stop?.kind === 'suspect' ? stop.facts : null;
      if (suspect !== null) desk.suspectBytes = await bytesOf(wal(), batch.to);
      return { from, to: batch.to, suspect, incompleteLsn: incompleteLsn(stop) };
    },
  );
}

function incompleteLsn(stop: ProofStop | null): number | null {
  return stop?.kind === 'incomplete' ? stop.lsn : null;
}

/** The bytes of the unit at the chain's end, by its own account. */
async function bytesOf(wal: WalFiles, chain: ChainState): Promise<Buffer> {
  const head = await wal.read(chain.lsn, WALK_BYTES);
  const bytes = unitBytes(chain, head, 0) ?? head.length;
  return bytes <= head.length ? head.subarray(0, bytes) : wal.read(chain.lsn, bytes);
}
