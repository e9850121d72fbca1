import { GENESIS, samePosition, type Position } from '../core/position.ts';
import { ReplichartError } from '../core/errors.ts';
import { CommitReader, type CommittedChanges } from '../io/wal/commits.ts';
import { grows } from './grows.ts';
import type { ViewRequest } from './node-snapshot.ts';
import type { ServedNode } from './served-node.ts';
import { hasEnded } from './until-ready.ts';

export interface ChangesOptions {
  /** The position behind which the feed begins, as a commit or an earlier change gave it. Left out: before all history. */
  readonly from?: Position | undefined;
  /** Ends the feed; what waits then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The commits of a node's history in their order, each exactly once, as they become readable: a feed gives nothing that a read
 * would not be admitted to, and ends with the refusal where reads are refused. It waits for as long as its reader stays, and
 * reads no further ahead than one piece of WAL.
 *
 * @throws ReplichartError `WAL_PRUNED` where what comes next is no longer kept, `WAL_CORRUPT` where it does not prove, and
 *   every refusal of the read gate: a position of another history, one that lies ahead of this node, a halt, a stop.
 */
export async function* changesOf(
  node: ServedNode,
  { from = GENESIS, signal = new AbortController().signal }: ChangesOptions = {},
): AsyncGenerator<CommittedChanges> {
  const reader = new CommitReader(from);
  const held = node.files();
  // Where the WAL begins behind the position there is nothing to look it up in, and the gate could not say why.
  if (held !== null) reader.assertKept(held.wal);
  let request: ViewRequest = samePosition(from, GENESIS) ? {} : { position: from };
  for (;;) {
    signal.throwIfAborted();
    const { position } = await node.gate.read(async (view) => view, request);
    request = {};
    const { wal } = node.files() ?? closed();
    if (position.commitId > reader.commitId) {
      for await (const commit of reader.upTo(wal, position.lsn)) {
        signal.throwIfAborted();
        yield commit;
      }
    }
    const hasNews = () => isAhead(node, reader.commitId) || hasEnded(node.snapshot());
    await grows(hasNews, (listener) => node.onApplied(listener), null, signal);
  }
}

function isAhead(node: ServedNode, commitId: number): boolean {
  return (node.applied()?.commitId ?? 0) > commitId;
}

function closed(): never {
  throw new ReplichartError('READS_BLOCKED', 'the files of the node are closed');
}
