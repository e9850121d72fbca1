import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeBaseFooter,
  decodeBaseHeader,
  encodeBaseFooter,
  encodeBaseHeader,
} from '../../src/core/storage/base-format.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/core/storage/checkpoint.ts';
import {
  AFTER_VERSION_KEYS,
  afterDocument,
  CHECKPOINT_KEY,
  collectionBounds,
  commitIdOfKey,
  decodeIndexValue,
  documentPrefix,
  encodeIndexValue,
  FIRST_VERSION_KEY,
  KeyMaker,
  versionKey,
} from '../../src/core/storage/index-entry.ts';
import { crc32cAfter, crc32cOfFew } from '../../src/core/bytes.ts';
import { prepareCommit, readOperation, writeCommit } from '../../src/core/wal/operation.ts';
import { crc32c, decodeCheckpointValue, decodeIndexEntry } from '../support/independent-decoder.ts';
import { flipped } from '../support/wal-forge.ts';
import {
  bytesOf,
  checkpoint,
  count,
  cut,
  hash,
  nameOf,
  operationOf,
  patch,
  patches,
  sealAt,
  u32,
  uuid,
} from './arbitraries.ts';
import { asBytes } from './generated-wal.ts';
import { runs } from './runs.ts';

/** A record of one size with its checksum in it: what is true of all of them. */
interface Format<Value> {
  readonly name: string;
  readonly value: fc.Arbitrary<Value>;
  readonly encode: (value: Value) => Buffer;
  readonly decode: (bytes: Buffer) => Value | null;
  /** Where the checksum stands; it covers all before it. */
  readonly crcAt: number;
  /** Bytes that a reader need not look at. */
  readonly open: readonly [number, number];
}

const format = <Value>(one: Format<Value>) => one as Format<unknown>;
const FORMATS: readonly Format<unknown>[] = [
  format({
    name: 'checkpoint',
    value: checkpoint,
    encode: encodeCheckpoint,
    decode: decodeCheckpoint,
    crcAt: 76,
    open: [0, 0],
  }),
  format({
    name: 'base file header',
    value: fc.record({ clusterId: uuid, cut }),
    encode: encodeBaseHeader,
    decode: decodeBaseHeader,
    crcAt: 124,
    open: [88, 124],
  }),
  format({
    name: 'base file footer',
    value: fc.record({ blocks: u32, versions: count, keys: count, fileBytes: count, stateDigest: hash }),
    encode: encodeBaseFooter,
    decode: decodeBaseFooter,
    crcAt: 76,
    open: [0, 0],
  }),
];

describe.each(FORMATS)('$name', ({ value, encode, decode, crcAt, open }) => {
  test('round trip of all values', () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(decode(encode(one))).toEqual(one);
      }),
      runs(200),
    );
  });

  test('P5-I11, F-V1: every flipped bit, every truncation and every byte more makes it damaged', () => {
    fc.assert(
      fc.property(value, fc.nat(255), (one, more) => {
        const bytes = encode(one);
        for (let bit = 0; bit < bytes.length * 8; bit += 1)
          expect(decode(flipped(bytes, bit)), `bit ${bit}`).toBeNull();
        for (let length = 0; length < bytes.length; length += 1)
          expect(decode(bytes.subarray(0, length)), `${length} bytes`).toBeNull();
        expect(decode(Buffer.concat([bytes, Buffer.from([more])]))).toBeNull();
      }),
      runs(6),
    );
  });

  test('arbitrary bytes with a right checksum: damaged, or a value that is written as these very bytes', () => {
    fc.assert(
      fc.property(value, patches(crcAt, 4), (one, changes) => {
        const bytes = encode(one);
        patch(bytes, crcAt, changes);
        const found = decode(bytes);
        if (found === null) return;
        const again = encode(found);
        sealAt(bytes.fill(0, ...open), crcAt);
        expect(again.toString('hex')).toBe(bytes.toString('hex'));
      }),
      runs(500),
    );
    fc.assert(
      fc.property(bytesOf({ maxLength: 200 }), (bytes) => decode(bytes) === null),
      runs(500),
    );
  });
});

test('a checkpoint with damage and a right checksum is read as FORMAT.md says, or not at all', () => {
  fc.assert(
    fc.property(checkpoint, patches(76, 4), (one, changes) => {
      const bytes = encodeCheckpoint(one);
      patch(bytes, 76, changes);
      const found = decodeCheckpoint(bytes);
      if (found === null) expect(() => decodeCheckpointValue(bytes)).toThrow();
      else expect(found).toEqual(decodeCheckpointValue(bytes));
    }),
    runs(400),
  );
});

