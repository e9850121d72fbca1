import { hex32 } from '../core/bytes.ts';
import { ReplichartError } from '../core/errors.ts';
import { documentPrefix, versionKey, type IndexedPlace } from '../core/storage/index-entry.ts';
import type { StoredVersion } from '../core/storage/version.ts';
import { OP_DELETE, OP_PUT, readOperation, type OperationRecord } from '../core/wal/operation.ts';

/** Which version is meant to stand where. */
export interface Standing {
  readonly commitId: number;
  readonly place: IndexedPlace;
}

/** Whether a record is of the document that was looked for. */
export type IsMeant = (record: OperationRecord) => boolean;

export function isNamedBy(key: Buffer): IsMeant {
  const document = documentPrefix(key);
  return ({ collection, id }) => document.equals(documentPrefix(versionKey(collection, id, 0)));
}

export function isOf({ collection, id }: { readonly collection: Buffer; readonly id: Buffer }): IsMeant {
  return (record) => record.id.equals(id) && record.collection.equals(collection);
}

/**
 * The version that a record is; verifies that it carries its checksum, and is the very one that is meant to stand there.
 *
 * @throws ReplichartError `INDEX_DAMAGED`
 */
export function versionIn(
  bytes: Buffer | null,
  { commitId, place }: Standing,
  isMeant: IsMeant,
): StoredVersion {
  const record = bytes === null ? null : readOperation(bytes, commitId);
  const log = place.log === 'wal' ? ('wal' as const) : ('base' as const);
  if (bytes === null || record === null || !isIntact(record) || !isMeant(record))
    throw new ReplichartError('INDEX_DAMAGED', 'a stored version does not carry its checksum', {
      evidence: {
        log,
        offset: place.offset,
        bytes: place.bytes,
        commit_id: commitId,
        expected_crc32c: record === null ? null : hex32(record.crcComputed),
        found_crc32c: record === null ? null : hex32(record.crcStored),
      },
    });
  return {
    commitId,
    collection: record.collection,
    id: record.id,
    document: record.op === OP_DELETE ? null : record.document,
    record: bytes,
    place: { log, offset: place.offset, bytes: place.bytes },
  };
}

function isIntact({ op, crcStored, crcComputed }: OperationRecord): boolean {
  return crcStored === crcComputed && (op === OP_PUT || op === OP_DELETE);
}
