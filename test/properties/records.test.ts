import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/bytes.ts';
import { ERRORS, type ErrorCode } from '../../src/core/errors.ts';
import { haltFrom } from '../../src/core/explain/json-shapes.ts';
import { decodeHaltRecord, encodeHaltRecord, type HaltReason } from '../../src/core/halt.ts';
import { decodeIdentity, encodeIdentity } from '../../src/core/identity.ts';
import { decodeSealedRecord, encodeSealedRecord } from '../../src/core/sealed-record.ts';
import {
  decodeManifest,
  encodeManifest,
  SNAPSHOT_BLOCK_BYTES_MAX,
  type Manifest,
} from '../../src/core/storage/manifest.ts';
import { decodeHaltFile, decodeIdentityFile, decodeManifestFile } from '../support/independent-decoder.ts';
import { forgeriesOf, sealed } from '../support/forging.ts';
import { flipped } from '../support/wal-forge.ts';
import {
  bytesOf,
  count,
  cut,
  damage,
  damaged,
  hash,
  json,
  jsonObject,
  unicode,
  uuid,
} from './arbitraries.ts';
import { runs } from './runs.ts';

const code = fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[]));
const halt: fc.Arbitrary<HaltReason> = fc.record({
  code,
  invariant: fc.constantFrom('P5-I4' as const, 'P5-I17' as const, null),
  rule: fc.constantFrom('P5-I4 prefixHolds' as const, null),
  message: unicode,
  evidence: jsonObject,
  action: unicode,
});
const identity = fc.record({
  formatVersion: fc.constant(1),
  clusterId: uuid,
  nodeId: uuid,
  role: fc.constantFrom('primary' as const, 'replica' as const),
});
const sizes = fc.array(
  fc.oneof(fc.constantFrom(1, SNAPSHOT_BLOCK_BYTES_MAX), fc.integer({ min: 1, max: 5000 })),
  {
    minLength: 1,
    maxLength: 4,
  },
);
const manifest: fc.Arbitrary<Manifest> = fc
  .record({
    clusterId: uuid,
    cut: cut.filter(({ commitId }) => commitId > 0),
    stateDigest: hash,
    versions: count,
    keys: count,
    blocks: fc.tuple(sizes, hash),
  })
  .map(({ blocks: [all, sha], ...rest }) => {
    let offset = 0;
    const blocks = all.map((bytes, index) => ({
      index,
      offset: (offset += bytes) - bytes,
      bytes,
      sha256: sha,
    }));
    return { ...rest, snapshotId: String(rest.cut.commitId), bytes: offset, blocks };
  });

/** Every one change of a record, each under a right seal. */
function* sealedForgeriesOf(record: Buffer): Generator<{ readonly bytes: Buffer; readonly where: string }> {
  const whole = JSON.parse(record.toString().split('\n')[0] as string) as JsonObject;
  for (const { forged, path, change } of forgeriesOf(whole))
    yield { bytes: sealed(JSON.stringify(forged)), where: `${path} ${change}` };
}

const oneLine = fc.oneof(
  unicode.map((text) => text.replaceAll('\n', ' ')),
  json.map((value) => JSON.stringify(value)),
);

