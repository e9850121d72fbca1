import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BASE_BLOCK_BYTES_TARGET, type BaseHeader } from '../../src/core/storage/base-format.ts';
import { versionKey } from '../../src/core/storage/index-entry.ts';
import { decodeManifest, encodeManifest, type Manifest } from '../../src/core/storage/manifest.ts';
import type { StoredVersion } from '../../src/core/storage/version.ts';
import { prepareCommit, readOperation, writeCommit, type Operation } from '../../src/core/wal/operation.ts';
import { readBaseFile, writeBaseFile, type BaseEntry, type BaseFacts } from '../../src/io/base-file.ts';
import { crc32c, decodeBaseFileBytes } from '../support/independent-decoder.ts';
import { flipped } from '../support/wal-forge.ts';
import { bytesOf, damage, damaged, hash, operationOf, smallerCount, uuid } from './arbitraries.ts';
import { sha256 } from './generated-wal.ts';
import { memoryFiles } from './memory-files.ts';
import { runs } from './runs.ts';

const PATH = '/one.base';
const CUT_COMMIT_ID_MAX = 9;

/** The versions of a state at a cut, in the order in which a base file holds them. */
function versionsOf(written: readonly (readonly [number, Operation])[]): StoredVersion[] {
  const versions = new Map<string, StoredVersion>();
  for (const [commitId, operation] of written) {
    const commit = prepareCommit([operation]);
    const bytes = Buffer.alloc(commit.bytes);
    writeCommit(bytes, 0, commitId, commit);
    const record = bytes.subarray(16);
    const { op, collection, id, document } = readOperation(record, commitId) as NonNullable<
      ReturnType<typeof readOperation>
    >;
    versions.set(versionKey(collection, id, commitId).toString('latin1'), {
      commitId,
      collection,
      id,
      document: op === 2 ? null : document,
      record,
      place: { log: 'wal', offset: 0, bytes: record.length },
    });
  }
  return [...versions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, version]) => version);
}

const header: fc.Arbitrary<BaseHeader> = fc.record({
  clusterId: uuid,
  cut: fc.record({
    commitId: fc.constant(CUT_COMMIT_ID_MAX),
    lsn: smallerCount,
    historyHash: hash,
    segmentIndex: smallerCount,
  }),
});
const written = (maxLength: number) =>
  fc.array(fc.tuple(fc.integer({ min: 1, max: CUT_COMMIT_ID_MAX }), operationOf(false)), { maxLength });
const base = (maxLength: number) => fc.tuple(header, written(maxLength).map(versionsOf));

async function make(
  head: BaseHeader,
  versions: readonly StoredVersion[],
): Promise<{ bytes: Buffer; manifest: Manifest }> {
  const files = new Map<string, Buffer>();
  const all = (async function* () {
    yield* versions;
  })();
  const manifest = await writeBaseFile(memoryFiles(files), PATH, String(head.cut.commitId), head, all);
  return { bytes: files.get(PATH) as Buffer, manifest };
}

async function read(bytes: Buffer): Promise<{ facts: BaseFacts; entries: BaseEntry[] }> {
  const entries: BaseEntry[] = [];
  const facts = await readBaseFile(memoryFiles(new Map([[PATH, bytes]])), PATH, async (block) => {
    entries.push(...block);
  });
  return { facts, entries };
}

/** Whether a decoder that was written from FORMAT.md alone takes the file. */
function isBase(bytes: Buffer): boolean {
  try {
    decodeBaseFileBytes(bytes);
    return true;
  } catch {
    return false;
  }
}

