import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { makeHistory } from '../../src/bench/history.ts';
import { profileShares, type CpuProfile } from '../../src/bench/catch-up/profile.ts';
import { scalingCases } from '../../src/bench/scaling/cases.ts';
import { documentKey, documentText } from '../../src/bench/w1.ts';
import { createPrimary } from '../../src/index.ts';
import { temporaryDirectory } from '../support/nodes.ts';

describe('the history of a primary', () => {
  test('holds the documents of W1, so many operations a commit, and can be made longer', async () => {
    const directory = await temporaryDirectory();
    const { signal } = new AbortController();
    const first = await makeHistory({ directory, documents: 25, operationsPerCommit: 10, signal });
    expect(first.commitId).toBe(3);
    const second = await makeHistory({ directory, documents: 2, first: 25, documentBytes: 100, signal });
    expect(second.commitId).toBe(5);
    await using primary = await createPrimary({ dataDir: directory, logLevel: 'silent' });
    expect(primary.position()).toEqual(second);
    const text = (n: number) =>
      primary.read(async (view) => String((await view.get('w1', documentKey(n)))?.document));
    expect(await text(24)).toBe(documentText(24));
    expect(await text(26)).toBe(documentText(26, 100));
  });

  test('is given up when the run is', async () => {
    const directory = await temporaryDirectory();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(makeHistory({ directory, documents: 10, signal })).rejects.toThrow('enough');
  });

  test.each([100, 256, 1_000_000])('a document of %i bytes has that many and is JSON', (bytes) => {
    for (const n of [0, 1, 999_999]) {
      expect(Buffer.byteLength(documentText(n, bytes))).toBe(bytes);
      expect((JSON.parse(documentText(n, bytes)) as { n: number }).n).toBe(n);
    }
  });
});

describe('the cases of scaling', () => {
  test('have about as many bytes each, those of deletes half', () => {
    const cases = scalingCases(100_000, Number.MAX_SAFE_INTEGER);
    expect(cases[0]).toMatchObject({ name: 'W1', user_bytes: 27_900_000, replicas: [1, 4, 10] });
    expect(cases).toHaveLength(11);
    for (const { user_bytes: bytes, operations } of cases) {
      const expected = operations === 'inserts and deletes' ? 27_900_000 / 2 : 27_900_000;
      expect(bytes / expected).toBeCloseTo(1, 0);
    }
  });

  test('start no more replicas than fit into memory', () => {
    expect(scalingCases(1_000, 2 ** 31)[0]?.replicas).toEqual([1, 4]);
  });
});

describe('the shares of a profile', () => {
  const file = (path: string) => pathToFileURL(resolve(path)).href;
  const frame = (functionName: string, url = '') => ({ functionName, url });
  /** A call of the chart, below it an effect, below that what node provides; and a guard that calls the core. */
  const profile: CpuProfile = {
    startTime: 1_000,
    nodes: [
      { id: 1, callFrame: frame('(root)'), children: [2, 3, 4, 9] },
      { id: 2, callFrame: frame('(idle)') },
      { id: 3, callFrame: frame('(garbage collector)') },
      { id: 4, callFrame: frame('send', file('node_modules/xstate/dist/a.js')), children: [5, 7] },
      { id: 5, callFrame: frame('persist', file('src/actors/inbox.ts')), children: [6] },
      { id: 6, callFrame: frame('write', 'node:fs') },
      { id: 7, callFrame: frame('isProven', file('src/core/validation.ts')), children: [8] },
      { id: 8, callFrame: frame('format', 'node:util') },
      { id: 9, callFrame: frame('tick', 'node:internal/timers') },
    ],
    samples: [4, 2, 3, 4, 6, 6, 8, 9, 4],
    timeDeltas: [0, 10, 10, 10, 10, 10, 10, 10, 1_000],
  };
  const within = { started: 1_005_000n, readSafe: 1_100_000n };

  test('the innermost frame that has a layer decides; idle samples and those outside of the window do not count', () => {
    expect(profileShares([profile], within)).toEqual({
      samples: 6,
      statechart_share: 2 / 6,
      groups: [
        { group: 'xstate', side: 'statechart', samples: 2, share: 0.333 },
        { group: 'src/actors', side: 'effect', samples: 2, share: 0.333 },
        { group: '(garbage collector)', side: 'other', samples: 1, share: 0.167 },
        { group: 'other', side: 'other', samples: 1, share: 0.167 },
      ],
    });
  });

  test('without a sample of the timed part there is no share', () => {
    expect(() => profileShares([profile], { started: 0n, readSafe: 1n })).toThrow('no sample');
  });
});