describe('sealed records', () => {
  const isDamaged = (bytes: Buffer) => decodeSealedRecord(bytes).state === 'damaged';

  test('round trip of any JSON object; the seal is the SHA-256 of the line', () => {
    fc.assert(
      fc.property(jsonObject, (record) => {
        const bytes = encodeSealedRecord(record);
        expect(bytes.toString()).toBe(sealed(JSON.stringify(record)).toString());
        const found = decodeSealedRecord(bytes);
        expect(found.state === 'intact' && JSON.stringify(found.record)).toBe(JSON.stringify(record));
      }),
      runs(400),
    );
  });

  test('F-RC2: every flipped bit, every truncation, and anything behind it makes it damaged', () => {
    fc.assert(
      fc.property(jsonObject, bytesOf({ minLength: 1, maxLength: 3 }), (record, more) => {
        const bytes = encodeSealedRecord(record);
        for (let bit = 0; bit < bytes.length * 8; bit += 1)
          expect(isDamaged(flipped(bytes, bit)), `bit ${bit}`).toBe(true);
        for (let length = 0; length < bytes.length; length += 1)
          expect(isDamaged(bytes.subarray(0, length)), `${length} bytes`).toBe(true);
        expect(isDamaged(Buffer.concat([bytes, more]))).toBe(true);
        expect(isDamaged(Buffer.concat([more, bytes]))).toBe(true);
      }),
      runs(10),
    );
  });

  test('bytes that are no UTF-8, under the seal of the text that a lenient decoder makes of them, are damaged', () => {
    const invalid = fc.integer({ min: 0x80, max: 0xff }).map((byte) => Buffer.from([byte]));
    fc.assert(
      fc.property(jsonObject, invalid, (record, byte) => {
        const bytes = encodeSealedRecord({ ...record, text: '\ufffd' });
        const at = bytes.lastIndexOf('\ufffd');
        const lenient = Buffer.concat([bytes.subarray(0, at), byte, bytes.subarray(at + 3)]);
        expect(lenient.toString()).toBe(bytes.toString());
        expect([isDamaged(bytes), isDamaged(lenient)]).toEqual([false, true]);
      }),
      runs(100),
    );
  });

  test('arbitrary bytes, damaged records and sealed text of any kind: damaged, or the very object in the line', () => {
    const bytes = fc.oneof(
      bytesOf({ maxLength: 200 }),
      oneLine.map(sealed),
      fc
        .tuple(jsonObject, fc.array(damage, { maxLength: 3 }))
        .map(([record, damages]) => damaged(encodeSealedRecord(record), damages)),
    );
    fc.assert(
      fc.property(bytes, (one) => {
        const found = decodeSealedRecord(one);
        if (found.state === 'damaged') {
          expect(Math.max(found.expected.length, found.found.length)).toBeLessThanOrEqual(100);
          return;
        }
        const line = one.toString().split('\n')[0] as string;
        expect(found.record).toEqual(JSON.parse(line));
        expect(sealed(line).equals(one)).toBe(true);
      }),
      runs(1000),
    );
  });
});