describe('base files', () => {
  test('P5-I8: round trip of every state; counts, digest, pieces and places are those of an independent decoder', async () => {
    await fc.assert(
      fc.asyncProperty(base(8), async ([head, versions]) => {
        const { bytes, manifest } = await make(head, versions);
        const { facts, entries } = await read(bytes);
        const { sha256: stateDigest, versions: count, keys, cut, clusterId } = decodeBaseFileBytes(bytes);
        expect(facts).toMatchObject({
          fault: null,
          header: { clusterId, cut },
          stateDigest,
          versions: count,
          keys,
        });
        expect(head).toEqual({ clusterId, cut });
        expect(manifest).toMatchObject({
          clusterId,
          cut,
          stateDigest,
          versions: count,
          keys,
          bytes: bytes.length,
        });
        expect(decodeManifest(encodeManifest(manifest))).toEqual({ state: 'intact', manifest });
        for (const { offset, bytes: size, sha256: digest } of manifest.blocks)
          expect(sha256(bytes.subarray(offset, offset + size))).toBe(digest);
        expect(
          entries.map(({ key, offset, bytes: size }) => [key, bytes.subarray(offset, offset + size)]),
        ).toEqual(
          versions.map(({ collection, id, commitId, record }) => [
            versionKey(collection, id, commitId),
            record,
          ]),
        );
      }),
      runs(80),
    );
  });

  test('P5-I8: states of many blocks: a block is closed once it has its size, and the digest is of all of them', async () => {
    const sizes = fc.array(fc.constantFrom(1, 70_000, BASE_BLOCK_BYTES_TARGET - 1, BASE_BLOCK_BYTES_TARGET), {
      minLength: 2,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(header, sizes, async (head, all) => {
        const versions = versionsOf(
          all.map((size, at) => [
            1,
            { op: 'put', collection: 'c', id: `k${at}`, document: Buffer.alloc(size, at) },
          ]),
        );
        const { bytes, manifest } = await make(head, versions);
        const { facts, entries } = await read(bytes);
        expect([facts.fault, entries.length, facts.stateDigest]).toEqual([
          null,
          all.length,
          manifest.stateDigest,
        ]);
        let open = 0;
        const blocks = all.reduce((count, size) => {
          const isNew = open === 0;
          open = open + size + 8 + 12 + 3;
          if (open >= BASE_BLOCK_BYTES_TARGET) open = 0;
          return isNew ? count + 1 : count;
        }, 0);
        expect(manifest.blocks.length).toBe(blocks);
      }),
      runs(4),
    );
  });

  test('F-S4: every flipped bit is found, and every truncation, and anything behind it', async () => {
    await fc.assert(
      fc.asyncProperty(base(3), bytesOf({ minLength: 1, maxLength: 90 }), async ([head, versions], more) => {
        const { bytes } = await make(head, versions);
        for (let bit = 0; bit < bytes.length * 8; bit += 1)
          expect((await read(flipped(bytes, bit))).facts.fault, `bit ${bit}`).not.toBeNull();
        for (let length = 0; length < bytes.length; length += 1)
          expect((await read(bytes.subarray(0, length))).facts.fault, `${length} bytes`).not.toBeNull();
        expect((await read(Buffer.concat([bytes, more]))).facts.fault?.rule).toBe('footer');
      }),
      runs(4),
    );
  });

  test('F-S4: a changed byte of an entry with its block’s checksum made to fit is found by the version or the digest', async () => {
    await fc.assert(
      fc.asyncProperty(
        base(6).filter(([, versions]) => versions.length > 0),
        fc.maxSafeNat(),
        async ([head, versions], any) => {
          const { bytes } = await make(head, versions);
          const size = bytes.readUInt32LE(128 + 4);
          const forged = flipped(bytes, (128 + 24) * 8 + (any % ((size - 24) * 8)));
          const block = forged.subarray(128, 128 + size);
          block.writeUInt32LE(crc32c(block.subarray(0, 20), block.subarray(24)), 20);
          const { rule } = (await read(forged)).facts.fault ?? {};
          expect(['version', 'order', 'count']).toContain(rule);
        },
      ),
      runs(150),
    );
  });

  test('F-S4: versions out of order, or one of them twice, are found though every checksum and count is right', async () => {
    const shuffled = base(6).chain(([head, versions]) =>
      fc.record({
        head: fc.constant(head),
        versions: fc
          .array(fc.nat(5), { minLength: 1, maxLength: 4 })
          .map((places) =>
            versions.length === 0 ? [] : places.map((at) => versions[at % versions.length] as StoredVersion),
          ),
      }),
    );
    await fc.assert(
      fc.asyncProperty(shuffled, async ({ head, versions }) => {
        const { bytes } = await make(head, versions);
        const keys = versions.map(({ collection, id, commitId }) => versionKey(collection, id, commitId));
        const isInOrder = keys.every(
          (key, at) => at === 0 || Buffer.compare(keys[at - 1] as Buffer, key) < 0,
        );
        expect((await read(bytes)).facts.fault?.rule ?? null).toBe(isInOrder ? null : 'order');
      }),
      runs(120),
    );
  });

  test('F-S4: other documents of the same sizes, every checksum of them right, have another digest than the footer says', async () => {
    const documents = fc.array(
      fc.tuple(fc.constantFrom('a', 'b', 'c'), bytesOf({ minLength: 1, maxLength: 4 })),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    await fc.assert(
      fc.asyncProperty(header, documents, fc.integer({ min: 1, max: 255 }), async (head, all, change) => {
        const stateOf = (by: number) =>
          versionsOf(
            all.map(([id, document]) => [
              1,
              { op: 'put', collection: 'c', id, document: document.map((byte) => byte ^ by) },
            ]),
          );
        const [mine, theirs] = [await make(head, stateOf(0)), await make(head, stateOf(change))];
        const grafted = Buffer.concat([theirs.bytes.subarray(0, -80), mine.bytes.subarray(-80)]);
        const { fault } = (await read(grafted)).facts;
        expect(fault?.rule).toBe('footer');
        const { state_digest: expected, ...shape } = fault?.expected ?? {};
        const { state_digest: found, ...foundShape } = fault?.found ?? {};
        expect([expected, found]).toEqual([mine.manifest.stateDigest, theirs.manifest.stateDigest]);
        expect(foundShape).toEqual(shape);
      }),
      runs(60),
    );
  });

  test('F-S4: a state that nobody had, every checksum of it right, has another digest than its footer says', async () => {
    await fc.assert(
      fc.asyncProperty(base(6), written(6).map(versionsOf), async ([head, versions], others) => {
        const { bytes, manifest } = await make(head, versions);
        const other = await make(head, others);
        const grafted = Buffer.concat([other.bytes.subarray(0, -80), bytes.subarray(-80)]);
        const isSame = other.manifest.stateDigest === manifest.stateDigest;
        const { fault } = (await read(grafted)).facts;
        expect(fault?.rule ?? null).toBe(isSame ? null : 'footer');
      }),
      runs(80),
    );
  });

  test('damaged and arbitrary bytes: one fault with its place, exactly where FORMAT.md finds one, and bounded work', async () => {
    const bytes = fc.oneof(
      fc.tuple(base(5), fc.array(damage, { maxLength: 3 })),
      fc.tuple(base(0), fc.constantFrom([])),
    );
    await fc.assert(
      fc.asyncProperty(bytes, bytesOf({ maxLength: 200 }), async ([[head, versions], damages], rest) => {
        const { bytes: whole } = await make(head, versions);
        for (const one of [damaged(whole, damages), Buffer.concat([whole.subarray(0, 128), rest]), rest]) {
          const { facts, entries } = await read(one);
          expect(facts.fault === null).toBe(isBase(one));
          expect(entries.length * 20).toBeLessThanOrEqual(one.length);
          if (facts.fault === null) continue;
          expect(facts.fault.offset).toBeLessThanOrEqual(one.length);
          expect(JSON.parse(JSON.stringify(facts.fault))).toEqual(facts.fault);
        }
      }),
      runs(250),
    );
  });
});
