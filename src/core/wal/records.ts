import { hex32, keyJson, type Json, type JsonObject } from '../bytes.ts';
import { assertThat } from '../errors.ts';
import type { FrameFacts, HeaderFacts } from './chain.ts';
import { FRAME_KIND, type FrameKind } from './frame.ts';
import { OP_PUT, readOperation } from './operation.ts';
import type { CommitPlace } from './payload.ts';

/** What a WAL is made of, the larger first. */
export const RECORD_LEVELS = ['segment', 'frame', 'commit', 'operation'] as const;
export type RecordLevel = (typeof RECORD_LEVELS)[number];

/** One thing that stands in the WAL, as JSON; the order of its fields never changes. */
export type WalRecord = JsonObject & { readonly record: RecordLevel };

export function segmentRecord({ file, header }: HeaderFacts): WalRecord {
  return {
    record: 'segment',
    lsn: header.startLsn,
    file,
    segment_index: header.segmentIndex,
    cluster_id: header.clusterId,
    format_version: header.formatVersion,
    first_commit_id: header.firstCommitId,
    history_hash: header.historyHash,
    crc32c: hex32(header.crcStored),
  };
}

/** Of a frame that was proved: `previous_hash` is the history before it, `history_hash` that after it. */
export function frameRecord({ file, byte, header, computed }: FrameFacts): WalRecord {
  assertThat(computed !== null, 'a frame that was proved has its hash');
  return {
    record: 'frame',
    lsn: header.ownLsn,
    file,
    byte,
    kind: kindName(header.kind),
    bytes: header.frameBytes,
    first_commit_id: header.firstCommitId,
    commit_count: header.commitCount,
    previous_hash: header.previousHash,
    history_hash: computed.historyHash,
    crc32c: hex32(header.crcStored),
  };
}

/** The name of a kind that was proved to be one. */
export function kindName(kind: number): FrameKind {
  const found = (Object.keys(FRAME_KIND) as FrameKind[]).find((name) => FRAME_KIND[name] === kind);
  assertThat(found !== undefined, 'a frame that was proved is of a known kind');
  return found;
}

export function commitRecord(
  frameLsn: number,
  { commitId, offset, bytes, operations }: CommitPlace,
): WalRecord {
  return {
    record: 'commit',
    lsn: frameLsn + offset,
    commit_id: commitId,
    bytes,
    operation_count: operations,
  };
}

/**
 * An operation with the checksum that it carries; `crc32c_computed` is there only where that is not the checksum of its
 * bytes. The document is left out unless asked for.
 */
export function operationRecord(
  lsn: number,
  commitId: number,
  index: number,
  bytes: Buffer,
  withDocument: boolean,
): WalRecord {
  const operation = readOperation(bytes, commitId);
  assertThat(operation !== null, 'the lengths of an operation that was proved add up');
  const { op, collection, id, document, crcStored, crcComputed } = operation;
  const isPut = op === OP_PUT;
  return {
    record: 'operation',
    lsn,
    commit_id: commitId,
    index,
    op: isPut ? 'put' : 'delete',
    ...keyJson('collection', collection),
    ...keyJson('id', id),
    document_bytes: document.length,
    crc32c: hex32(crcStored),
    ...(crcStored === crcComputed ? {} : { crc32c_computed: hex32(crcComputed) }),
    ...(withDocument && isPut ? documentJson(document) : {}),
  };
}

/** As JSON only where that, written without spaces, is the very bytes: else a dump would show what is not there. */
function documentJson(document: Buffer): JsonObject {
  try {
    const value = JSON.parse(document.toString('utf8')) as Json;
    if (Buffer.from(JSON.stringify(value)).equals(document)) return { document: value };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { document_base64: document.toString('base64') };
}