describe('identity, halt record and manifest', () => {
  test('round trip of all values, also by a decoder from FORMAT.md alone', () => {
    fc.assert(
      fc.property(identity, halt, manifest, (who, why, what) => {
        expect(decodeIdentity(encodeIdentity(who))).toEqual({ state: 'present', identity: who });
        expect(decodeIdentityFile(encodeIdentity(who))).toEqual(who);
        expect(decodeHaltRecord(encodeHaltRecord(why))).toEqual(why);
        expect(decodeHaltFile(encodeHaltRecord(why))).toEqual(why);
        expect(decodeManifest(encodeManifest(what))).toEqual({ state: 'intact', manifest: what });
        const { blocks, ...rest } = decodeManifestFile(encodeManifest(what));
        expect({ ...rest, blocks: blocks.map((one, index) => ({ index, ...one })) }).toEqual(what);
      }),
      runs(200),
    );
  });

  test('F-RC2, F-S4, P5-I10: every flipped bit and every truncation: damaged, and a damaged halt is a halt', () => {
    fc.assert(
      fc.property(identity, halt, manifest, (who, why, what) => {
        const judged = [
          [encodeIdentity(who), (bytes: Buffer) => decodeIdentity(bytes).state],
          [encodeManifest(what), (bytes: Buffer) => decodeManifest(bytes).state],
          [
            encodeHaltRecord(why),
            (bytes: Buffer) =>
              decodeHaltRecord(bytes).code === 'HALT_RECORD_DAMAGED' ? 'damaged' : 'intact',
          ],
        ] as const;
        for (const [bytes, stateOf] of judged) {
          for (let bit = 0; bit < bytes.length * 8; bit += 7)
            expect(stateOf(flipped(bytes, bit)), `bit ${bit}`).toBe('damaged');
          for (let length = 0; length < bytes.length; length += 1)
            expect(stateOf(bytes.subarray(0, length))).toBe('damaged');
        }
      }),
      runs(4),
    );
  });

  test('any one change of a manifest under a right seal: damaged, or what FORMAT.md says of it', () => {
    fc.assert(
      fc.property(manifest, (what) => {
        for (const { bytes, where } of sealedForgeriesOf(encodeManifest(what))) {
          const found = decodeManifest(bytes);
          if (found.state === 'damaged') expect(() => decodeManifestFile(bytes), where).toThrow();
          else expect(decodeManifestFile(bytes), where).toMatchObject({ cut: found.manifest.cut });
        }
      }),
      runs(6),
    );
  });

  test('F-RC2: any one change of an identity under a right seal: damaged, or another identity', () => {
    fc.assert(
      fc.property(identity, (who) => {
        for (const { bytes, where } of sealedForgeriesOf(encodeIdentity(who))) {
          const found = decodeIdentity(bytes);
          // Of another format version only that is known; a check refuses it by its number.
          if (found.state === 'present' && found.identity.formatVersion !== 1) continue;
          if (found.state === 'present') expect(decodeIdentityFile(bytes), where).toEqual(found.identity);
          else expect(() => decodeIdentityFile(bytes), where).toThrow();
        }
      }),
      runs(10),
    );
  });

  test('P5-I10: whatever stands in the halt file under a right seal, a whole halt reason is read from it', () => {
    const magic = fc.constantFrom('replichart-halt', 'replichart-identity');
    const anyCode = fc.oneof(
      code,
      code.map((one) => [one]),
      json,
    );
    const orAny = (usual: fc.Arbitrary<string | null>) => fc.oneof({ weight: 3, arbitrary: usual }, json);
    const fields = fc.record(
      {
        magic,
        code: anyCode,
        invariant: orAny(fc.constantFrom('P5-I4', null)),
        rule: orAny(fc.constantFrom('P5-I4 prefixHolds', null)),
        message: orAny(unicode),
        evidence: fc.oneof(jsonObject, json),
        action: orAny(unicode),
      },
      { requiredKeys: ['magic', 'code'] },
    );
    fc.assert(
      fc.property(fields, (record) => {
        const bytes = sealed(JSON.stringify(record));
        const found = decodeHaltRecord(bytes);
        expect(haltFrom.safeParse(found).error).toBeUndefined();
        if (found.code === 'HALT_RECORD_DAMAGED') return;
        expect(decodeHaltFile(bytes)).toEqual(found);
      }),
      runs(1000),
    );
  });

  test('P5-I10: arbitrary bytes, sealed text and deep nesting never make a reader fail', () => {
    const deep = fc
      .tuple(fc.constantFrom('[', '{"a":'), fc.constantFrom(10, 1_000, 20_000))
      .map(([open, depth]) => {
        const close = open === '[' ? ']' : '}';
        return sealed(`{"magic":"replichart-halt","code":${open.repeat(depth)}1${close.repeat(depth)}}`);
      });
    const bytes = fc.oneof(
      { weight: 4, arbitrary: bytesOf({ maxLength: 200 }) },
      { weight: 4, arbitrary: oneLine.map(sealed) },
      { weight: 1, arbitrary: deep },
    );
    fc.assert(
      fc.property(bytes, (one) => {
        expect(['damaged', 'present']).toContain(decodeIdentity(one).state);
        expect(decodeManifest(one).state).toBe('damaged');
        expect(haltFrom.safeParse(decodeHaltRecord(one)).success).toBe(true);
      }),
      runs(200),
    );
  });
});
