import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { isUuid, keyJson, uuidFromBytes, uuidToBytes, type Json } from '../../src/core/bytes.ts';
import { DOCUMENT_DEPTH_MAX, documentJson, isTooDeep } from '../../src/core/document-json.ts';
import { explainReads, readFactsOf } from '../../src/core/explain/replication.ts';
import { positionFrom } from '../../src/core/explain/json-shapes.ts';
import { positionToJson } from '../../src/core/position.ts';
import { segmentFileName, segmentStartLsn } from '../../src/core/wal/segment-header.ts';
import {
  enveloped,
  position as positionShape,
  queryNumber,
  viewQuery,
} from '../../src/http/contract/shapes.ts';
import { envelope } from '../../src/http/envelope.ts';
import { bytesOf, count, documentBytes, json, position, unicode, uuid } from './arbitraries.ts';
import { readFacts } from './facts.ts';
import { runs } from './runs.ts';

/** What a document is as JSON, said again in other words: `undefined` for bytes that are no JSON text. */
function strictly(document: Buffer): Json | undefined {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(document)) as Json;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

describe('documents as JSON', () => {
  const nearlyJson = fc.tuple(json, fc.nat(200), fc.nat(255)).map(([value, at, byte]) => {
    const bytes = Buffer.from(JSON.stringify(value));
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  const inText = bytesOf({ maxLength: 6 }).map((bytes) =>
    Buffer.concat([Buffer.from('"'), bytes, Buffer.from('"')]),
  );
  const numbers = fc
    .tuple(fc.nat(), fc.integer({ min: -400, max: 400 }))
    .map(([digits, exponent]) => Buffer.from(`{"n":[${digits}e${exponent}]}`));

  test('round trip of every JSON value', () => {
    fc.assert(
      fc.property(json, (value) => {
        const shown = documentJson(Buffer.from(JSON.stringify(value)));
        expect('document' in shown && JSON.stringify(shown.document)).toBe(JSON.stringify(value));
      }),
      runs(500),
    );
  });

  test('arbitrary bytes are shown as the value that they are the text of, or as they are: never as something else', () => {
    fc.assert(
      fc.property(fc.oneof(documentBytes, nearlyJson, inText, numbers), (document) => {
        const shown = JSON.parse(JSON.stringify(documentJson(document))) as ReturnType<typeof documentJson>;
        if ('document_base64' in shown)
          expect(Buffer.from(shown.document_base64, 'base64').equals(document)).toBe(true);
        else expect(shown.document).toEqual(strictly(document));
        const value = strictly(document);
        const isShowable = value !== undefined && JSON.stringify(value) === JSON.stringify(value, finite);
        expect('document' in shown).toBe(isShowable);
      }),
      runs(3000),
    );
  });
  const finite = (_key: string, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? 'beyond' : value;

  test('nesting is followed to its limit and no further, and what is shown can be written', () => {
    const nested = fc.tuple(
      fc.constantFrom(['[', '1', ']'], ['{"a":', '1', '}'], ['[', '', ']'], ['[0,', '[]', ',{}]']),
      fc.oneof(
        fc.nat(5),
        fc.integer({ min: DOCUMENT_DEPTH_MAX - 2, max: DOCUMENT_DEPTH_MAX + 2 }),
        fc.constant(20_000),
      ),
    );
    fc.assert(
      fc.property(nested, ([[open = '', inner = '', close = ''], depth]) => {
        const document = Buffer.from(
          `${open.repeat(depth)}${inner === '' && depth === 0 ? '1' : inner}${close.repeat(depth)}`,
        );
        const shown = documentJson(document);
        const levels = depth + (inner === '[]' ? 1 : 0);
        const isLeafLevel = inner === '1';
        expect('document' in shown).toBe(levels - (isLeafLevel ? 0 : 1) <= DOCUMENT_DEPTH_MAX);
        expect(() => JSON.stringify(shown)).not.toThrow();
        expect(isTooDeep(JSON.parse(document.toString()))).toBe(!('document' in shown));
      }),
      runs(40),
    );
  });
});

describe('positions, names and views as JSON and text', () => {
  test('a position goes through JSON and comes back', () => {
    fc.assert(
      fc.property(position, (one) => {
        const text = JSON.stringify(positionToJson(one));
        expect(positionFrom.parse(JSON.parse(text))).toEqual(one);
        expect(positionShape.parse(JSON.parse(text))).toEqual(positionToJson(one));
      }),
      runs(300),
    );
  });

  test('a position token goes through a query and comes back; any other text is refused, and nothing fails', () => {
    fc.assert(
      fc.property(position, ({ commitId, lsn, historyHash }) => {
        const token = `${commitId}:${lsn}:${historyHash}`;
        expect(viewQuery.position.parse(token)).toEqual({ commitId, lsn, historyHash });
      }),
      runs(300),
    );
    const number = fc.oneof(
      count.map(String),
      fc.constantFrom('', '-1', '1e3', '9007199254740992', ' 1', '0x1', '١'),
    );
    const hashText = fc.oneof(fc.constantFrom('a'.repeat(64), 'A'.repeat(64), 'a'.repeat(63), ''), unicode);
    fc.assert(
      fc.property(fc.array(fc.oneof(number, hashText), { maxLength: 4 }), (parts) => {
        const text = parts.join(':');
        const found = viewQuery.position.safeParse(text);
        const [ofCommit, ofLsn, historyHash, ...more] = text.split(':');
        const isNumber = (one: string | undefined) =>
          one !== undefined && /^[0-9]{1,16}$/.test(one) && BigInt(one) < 2n ** 53n;
        const isToken =
          isNumber(ofCommit) &&
          isNumber(ofLsn) &&
          /^[0-9a-f]{64}$/.test(historyHash ?? '') &&
          more.length === 0;
        expect(found.success).toBe(isToken);
        const at = queryNumber.safeParse(parts[0] ?? '');
        expect(at.success).toBe(isNumber(parts[0]));
        if (at.success) expect(at.data).toBe(Number(parts[0]));
      }),
      runs(1000),
    );
  });

  test('a name of any bytes goes through JSON and comes back', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          bytesOf({ maxLength: 8 }),
          unicode.map((text) => Buffer.from(text)),
        ),
        (name) => {
          const shown = JSON.parse(JSON.stringify(keyJson('id', name))) as {
            id?: string;
            id_base64?: string;
          };
          expect(Object.keys(shown)).toHaveLength(1);
          const back =
            shown.id === undefined ? Buffer.from(shown.id_base64 ?? '', 'base64') : Buffer.from(shown.id);
          expect(back.equals(name)).toBe(true);
        },
      ),
      runs(800),
    );
  });

  test('ids of clusters and file names of segments come back; any other text is none', () => {
    fc.assert(
      fc.property(uuid, count, (id, lsn) => {
        expect(uuidFromBytes(uuidToBytes(id))).toBe(id);
        expect(isUuid(id)).toBe(true);
        expect(segmentStartLsn(segmentFileName(lsn))).toBe(lsn);
        expect(segmentFileName(lsn)).toHaveLength(24);
      }),
      runs(300),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          unicode,
          fc.nat().map((n) => `${n}.wal`),
        ),
        (name) => segmentStartLsn(name) === null,
      ),
      runs(300),
    );
    expect(segmentStartLsn('99999999999999999999.wal')).toBeNull();
  });

  test('the envelope of every answer: four fields in one order, and what is in it is not touched', () => {
    const commitId = fc.option(count);
    // No field of an answer has the name that zod leaves out.
    const fields = fc.dictionary(
      unicode.filter((name) => name !== '__proto__'),
      json,
    );
    fc.assert(
      fc.property(fields, commitId, fc.array(unicode), fc.boolean(), (data, of, notes, isLive) => {
        const answer = envelope(data, of, notes, isLive ? 'live' : 'explicit');
        const text = JSON.stringify(answer);
        expect(text).toBe(
          `{"api_version":"v1","observed_at":{"snapshot":"${isLive ? 'live' : 'explicit'}","commit_id":${String(of)}},"data":${JSON.stringify(data)},"notes":${JSON.stringify(notes)}}`,
        );
        expect(enveloped(z.looseObject({})).parse(JSON.parse(text))).toEqual(JSON.parse(text));
      }),
      runs(200),
    );
  });

  test('P5-I15: from the inputs of an explanation come the very facts that it was made of', () => {
    fc.assert(
      fc.property(readFacts, (facts) => {
        const { inputs } = JSON.parse(JSON.stringify(explainReads(facts))) as ReturnType<typeof explainReads>;
        expect(explainReads(readFactsOf(inputs))).toEqual(explainReads(facts));
      }),
      runs(300),
    );
  });
});
