import { join } from 'node:path';
import type { Json } from '../../src/core/bytes.ts';
import { explainReads } from '../../src/core/explain/replication.ts';
import { explainRecovery } from '../../src/node/explain-recovery.ts';
import { documentJson } from '../../src/core/document-json.ts';
import { RangeDigest } from '../../src/core/explain/visibility.ts';
import { cp, writeFile } from 'node:fs/promises';
import { positionToJson } from '../../src/core/position.ts';
import type { ServedNode } from '../../src/node/served-node.ts';
import { CLUSTER, del, put, startPrimary, temporaryDirectory } from './nodes.ts';
import { appliedLsn, halted } from './replicas.ts';
import { servedPrimary, servedReplica } from './served-nodes.ts';
import { chunked, walBytes } from './sources.ts';
import { recordingIndex } from './state.ts';
import { throughJson } from './verifying.ts';
import { flipped, unitsOf } from './wal-forge.ts';

/** The files of a primary: two segments, a document with versions, one deleted, one that is no JSON. */
export async function primaryFiles() {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir, clusterId: CLUSTER });
  for (let n = 1; n <= 3; n += 1) await primary.commit([put('a', `{"n":${n}}`), put(`k${n}`, `${n}`)]);
  await primary.createSnapshot();
  await primary.commit([del('k2'), put('raw', '{')]);
  await primary.commit([put('a', '{"n":4,"list":[1,2],"yes":true}')]);
  const end = primary.position();
  await primary.stop();
  return { dataDir, wal: await walBytes(dataDir), end };
}

const scripted = (wal: Buffer) => () => ({ chunks: (from: { lsn: number }) => chunked(wal, 700, from.lsn) });

export const replicationOf = (node: ServedNode) => throughJson(explainReads(node.gate.facts())) as Json;
export const recoveryOf = (node: ServedNode) => throughJson(explainRecovery(node.snapshot())) as Json;

/** What `GET /data/v1/c/<id>?proof=1` answers. */
export async function documentAnswer(node: ServedNode, id: string, at?: number): Promise<Json> {
  return node.gate.read(
    async (view) => {
      const found = await view.get('c', id);
      const answer = {
        position: positionToJson(view.position),
        view: { commit_id: view.commitId },
        collection: 'c',
        id,
        found: found !== null,
        ...(found === null
          ? {}
          : { version_commit_id: found.commitId, document: JSON.parse(found.document.toString()) as Json }),
        proof: await view.explain('c', id),
      };
      return throughJson(answer) as unknown as Json;
    },
    at === undefined ? {} : { at },
  );
}

/** What `GET /data/v1/c?proof=1` answers. */
export async function rangeAnswer(node: ServedNode, after: string | null, limit: number): Promise<Json> {
  return node.gate.read(async (view) => {
    const digest = new RangeDigest();
    const documents = [];
    let more = false;
    for await (const found of view.scanStored('c', after === null ? {} : { after })) {
      more = documents.length === limit;
      if (more) break;
      digest.add(found);
      const { id, commitId, document } = found;
      documents.push({ id: id.toString(), version_commit_id: commitId, ...documentJson(document as Buffer) });
    }
    return throughJson({
      position: positionToJson(view.position),
      view: { commit_id: view.commitId },
      collection: 'c',
      documents,
      next_after: more ? (documents.at(-1)?.id ?? null) : null,
      proof: view.explainRange('c', after === null ? null : Buffer.from(after), digest, more),
    }) as unknown as Json;
  });
}

export interface Honest {
  readonly dataDir: string;
  readonly primaryDir: string;
  readonly node: ServedNode;
}

/** A primary at work. */
export async function primaryAtWork(): Promise<Honest> {
  const { dataDir } = await primaryFiles();
  return { dataDir, primaryDir: dataDir, node: await servedPrimary({ dataDir }) };
}

/** A replica that has caught up. */
export async function replicaAtWork(): Promise<Honest> {
  const { dataDir: primaryDir, wal } = await primaryFiles();
  const dataDir = await temporaryDirectory();
  const node = await servedReplica(scripted(wal), { dataDir });
  await appliedLsn(node, wal.length);
  return { dataDir, primaryDir, node };
}

/** A replica that halted on a flipped bit. */
export async function replicaHalted(): Promise<Honest> {
  const { dataDir: primaryDir, wal } = await primaryFiles();
  const dataDir = await temporaryDirectory();
  const at = unitsOf(wal).filter(({ kind }) => kind === 'commits')[3]?.lsn as number;
  const node = await servedReplica(scripted(flipped(wal, (at + 90) * 8)), { dataDir });
  await halted(node);
  return { dataDir, primaryDir, node };
}

/** A replica whose recovery discarded WAL that broke a rule, and kept it as evidence. */
export async function replicaThatDiscarded(tear = 0): Promise<Honest> {
  const { dataDir: primaryDir, wal } = await primaryFiles();
  const dataDir = await temporaryDirectory();
  const recorded = recordingIndex();
  const before = await servedReplica(scripted(wal), { dataDir }, { indexStore: () => recorded.store });
  await appliedLsn(before, wal.length);
  await before.stop();
  const last = unitsOf(wal).at(-1) as { lsn: number };
  const start = unitsOf(wal).findLast(({ kind }) => kind === 'header') as { lsn: number };
  const bad = tear === 0 ? flipped(wal, (last.lsn + 75) * 8) : wal.subarray(0, wal.length - tear);
  const file = join(dataDir, 'wal', `${String(start.lsn).padStart(20, '0')}.wal`);
  await writeFile(file, bad.subarray(start.lsn));
  const store = await recorded.upTo(last.lsn);
  const node = await servedReplica(scripted(wal), { dataDir }, { indexStore: () => store });
  await appliedLsn(node, wal.length);
  return { dataDir, primaryDir, node };
}

export async function copyOf(dataDir: string): Promise<string> {
  const copy = join(await temporaryDirectory(), 'copy');
  await cp(dataDir, copy, { recursive: true });
  return copy;
}
