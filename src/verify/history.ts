import { join } from 'node:path';
import { ReplichartError } from '../core/errors.ts';
import { OPERATION_HEADER_BYTES } from '../core/limits.ts';
import { positionOf, positionToJson, type Position } from '../core/position.ts';
import { commitIdOfKey } from '../core/storage/index-entry.ts';
import type { StoredVersion } from '../core/storage/version.ts';
import { UNBOUND_CLUSTER } from '../core/identity.ts';
import { stopEvidence, type StopEvidence } from '../core/recovery/survey.ts';
import { chainAtCut, genesisChain, type ChainState } from '../core/wal/chain.ts';
import { FRAME_KIND } from '../core/wal/frame.ts';
import { OP_DELETE, readOperation } from '../core/wal/operation.ts';
import { forEachOperation } from '../core/wal/payload.ts';
import type { ProofStop, ProvenUnit } from '../core/wal/proof.ts';
import { BaseFile, readBaseFile, type BaseEntry } from '../io/base-file.ts';
import type { FileSystem } from '../io/file-system.ts';
import { findBeginning, type Beginning, type WalPlace } from '../io/wal/beginning.ts';
import { proveToEnd, WalReader } from '../io/wal/proof.ts';

/** Where history is read from: WAL, and the base file that it begins at, if there is one. */
export interface HistoryPlace extends WalPlace {
  /** `null`: base files are not looked at. */
  readonly baseDirectory: string | null;
}

/** What is looked for while history passes by. */
export interface Sought {
  /** LSNs whose chain state is wanted. */
  readonly lsns: ReadonlySet<number>;
  /** Versions of these documents are wanted; `null`: none are. */
  readonly versions: VersionSink | null;
}

export interface VersionSink {
  wants(collection: Buffer, id: Buffer): boolean;
  /** Versions come in the order of their commits; of one commit the last operation on a document counts. */
  add(version: StoredVersion): void;
}

/** History that was proved from its first byte in the files on: every unit by every check. */
export interface ProvenHistory {
  readonly beginning: Beginning;
  /** Where the proof ended; the files may hold more that was not looked for. */
  readonly end: Position;
  /** What stood in the way of the proof; `null` where nothing did. */
  readonly stop: StopEvidence | null;
  /** Where the files end. */
  readonly filesEndLsn: number;
  /** The chain at each LSN that was sought and is a unit boundary. */
  readonly chains: ReadonlyMap<number, ChainState>;
}

/**
 * Proves history from files alone and collects what is sought. Reads no index: what it gives does not depend on
 * anything but the log. Memory: one piece of WAL, one block of a base file, and what the sink keeps.
 */
export async function readHistory(place: HistoryPlace, sought: Sought): Promise<ProvenHistory> {
  const reader = await WalReader.open(place.files, place.walDirectory);
  try {
    const beginning =
      (await findBeginning(reader.wal, place, { lsn: null, commitId: null })) ?? withoutSegments(place);
    if (beginning.hashFrom === 'base file' && place.baseDirectory !== null && sought.versions !== null)
      await readBase(
        place.files,
        join(place.baseDirectory, `${beginning.chain.commitId}.base`),
        sought.versions,
      );
    const lastLsn = Math.max(0, ...sought.lsns);
    const chains = new Map<number, ChainState>();
    const meet = (chain: ChainState) => {
      if (sought.lsns.has(chain.lsn)) chains.set(chain.lsn, chain);
    };
    meet(beginning.chain);
    let end: Position = beginning.chain;
    let stop: ProofStop | null = null;
    for await (const step of proveToEnd(reader, beginning.chain)) {
      if (step.kind === 'proved')
        for (const unit of step.units) {
          meet(unit.facts.chain);
          if (sought.versions !== null) versionsOf(unit, sought.versions);
        }
      else stop = step.stop;
      end = step.to;
      meet(step.to);
      if (end.lsn >= lastLsn) break;
    }
    return {
      beginning,
      end: positionOf(end),
      stop: stop && stopEvidence(stop),
      filesEndLsn: reader.wal.endLsn,
      chains,
    };
  } finally {
    await reader.close();
  }
}

/** A node that holds no WAL yet stands at the cut of its base file, or at the beginning of all. */
function withoutSegments({ clusterId, cuts }: HistoryPlace): Beginning {
  const cluster = clusterId ?? UNBOUND_CLUSTER;
  const [cut] = cuts;
  return cut === undefined
    ? { chain: genesisChain(cluster), hashFrom: 'genesis', isSought: false }
    : { chain: chainAtCut(cluster, cut), hashFrom: 'base file', isSought: false };
}

function versionsOf({ facts, bytes }: ProvenUnit, sink: VersionSink): void {
  if (facts.unit !== 'frame' || facts.header.kind !== FRAME_KIND.commits) return;
  forEachOperation(bytes, (commitId, offset, size) => {
    const idAt = offset + OPERATION_HEADER_BYTES + (bytes[offset + 1] as number);
    const collection = bytes.subarray(offset + OPERATION_HEADER_BYTES, idAt);
    const id = bytes.subarray(idAt, idAt + bytes.readUInt16LE(offset + 2));
    if (!sink.wants(collection, id)) return;
    // A copy: the piece that it lies in is much larger.
    const record = Buffer.from(bytes.subarray(offset, offset + size));
    const place = { log: 'wal', offset: facts.chain.lsn + offset, bytes: size } as const;
    sink.add(storedVersion(commitId, record, place));
  });
}

function storedVersion(commitId: number, record: Buffer, place: StoredVersion['place']): StoredVersion {
  const read = readOperation(record, commitId);
  if (read === null || read.crcStored !== read.crcComputed)
    throw new ReplichartError('WAL_CORRUPT', `a version of commit ${commitId} does not carry its checksum`, {
      evidence: { commit_id: commitId, log: place.log, offset: place.offset },
    });
  const { op, collection, id, document } = read;
  return { commitId, collection, id, document: op === OP_DELETE ? null : document, record, place };
}

async function readBase(files: FileSystem, path: string, sink: VersionSink): Promise<void> {
  const base = await BaseFile.open(files, path);
  const take = async (entries: readonly BaseEntry[]) => {
    for (const { offset, bytes, key } of entries) {
      const record = base.readRecord(offset, bytes);
      const commitId = commitIdOfKey(key);
      const operation = record && readOperation(record, commitId);
      if (record === null || operation === null || !sink.wants(operation.collection, operation.id)) continue;
      sink.add(storedVersion(commitId, record, { log: 'base', offset, bytes }));
    }
  };
  try {
    const { fault } = await readBaseFile(files, path, take);
    if (fault !== null)
      throw new ReplichartError('SNAPSHOT_CORRUPT', 'the base file that the WAL begins at is damaged', {
        evidence: { rule: fault.rule, offset: fault.offset, expected: fault.expected, found: fault.found },
      });
  } finally {
    await base.close();
  }
}

/** What is said of the files that history was read from. */
export function historyJson({ beginning, end, stop, filesEndLsn }: ProvenHistory) {
  return {
    cluster_id: beginning.chain.clusterId,
    begins_at_lsn: beginning.chain.lsn,
    history_hash_from: beginning.hashFrom,
    proved_to: positionToJson(end),
    stopped_by: stop && { ...stop },
    files_end_lsn: filesEndLsn,
  };
}