const version = fc.record({ collection: nameOf(255), id: nameOf(65_535), commitId: count });
const smallVersion = fc.record({ collection: nameOf(4), id: nameOf(4), commitId: fc.nat(5) });
const keyOf = ({ collection, id, commitId }: { collection: Buffer; id: Buffer; commitId: number }) =>
  versionKey(collection, id, commitId);

describe('index entries', () => {
  const place = { log: fc.constantFrom('wal' as const, 0 as const, 1 as const), offset: count, bytes: u32 };

  test('round trip of key and value, also by a decoder from FORMAT.md alone', () => {
    fc.assert(
      fc.property(version, fc.record(place), (of, { log, offset, bytes }) => {
        const key = keyOf(of);
        const value = encodeIndexValue(key, log, offset, bytes);
        expect(decodeIndexValue(key, value)).toEqual({ log, offset, bytes });
        expect(commitIdOfKey(key)).toBe(of.commitId);
        const independent = decodeIndexEntry(key, value);
        expect([independent.collection.equals(of.collection), independent.id.equals(of.id)]).toEqual([
          true,
          true,
        ]);
        const { commitId } = of;
        const where = log === 'wal' ? { log, slot: null } : { log: 'base', slot: log };
        expect(independent).toMatchObject({ commitId, ...where, offset, bytes });
      }),
      runs(150),
    );
  });

  test('P5-I11: every flipped bit of value or key, and every other size of the value, makes it damaged', () => {
    fc.assert(
      fc.property(smallVersion, fc.record(place), (of, { log, offset, bytes }) => {
        const key = keyOf(of);
        const value = encodeIndexValue(key, log, offset, bytes);
        for (let bit = 0; bit < value.length * 8; bit += 1)
          expect(decodeIndexValue(key, flipped(value, bit)), `bit ${bit} of the value`).toBeNull();
        for (let bit = 0; bit < key.length * 8; bit += 1)
          expect(decodeIndexValue(flipped(key, bit), value), `bit ${bit} of the key`).toBeNull();
        for (let length = 0; length < value.length; length += 1)
          expect(decodeIndexValue(key, value.subarray(0, length))).toBeNull();
        expect(decodeIndexValue(key, Buffer.concat([value, Buffer.from([0])]))).toBeNull();
      }),
      runs(15),
    );
  });

  test('values of arbitrary bytes with a right checksum: damaged, or written as these very bytes', () => {
    fc.assert(
      fc.property(smallVersion, bytesOf({ minLength: 13, maxLength: 13 }), fc.nat(4), (of, head, log) => {
        const key = keyOf(of);
        head[0] = log;
        head.writeUInt16LE(0, 7);
        const crc = Buffer.alloc(4);
        crc.writeUInt32LE(crc32c(key, head));
        const value = Buffer.concat([head, crc]);
        const found = decodeIndexValue(key, value);
        expect(found === null).toBe(log === 0 || log === 4);
        if (found !== null)
          expect(encodeIndexValue(key, found.log, found.offset, found.bytes).equals(value)).toBe(true);
        value.writeUInt16LE(0xff, 7);
        value.writeUInt32LE(crc32c(key, value.subarray(0, 13)), 13);
        expect(decodeIndexValue(key, value)).toBeNull();
      }),
      runs(300),
    );
  });

  test('P5-I7: the order of keys is collection, id, newest first; one document is one stretch, one collection is one', () => {
    fc.assert(
      fc.property(
        fc.array(smallVersion, { minLength: 2, maxLength: 12 }),
        nameOf(4),
        nameOf(4),
        (all, collection, id) => {
          const naive = [...all].sort(
            (a, b) =>
              Buffer.compare(a.collection, b.collection) ||
              Buffer.compare(a.id, b.id) ||
              b.commitId - a.commitId,
          );
          const byKey = [...all].sort((a, b) => Buffer.compare(keyOf(a), keyOf(b)));
          expect(byKey.map(describeVersion)).toEqual(naive.map(describeVersion));
          const bounds = collectionBounds(collection);
          for (const one of all) {
            const key = keyOf(one);
            expect(isBetween(key, FIRST_VERSION_KEY, AFTER_VERSION_KEYS)).toBe(true);
            expect(Buffer.compare(CHECKPOINT_KEY, key)).toBe(-1);
            const isOfCollection = one.collection.equals(collection);
            expect(isBetween(key, bounds.from, bounds.to)).toBe(isOfCollection);
            const isOfDocument = isOfCollection && one.id.equals(id);
            expect(documentPrefix(key).equals(documentPrefix(versionKey(collection, id, 7)))).toBe(
              isOfDocument,
            );
            for (const bound of [0, 3, 2 ** 53 - 1])
              expect(isBetween(key, versionKey(collection, id, bound), afterDocument(collection, id))).toBe(
                isOfDocument && one.commitId <= bound,
              );
          }
        },
      ),
      runs(400),
    );
  });

  const isBetween = (key: Buffer, from: Buffer, to: Buffer) =>
    Buffer.compare(from, key) <= 0 && Buffer.compare(key, to) < 0;
  const describeVersion = ({
    collection,
    id,
    commitId,
  }: {
    collection: Buffer;
    id: Buffer;
    commitId: number;
  }) => `${collection.toString('hex')} ${id.toString('hex')} ${commitId}`;
});

