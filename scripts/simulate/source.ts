/** A primary in the same process as a `WalSource`: what its replication plane would answer, without a connection. */
import { ReplichartError } from '../../src/core/errors.ts';
import type { SourceFailure } from '../../src/core/ingress.ts';
import { FORMAT_VERSION } from '../../src/core/limits.ts';
import { positionOf } from '../../src/core/position.ts';
import type { SourceBytes, WalChunk, WalSource } from '../../src/io/wal-source.ts';
import type { PrimaryNode } from '../../src/primary/primary.ts';

/** Small pieces, so that units arrive in parts. */
const PIECE_BYTES = 150;

export const UNREACHABLE: SourceFailure = { kind: 'unreachable', message: 'nobody answers' };

/** `primary`: the one that answers at this moment, if there is one. */
export function sourceOf(primary: () => PrimaryNode | null, pieceBytes = PIECE_BYTES): WalSource {
  const asked = async <Answer>(
    ask: (node: PrimaryNode) => Promise<Answer>,
  ): Promise<Answer | SourceFailure> => {
    const node = primary();
    if (node === null) return UNREACHABLE;
    try {
      return await ask(node);
    } catch (error) {
      if (!(error instanceof ReplichartError)) throw error;
      const { code, message, evidence } = error;
      return { kind: 'refused', code, message, evidence };
    }
  };
  const bytes = (read: (node: PrimaryNode) => Promise<Buffer>) =>
    asked<SourceBytes>(async (node) => ({ kind: 'bytes', bytes: await read(node) }));
  return {
    identify: () =>
      asked(async (node) => {
        const { durable, oldestLsn } = node.history();
        const { clusterId } = node.identity;
        const identity = {
          clusterId,
          formatVersion: FORMAT_VERSION,
          oldestLsn,
          durable: positionOf(durable),
        };
        return { kind: 'met' as const, primary: identity };
      }),
    openWal: (from) =>
      asked(async (node) => {
        const start = await node.locate(from);
        const ended = new AbortController();
        return {
          kind: 'opened' as const,
          stream: {
            clusterId: node.identity.clusterId,
            startLsn: start.lsn,
            durable: positionOf(node.history().durable),
            chunks: follow(node, start.lsn, pieceBytes, ended.signal),
            close: () => ended.abort(),
          },
        };
      }),
    listSnapshots: () =>
      asked(async (node) => ({ kind: 'listed' as const, snapshotIds: await node.snapshots.list() })),
    snapshotManifest: (id) => bytes((node) => node.snapshots.manifestBytes(id)),
    snapshotBlock: (id, index) => bytes((node) => node.snapshots.block(id, index)),
    close: async () => undefined,
  };
}

async function* follow(
  node: PrimaryNode,
  from: number,
  pieceBytes: number,
  ended: AbortSignal,
): AsyncGenerator<WalChunk> {
  let lsn = from;
  while (!ended.aborted) {
    const { durable } = node.history();
    if (lsn < durable.lsn) {
      const bytes = await node.readWal(lsn, Math.min(pieceBytes, durable.lsn - lsn));
      if (bytes.length === 0) return;
      yield { kind: 'wal', lsn, bytes };
      lsn += bytes.length;
    } else {
      yield { kind: 'notice', position: positionOf(durable) };
      await grown(node, lsn, ended);
    }
  }
}

function grown(node: PrimaryNode, lsn: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (ended.aborted || node.history().durable.lsn > lsn) {
      resolve();
      return;
    }
    const stop = node.onDurable(() => {
      if (node.history().durable.lsn > lsn) end();
    });
    const end = () => {
      stop();
      ended.removeEventListener('abort', end);
      resolve();
    };
    ended.addEventListener('abort', end);
  });
}
