import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ReplichartError } from '../../src/core/errors.ts';
import { explainReads } from '../../src/core/explain/replication.ts';
import { verifyExplanation } from '../../src/verify/verify.ts';
import {
  documentAnswer,
  rangeAnswer,
  recoveryOf,
  replicaAtWork,
  replicationOf,
} from '../support/explained.ts';
import { ownFiles } from '../support/verifying.ts';

async function outcome(given: unknown, dataDir: string): Promise<string> {
  try {
    return (await verifyExplanation(given, await ownFiles(dataDir))).verdict;
  } catch (error) {
    if (!(error instanceof ReplichartError)) throw error;
    return error.code;
  }
}

const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;

describe('P5-I15: whatever is given to be verified, the answer is a verdict or a clear refusal', () => {
  test('what is no explanation', async () => {
    const { dataDir, node } = await replicaAtWork();
    const good = replicationOf(node) as Record<string, unknown>;
    for (const [index, given] of [
      null,
      1,
      'x',
      true,
      [],
      {},
      [good],
      { data: null },
      { proof: 1 },
      { proof: good, data: 1, x: nested(1e5) },
      { data: { data: good } },
      { ...good, explanation_type: 'other' },
      { ...good, inputs: [] },
      { ...good, inputs: {} },
      { ...good, rules_applied: {} },
      { ...good, rules_applied: [null] },
      { ...good, conclusion: null },
      { ...good, observed_snapshot: 'x' },
      nested(1e6),
      { ...good, x: nested(1e5) },
    ].entries())
      expect(await outcome(given, dataDir), `given ${index}`).toBe('REQUEST_INVALID');
  });

  test('a state that names the prototype of all objects leaves it as it is', async () => {
    const { dataDir, node } = await replicaAtWork();
    const facts = node.gate.facts();
    for (const state of [
      '__proto__.polluted',
      'replicating.__proto__.polluted',
      'constructor.prototype.polluted',
    ])
      expect(await outcome(explainReads({ ...facts, state }), dataDir)).toBe('differs');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(await outcome(explainReads({ ...facts, state: 'a.'.repeat(100_000) }), dataDir)).toBe('differs');
  });

  test('every place of an explanation with a value that nobody expects', async () => {
    const { dataDir, node } = await replicaAtWork();
    const hostile = [
      nested(400),
      1e308,
      -1,
      0.5,
      Number.MAX_SAFE_INTEGER,
      '\u0000',
      '__proto__',
      'constructor',
      [],
      {},
      JSON.parse('{"__proto__":{"x":1},"constructor":1,"toString":null}') as unknown,
      '../../../etc/passwd',
      'x'.repeat(100_000),
    ];
    for (const good of [
      replicationOf(node),
      recoveryOf(node),
      await documentAnswer(node, 'a'),
      await rangeAnswer(node, null, 2),
    ]) {
      const routes: string[][] = [];
      const walk = (value: unknown, route: string[]) => {
        routes.push(route);
        if (typeof value === 'object' && value !== null)
          for (const [name, child] of Object.entries(value)) walk(child, [...route, name]);
      };
      walk(good, []);
      for (const [index, route] of routes.slice(1).entries()) {
        const copy = structuredClone(good) as Record<string, unknown>;
        let at = copy;
        for (const name of route.slice(0, -1)) at = at[name] as Record<string, unknown>;
        const value = hostile[index % hostile.length];
        // An empty list in place of an empty list is no change.
        if (isDeepStrictEqual(at[route.at(-1) as string], value)) continue;
        at[route.at(-1) as string] = value;
        expect(['differs', 'REQUEST_INVALID'], route.join('.')).toContain(await outcome(copy, dataDir));
      }
    }
  });
});
