import { expect, test } from 'vitest';
import { COUNTED_DOCUMENTS, judged, LIMITS } from '../../src/bench/counts/limits.ts';
import { measureCounts, type CountName, type Counts } from '../../src/bench/counts/measure.ts';
import { temporaryDirectory } from '../support/nodes.ts';

const NAMES = Object.keys(LIMITS) as CountName[];
const AGREED = Object.fromEntries(NAMES.map((name) => [name, LIMITS[name].limit])) as Counts;

test('no count of what a node does for a fixed history has grown', async () => {
  const directory = await temporaryDirectory();
  const { signal } = new AbortController();
  const all = judged(await measureCounts({ directory, documents: COUNTED_DOCUMENTS, signal }));
  for (const { name, count, limit } of all.filter(({ verdict }) => verdict === 'shrunk'))
    console.warn(
      `${name} is ${count}, its limit ${limit}: make the limit in src/bench/counts/limits.ts tighter`,
    );
  expect(all.filter(({ verdict }) => verdict === 'grown')).toEqual([]);
});

test.each(NAMES)('a count of %s that grows or shrinks is told, and no other', (name) => {
  const verdictsAt = (times: number) =>
    judged({ ...AGREED, [name]: AGREED[name] * times }).filter(({ verdict }) => verdict !== 'as agreed');
  expect(verdictsAt(1)).toEqual([]);
  expect(verdictsAt(1.2)).toMatchObject([{ name, verdict: 'grown' }]);
  expect(verdictsAt(0.8)).toMatchObject([{ name, verdict: 'shrunk' }]);
});