describe('operation records', () => {
  const recordOf = (operation: Parameters<typeof prepareCommit>[0][number], commitId: number) => {
    const commit = prepareCommit([operation]);
    const bytes = Buffer.alloc(commit.bytes);
    writeCommit(bytes, 0, commitId, commit);
    return bytes.subarray(16);
  };
  const isIntact = (bytes: Buffer, commitId: number) => {
    const record = readOperation(bytes, commitId);
    return record !== null && record.crcStored === record.crcComputed;
  };

  test('P5-I7, F-V1: every flipped bit, every truncation, and every other commit id is seen when it is read', () => {
    fc.assert(
      fc.property(operationOf(false), count, count, (operation, commitId, other) => {
        const bytes = recordOf(operation, commitId);
        expect(isIntact(bytes, commitId)).toBe(true);
        expect(isIntact(bytes, other)).toBe(other === commitId);
        for (let bit = 0; bit < bytes.length * 8; bit += 1)
          expect(isIntact(flipped(bytes, bit), commitId), `bit ${bit}`).toBe(false);
        for (let length = 0; length < bytes.length; length += 1)
          expect(isIntact(bytes.subarray(0, length), commitId)).toBe(false);
      }),
      runs(25),
    );
  });

  test('lengths that give a byte of one name to the other carry the same checksum, and are of another index key', () => {
    const twoBytes = nameOf(6).map((name) => Buffer.concat([name, Buffer.from([1])]));
    fc.assert(
      fc.property(operationOf(false), twoBytes, count, (operation, collection, commitId) => {
        const bytes = Buffer.from(recordOf({ ...operation, collection }, commitId));
        bytes[1] = (bytes[1] as number) - 1;
        bytes.writeUInt16LE(bytes.readUInt16LE(2) + 1, 2);
        // The checksum covers bytes and no lengths (FORMAT 5.3): the storage compares the key that led here.
        expect(isIntact(bytes, commitId)).toBe(true);
        const moved = readOperation(bytes, commitId);
        const key = versionKey(collection, asBytes(operation.id), commitId);
        expect(versionKey(moved?.collection as Buffer, moved?.id as Buffer, commitId).equals(key)).toBe(
          false,
        );
      }),
      runs(200),
    );
  });

  test('arbitrary bytes are no record, or a record whose parts fill them', () => {
    fc.assert(
      fc.property(bytesOf({ maxLength: 60 }), count, (bytes, commitId) => {
        if (bytes.length > 8) bytes.fill(0, 3, 8);
        const record = readOperation(bytes, commitId);
        if (record === null) return;
        const { collection, id, document } = record;
        expect(12 + collection.length + id.length + document.length).toBe(bytes.length);
      }),
      runs(600),
    );
  });
});

describe('what is made in memory that is used again', () => {
  const name = (bytesMax: number) => fc.uint8Array({ minLength: 1, maxLength: bytesMax, max: 3 });

  test('a key is the same as one made by itself, whatever was made before it', () => {
    const keys = new KeyMaker();
    fc.assert(
      fc.property(name(20), name(700), fc.nat(), (collection, id, commitId) => {
        const prepared = prepareCommit([{ op: 'put', collection, id, document: 'x' }]);
        const commit = Buffer.alloc(prepared.bytes);
        writeCommit(commit, 0, commitId, prepared);
        expect(keys.keyOf(commit, 16, commitId)).toEqual(
          versionKey(Buffer.from(collection), Buffer.from(id), commitId),
        );
      }),
      runs(300),
    );
  });

  test('a checksum of few bytes is that of the library, also as the continuation of another', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (before, bytes) => {
        expect(crc32cOfFew(bytes)).toBe(crc32cAfter(0, bytes));
        const begun = crc32cAfter(0, before);
        expect(crc32cOfFew(bytes, bytes.length, begun)).toBe(crc32cAfter(begun, bytes));
      }),
      runs(300),
    );
  });
});
