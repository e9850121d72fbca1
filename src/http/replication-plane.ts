import type { FastifyInstance } from 'fastify';
import { pipeline, Readable } from 'node:stream';
import { ReplichartError } from '../core/errors.ts';
import { FORMAT_VERSION } from '../core/limits.ts';
import { positionToJson, type Position } from '../core/position.ts';
import { REPLICATION_HEADERS } from '../core/replication-protocol.ts';
import { manifestJson } from '../core/storage/manifest.ts';
import { encodeNotice } from '../core/wal/notice.ts';
import type { PrimaryNode } from '../primary/primary.ts';
import { envelope } from './envelope.ts';
import { grows } from '../node/grows.ts';
import { headersSet } from './headers-set.ts';
import { answer } from './answer.ts';
import { deleteSnapshot, postSnapshot } from './contract/data.ts';
import { getBlock, getIdentity, getManifest, getWalStream, listSnapshots } from './contract/replication.ts';

const READ_BYTES = 256 * 1024;

/** What a primary serves to replicas. It answers what is asked and remembers nobody. */
export function replicationPlane(app: FastifyInstance, served: () => PrimaryNode): void {
  const enabled = () => {
    const node = served();
    if (node.snapshot().context.input.replication === 'disabled')
      throw new ReplichartError('REPLICATION_DISABLED', 'replication is switched off on this primary');
    return node;
  };

  answer(app, getIdentity, async () => {
    const node = enabled();
    const { durable, oldestLsn } = node.history();
    return envelope(
      {
        cluster_id: node.identity.clusterId,
        node_id: node.identity.nodeId,
        format_version: FORMAT_VERSION,
        oldest_lsn: oldestLsn,
        durable: positionToJson(durable),
      },
      durable.commitId,
    );
  });

  answer(app, listSnapshots, async () => {
    const node = enabled();
    const { snapshots } = node;
    const found = await snapshots.inspectAll(await snapshots.list());
    // One damaged manifest does not hide the others; it is said and not offered.
    return envelope(
      { snapshots: found.flatMap((one) => (one.state === 'intact' ? [manifestJson(one.manifest)] : [])) },
      node.history().durable.commitId,
      found.flatMap((one) =>
        one.state === 'damaged' ? [`snapshot ${one.snapshotId} has a damaged manifest`] : [],
      ),
    );
  });

  answer(app, getManifest, async ({ params: { id }, reply }) =>
    reply.type('text/plain').send(await enabled().snapshots.manifestBytes(id)),
  );

  answer(app, getBlock, async ({ params: { id, n }, reply }) => {
    return reply.type('application/octet-stream').send(await enabled().snapshots.block(id, n));
  });

  // An explicit command of an operator, not of a replica: it works with replication disabled as well.
  answer(app, postSnapshot, async ({ reply }) => {
    const made = await served().createSnapshot();
    void reply.code(201);
    return manifestJson(made);
  });

  answer(app, deleteSnapshot, async ({ params: { id } }) => {
    await served().removeSnapshot(id);
    return { snapshot_id: id, removed: true as const };
  });

  answer(app, getWalStream, async ({ query, reply }) => {
    const node = enabled();
    const start = await node.locate({
      lsn: query.from_lsn,
      commitId: query.commit_id,
      historyHash: query.history_hash,
    });
    const { durable } = node.history();
    const ended = new AbortController();
    reply.hijack();
    const { raw } = reply;
    raw.once('close', () => ended.abort());
    if (raw.destroyed) ended.abort();
    raw.writeHead(200, {
      ...headersSet(reply),
      'content-type': 'application/octet-stream',
      [REPLICATION_HEADERS.clusterId]: node.identity.clusterId,
      [REPLICATION_HEADERS.startLsn]: String(start.lsn),
      [REPLICATION_HEADERS.durableCommitId]: String(durable.commitId),
      [REPLICATION_HEADERS.durableLsn]: String(durable.lsn),
      [REPLICATION_HEADERS.durableHash]: durable.historyHash,
    });
    // A follower at the end of history learns at once that it is attached, not with the first byte.
    raw.flushHeaders();
    const bytes = follow(node, start, query.notice_interval_ms ?? null, ended.signal);
    // Whatever ends the stream, the follower sees its connection end: it attaches again when it is told to.
    pipeline(Readable.from(bytes, { objectMode: false, highWaterMark: READ_BYTES }), raw, () =>
      raw.destroy(),
    );
    return reply;
  });
}

/**
 * Durable WAL from a position on, for as long as the follower stays. Reads only what the follower takes; between two
 * frames of an idle stream it says where durable history ends, if it was asked to.
 */
async function* follow(
  node: PrimaryNode,
  from: Position,
  noticeIntervalMs: number | null,
  ended: AbortSignal,
): AsyncGenerator<Buffer> {
  let lsn = from.lsn;
  while (!ended.aborted) {
    const { durable } = node.history();
    if (lsn < durable.lsn) {
      const bytes = await node.readWal(lsn, Math.min(READ_BYTES, durable.lsn - lsn));
      // What was durable and is gone was pruned: the stream ends, and the next request is told so.
      if (bytes.length === 0) return;
      yield bytes;
      lsn += bytes.length;
    } else {
      const grown = await grows(
        () => node.history().durable.lsn > lsn,
        (listener) => node.onDurable(listener),
        noticeIntervalMs,
        ended,
      );
      if (!grown && !ended.aborted) yield encodeNotice(durable);
    }
  }
}
