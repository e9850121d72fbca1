import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERRORS, type ErrorCode } from '../../src/core/errors.ts';
import { streamIsOurs } from '../../src/core/checks/ingress.ts';
import { verdictOf } from '../../src/core/checks/check.ts';
import { REPLICATION_HEADERS } from '../../src/core/replication-protocol.ts';
import { envelope } from '../../src/http/envelope.ts';
import { count, hash, json, jsonObject, position, unicode, uuid } from './arbitraries.ts';
import { runs } from './runs.ts';
import { primaryThatSays } from './saying-primary.ts';

/** JSON that is of the right form in part: each field perhaps of another type, or not there. */
const mixed = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>) =>
  fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([name, usual]) => [
        name,
        fc.oneof({ weight: 6, arbitrary: usual }, { weight: 1, arbitrary: json }),
      ]),
    ),
    { requiredKeys: [] },
  );
const isCount = (value: unknown) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isHash = (value: unknown) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
/** Facts go into states, records and answers as JSON: nothing may be lost of them there. */
const expectJson = (facts: unknown) => expect(JSON.parse(JSON.stringify(facts))).toStrictEqual(facts);

const positionJson = { commit_id: count, lsn: count, history_hash: hash };
const nested = fc
  .constant('[')
  .map(
    (open) =>
      `{"error":{"code":"INTERNAL","message":"m","evidence":{"a":${open.repeat(5000)}${']'.repeat(5000)}}}}`,
  );

describe('P5-I10, F-N1: what a primary answers', () => {
  test('round trip of identity, refusal and stream headers', async () => {
    const { source, say } = await primaryThatSays();
    const refused = fc.record({
      code: fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[])),
      message: unicode,
      evidence: jsonObject,
    });
    await fc.assert(
      fc.asyncProperty(uuid, count, position, refused, async (clusterId, lsn, durable, error) => {
        const { commitId, lsn: durableLsn, historyHash } = durable;
        const data = {
          cluster_id: clusterId,
          format_version: 1,
          oldest_lsn: lsn,
          durable: { commit_id: commitId, lsn: durableLsn, history_hash: historyHash },
        };
        say({ status: 200, body: JSON.stringify(envelope(data, commitId)) });
        const primary = { clusterId, formatVersion: 1, oldestLsn: lsn, durable };
        expect(await source.identify()).toEqual({ kind: 'met', primary });
        say({ status: 409, body: JSON.stringify({ error }) });
        expect(await source.openWal(durable)).toEqual({ kind: 'refused', ...error });
        const headers = {
          [REPLICATION_HEADERS.clusterId]: clusterId,
          [REPLICATION_HEADERS.startLsn]: String(lsn),
          [REPLICATION_HEADERS.durableCommitId]: String(commitId),
          [REPLICATION_HEADERS.durableLsn]: String(durableLsn),
          [REPLICATION_HEADERS.durableHash]: historyHash,
        };
        say({ status: 200, headers, body: '' });
        const opened = await source.openWal(durable);
        expect(opened).toMatchObject({ kind: 'opened', stream: { clusterId, startLsn: lsn, durable } });
        if (opened.kind === 'opened') opened.stream.close();
      }),
      runs(40),
    );
  });

  test('of an identity in any form: a primary with all its fields, or an answer that is none', async () => {
    const { source, say } = await primaryThatSays();
    const identity = mixed({
      cluster_id: uuid,
      format_version: fc.nat(3),
      oldest_lsn: count,
      durable: mixed(positionJson),
    }).map((data) => JSON.stringify({ data }));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          identity,
          unicode,
          json.map((one) => JSON.stringify(one)),
        ),
        async (body) => {
          say({ status: 200, body });
          const found = await source.identify();
          expectJson(found);
          if (found.kind !== 'met') {
            expect(found.kind).toBe('unreachable');
            return;
          }
          const { formatVersion, oldestLsn, durable } = found.primary;
          expect([formatVersion, oldestLsn, durable.commitId, durable.lsn].every(isCount)).toBe(true);
          expect(isHash(durable.historyHash)).toBe(true);
        },
      ),
      runs(150),
    );
  });

  test('of a refusal in any form: a known code with text and evidence, or an answer that is none', async () => {
    const { source, say } = await primaryThatSays();
    const refusal = mixed({
      code: fc.constantFrom('WAL_PRUNED', 'HISTORY_DIVERGED', '__proto__', 'toString'),
      message: unicode,
      evidence: jsonObject,
    }).map((error) => JSON.stringify({ error }));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          { weight: 8, arbitrary: refusal },
          { weight: 2, arbitrary: unicode },
          { weight: 2, arbitrary: json.map((one) => JSON.stringify(one)) },
          { weight: 1, arbitrary: nested },
        ),
        fc.constantFrom(400, 409, 410, 500, 503),
        async (body, status) => {
          say({ status, body });
          for (const found of [
            await source.identify(),
            await source.snapshotManifest('1'),
            await source.listSnapshots(),
          ]) {
            expectJson(found);
            if (found.kind === 'unreachable') continue;
            const { kind, code, message, evidence } = found as unknown as Record<string, unknown>;
            expect(kind).toBe('refused');
            expect(Object.hasOwn(ERRORS, code as string)).toBe(true);
            expect([typeof code, typeof message, typeof evidence, Array.isArray(evidence)]).toEqual([
              'string',
              'string',
              'object',
              false,
            ]);
            expect(evidence).not.toBeNull();
          }
        },
      ),
      runs(150),
    );
  });

  test('P5-I4: of stream headers in any form: what is no number is none, and the stream is not taken for ours', async () => {
    const { source, say } = await primaryThatSays();
    const odd = fc.constantFrom('', '-1', '1e3', '7 7', '0x10', '9007199254740992', 'NaN', '1.5', 'a');
    const numberText = fc.oneof({ weight: 3, arbitrary: count.map(String) }, { weight: 1, arbitrary: odd });
    const headers = fc.record(
      {
        [REPLICATION_HEADERS.clusterId]: uuid,
        [REPLICATION_HEADERS.startLsn]: numberText,
        [REPLICATION_HEADERS.durableCommitId]: numberText,
        [REPLICATION_HEADERS.durableLsn]: numberText,
        [REPLICATION_HEADERS.durableHash]: fc.oneof(hash, fc.constantFrom('', 'f')),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(headers, position, async (given, requested) => {
        say({ status: 200, headers: given, body: '' });
        const opened = await source.openWal(requested);
        expect(opened.kind).toBe('opened');
        if (opened.kind !== 'opened') return;
        const { clusterId, startLsn, durable } = opened.stream;
        opened.stream.close();
        const numberOf = (name: string) => {
          const text = (given as Readonly<Record<string, string>>)[name] ?? '';
          return /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
        };
        const said = {
          commitId: numberOf(REPLICATION_HEADERS.durableCommitId),
          lsn: numberOf(REPLICATION_HEADERS.durableLsn),
          historyHash: given[REPLICATION_HEADERS.durableHash],
        };
        const isKnown = said.commitId !== null && said.lsn !== null && isHash(said.historyHash);
        expect(durable).toEqual(isKnown ? said : null);
        const start = numberOf(REPLICATION_HEADERS.startLsn);
        expect(startLsn).toBe(start ?? Number.NaN);
        const answer = { kind: 'attached', clusterId, startLsn, durable } as const;
        const verdict = verdictOf(streamIsOurs, { clusterId, requested: { ...requested, lsn: 0 }, answer });
        expect(verdict.evaluation === 'holds').toBe(start === 0);
        expectJson(verdict);
      }),
      runs(150),
    );
  });
});
