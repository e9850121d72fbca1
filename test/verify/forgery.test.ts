import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/core/bytes.ts';
import { ReplichartError } from '../../src/core/errors.ts';
import { envelope } from '../../src/http/envelope.ts';
import type { Position } from '../../src/index.ts';
import { verifyExplanation } from '../../src/verify/verify.ts';
import {
  documentAnswer,
  primaryAtWork,
  rangeAnswer,
  recoveryOf,
  replicaAtWork,
  replicaHalted,
  replicaThatDiscarded,
  replicationOf,
  type Honest,
} from '../support/explained.ts';
import { forgeriesOf } from '../support/forging.ts';
import { ownFiles, throughJson, VERIFIED, verdictOf } from '../support/verifying.ts';

/** Whether one place lies in the other. */
const isRelated = (one: string, other: string) => inside(one, other) || inside(other, one);
const inside = (path: string, parent: string) =>
  path === parent ||
  path.startsWith(`${parent}.`) ||
  path.startsWith(`${parent}[`) ||
  path.startsWith(`${parent},`);

/** The place of a forgery as a difference names it. */
function placeOf(path: string, honest: JsonObject): string {
  const carried = Object.hasOwn(honest, 'proof') ? 'proof' : Object.hasOwn(honest, 'data') ? 'data' : '';
  if (carried === '') return path;
  if (path === carried) return '';
  if (path === '') return carried === 'proof' ? 'answer' : '';
  if (path.startsWith(`${carried}.`)) return path.slice(carried.length + 1);
  return carried === 'proof' ? `answer.${path}` : path;
}

/**
 * Forges an honest explanation in every single place. Gives the places that no difference leads to but the one at the
 * snapshot id, which says that something was changed and not what.
 */
async function forgedEverywhere(honest: Json, { dataDir }: Honest) {
  const source = await ownFiles(dataDir);
  expect(await verdictOf(honest, source)).toEqual(VERIFIED);
  const foundByIdOnly = new Set<string>();
  let count = 0;
  for (const { path, change, forged } of forgeriesOf(honest)) {
    const what = `${path}: ${change}`;
    count += 1;
    try {
      const { verdict, differences } = await verifyExplanation(forged, source);
      expect(verdict, what).toBe('differs');
      const place = placeOf(path, honest as JsonObject);
      const others = differences.filter(
        (one) => one.path !== 'observed_snapshot.snapshot_id' || place === '',
      );
      if (!differences.some((one) => place === '' || isRelated(one.path, place)))
        foundByIdOnly.add(others.length > 0 ? `${place}, by what cites it` : place);
    } catch (error) {
      // What is no explanation any more is refused.
      expect(error, what).toBeInstanceOf(ReplichartError);
      expect((error as ReplichartError).code, what).toBe('REQUEST_INVALID');
    }
  }
  expect(count).toBeGreaterThan(100);
  return [...foundByIdOnly].sort();
}

/** What was asked for is no claim of the node: another question gives another explanation. */
const VIEW = 'inputs.view_commit_id, by what cites it';
const READ = ['inputs.read.collection, by what cites it'];

describe('P5-I15: whatever single place of an explanation is changed, it differs, and a difference leads there', () => {
  test('P5-I12: whether reads are safe, on a replica at work, on one that halted, and on a primary', async () => {
    for (const honest of [await replicaAtWork(), await primaryAtWork()])
      expect(await forgedEverywhere(replicationOf(honest.node), honest)).toEqual([VIEW]);
    // What was received behind the bad frame is not proved.
    const halted = await replicaHalted();
    expect(await forgedEverywhere(replicationOf(halted.node), halted)).toEqual([
      VIEW,
      'inputs.wal_received_lsn, by what cites it',
    ]);
  });

  test('P5-I4: of a view at a position', async () => {
    const honest = await replicaAtWork();
    const position = honest.node.applied() as Position;
    const explanation = throughJson(await honest.node.gate.explain({ position })) as unknown as Json;
    expect(await forgedEverywhere(explanation, honest)).toEqual(
      ['commit_id', 'history_hash', 'lsn'].map(
        (name) => `inputs.view_position.position.${name}, by what cites it`,
      ),
    );
  });

  test('P5-I11: how a replica and a primary recovered', async () => {
    for (const [honest, atBoundary] of [
      // Of a segment that was just begun the file may be there, and empty.
      [await replicaAtWork(), ['inputs.survey.wal.segments']],
      [await primaryAtWork(), []],
    ] as const)
      expect(await forgedEverywhere(recoveryOf(honest.node), honest)).toEqual(atBoundary);
  });

  test('P5-I11: of a recovery that discarded what broke a rule, and what was torn', async () => {
    const discarded = [
      'inputs.survey.tail.valid_unit_after_lsn',
      'inputs.survey.wal.end_lsn, by what cites it',
      'inputs.survey.wal.segments',
    ];
    const kept = await replicaThatDiscarded();
    expect(await forgedEverywhere(recoveryOf(kept.node), kept)).toEqual(discarded);
    const torn = await replicaThatDiscarded(10);
    expect(await forgedEverywhere(recoveryOf(torn.node), torn)).toEqual([
      'inputs.survey.tail.stop.evidence.expected.unit_bytes, by what cites it',
      ...discarded,
    ]);
  });

  test('P5-I7: of reads of a document that is there, was deleted, never was, and of an earlier view', async () => {
    const honest = await replicaAtWork();
    for (const answer of [
      await documentAnswer(honest.node, 'a'),
      await documentAnswer(honest.node, 'k2'),
      await documentAnswer(honest.node, 'nobody'),
      await documentAnswer(honest.node, 'a', 2),
    ])
      expect(await forgedEverywhere(answer, honest)).toEqual([
        ...READ,
        'inputs.read.id, by what cites it',
        VIEW,
      ]);
  });

  test('P5-I7: of pages of a collection', async () => {
    const honest = await replicaAtWork();
    // Behind two ids with nothing between them stands the same page.
    const after = 'inputs.read.after, by what cites it';
    for (const [answer, expected] of [
      [await rangeAnswer(honest.node, null, 2), [after, ...READ, VIEW]],
      [await rangeAnswer(honest.node, 'a', 9), ['inputs.read.after', after, ...READ, VIEW]],
      [await rangeAnswer(honest.node, 'z', 9), ['inputs.read.after', after, ...READ, VIEW]],
    ] as const)
      expect(await forgedEverywhere(answer, honest)).toEqual(expected);
  });

  test('of an answer of the DX plane', async () => {
    const honest = await replicaAtWork();
    const answer = envelope(replicationOf(honest.node) as object, honest.node.applied()?.commitId ?? null);
    expect(await forgedEverywhere(throughJson(answer) as unknown as Json, honest)).toEqual([VIEW]);
  });
});
