import fc from 'fast-check';
import type { Position } from '../../src/core/position.ts';
import type { StoredCheckpoint } from '../../src/core/storage/checkpoint.ts';
import type { SnapshotCut } from '../../src/core/storage/base-format.ts';
import type { Json, JsonObject } from '../../src/core/bytes.ts';
import type { Operation } from '../../src/core/wal/operation.ts';
import { crc32c } from '../support/independent-decoder.ts';

/** What every format of the project is made of: numbers at their edges, hashes, ids, and names of any bytes. */
export const count = fc.oneof(
  fc.constantFrom(0, 1, 0xff, 0xffff, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
  fc.nat(1000),
  fc.maxSafeNat(),
);
/** Leaves room for a number to grow by a file and stay a safe integer. */
export const smallerCount = fc.oneof(fc.constantFrom(0, 1, 2 ** 32 - 1, 2 ** 32), fc.nat(2 ** 48));
export const u32 = fc.oneof(fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1), fc.nat(2 ** 32 - 1));

export const bytesOf = (constraints: fc.IntArrayConstraints): fc.Arbitrary<Buffer> =>
  fc.uint8Array(constraints).map((bytes) => Buffer.from(bytes));

export const hash = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('0'.repeat(64), 'f'.repeat(64)) },
  { weight: 4, arbitrary: bytesOf({ minLength: 32, maxLength: 32 }).map((bytes) => bytes.toString('hex')) },
);
export const uuid = bytesOf({ minLength: 16, maxLength: 16 }).map((bytes) =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
);

export const position: fc.Arbitrary<Position> = fc.record({
  commitId: count,
  lsn: count,
  historyHash: hash,
});
export const cut: fc.Arbitrary<SnapshotCut> = fc.record({
  commitId: count,
  lsn: count,
  historyHash: hash,
  segmentIndex: count,
});
export const checkpoint: fc.Arbitrary<StoredCheckpoint> = fc.record({
  baseSlot: fc.constantFrom(0 as const, 1 as const),
  commitId: count,
  lsn: count,
  historyHash: hash,
  segmentIndex: count,
  snapshotCut: count,
});

export const unicode = fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => text.isWellFormed());

/** A name: of bytes that order and escaping are most easily wrong with, of text in any script, of the largest size. */
export const nameOf = (bytesMax: number): fc.Arbitrary<Buffer> =>
  fc
    .oneof(
      {
        weight: 6,
        arbitrary: fc.array(fc.constantFrom(0, 1, 2, 97, 254, 255), { minLength: 1, maxLength: 4 }),
      },
      { weight: 3, arbitrary: unicode.filter((text) => text !== '').map((text) => [...Buffer.from(text)]) },
      { weight: 2, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => [...bytes]) },
      { weight: 1, arbitrary: fc.nat(255).map((byte) => new Array<number>(bytesMax).fill(byte)) },
    )
    .map((bytes) => Buffer.from(bytes));

export const documentBytes = fc.oneof(
  bytesOf({ maxLength: 24 }),
  fc.jsonValue({ maxDepth: 2 }).map((value) => Buffer.from(JSON.stringify(value))),
);

/** One operation; `largest`: also ids of the largest size. */
export const operationOf = (largest: boolean): fc.Arbitrary<Operation> => {
  const names = { collection: nameOf(largest ? 255 : 6), id: nameOf(largest ? 65_535 : 6) };
  return fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ op: fc.constant('put' as const), ...names, document: documentBytes }),
    },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('delete' as const), ...names }) },
  );
};

/** JSON as it comes back from its text: no -0, which text does not keep. */
export const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
export const jsonObject: fc.Arbitrary<JsonObject> = fc
  .dictionary(fc.oneof(unicode, fc.constantFrom('__proto__', 'magic', 'sha256', '')), json, { maxKeys: 4 })
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);

export interface Patch {
  readonly at: number;
  readonly byte: number;
}

/** Bytes before a checksum that are set to others. */
export const patches = (crcAt: number, maxLength: number): fc.Arbitrary<Patch[]> =>
  fc.array(fc.record({ at: fc.nat(crcAt - 1), byte: fc.nat(255) }), { maxLength });

/** Sets them, and makes the checksum right again. */
export function patch(bytes: Buffer, crcAt: number, changes: readonly Patch[]): void {
  for (const { at, byte } of changes) bytes[at] = byte;
  sealAt(bytes, crcAt);
}

/** Writes the CRC32C of all before a place to that place. */
export function sealAt(bytes: Buffer, crcAt: number): void {
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, crcAt)), crcAt);
}

/** A change that damage, a bad disk or a bad peer makes to bytes. */
export type Damage =
  | { readonly kind: 'set'; readonly at: number; readonly byte: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'remove'; readonly at: number; readonly bytes: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly bytes: number };

/** `at` counts thousandths of the whole, so that damage of the same shape shrinks and fits bytes of every size. */
const at = fc.nat(999);
export const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at, byte: fc.nat(255) }),
  fc.record({ kind: fc.constant('insert' as const), at, bytes: bytesOf({ minLength: 1, maxLength: 100 }) }),
  fc.record({ kind: fc.constant('remove' as const), at, bytes: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ kind: fc.constant('repeat' as const), at, bytes: fc.integer({ min: 1, max: 400 }) }),
);

export function damaged(bytes: Buffer, damages: readonly Damage[]): Buffer {
  return damages.reduce((whole, one) => {
    const from = Math.floor((one.at * whole.length) / 1000);
    const before = whole.subarray(0, from);
    const after = whole.subarray(from);
    if (one.kind === 'insert') return Buffer.concat([before, one.bytes, after]);
    if (one.kind === 'remove') return Buffer.concat([before, after.subarray(one.bytes)]);
    if (one.kind === 'repeat') return Buffer.concat([before, after.subarray(0, one.bytes), after]);
    const copy = Buffer.from(whole);
    if (from < copy.length) copy[from] = one.byte;
    return copy;
  }, bytes);
}
