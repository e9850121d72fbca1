import { expect, test, vi } from 'vitest';
import type * as Bytes from '../../src/core/bytes.ts';
import { ask, bearer } from '../support/http.ts';
import { fixedPrimary } from '../support/http-worlds.ts';

const compared: [string, string][] = [];
vi.mock('../../src/core/bytes.ts', async (original) => {
  const real = await original<typeof Bytes>();
  return {
    ...real,
    equalInConstantTime(left: string, right: string) {
      compared.push([left, right]);
      return real.equalInConstantTime(left, right);
    },
  };
});

test('a token is compared in constant time, whatever was sent', async () => {
  const { url } = await fixedPrimary({ token: 'right', dataToken: 'of-data' });
  for (const sent of ['right', 'righ', 'r', 'x'.repeat(10_000)])
    await ask(url, '/v1/status', { headers: bearer(sent) });
  await ask(url, '/data/v1/c/a', { headers: bearer('right') });
  expect(compared).toEqual([
    ['right', 'right'],
    ['righ', 'right'],
    ['r', 'right'],
    ['x'.repeat(10_000), 'right'],
    ['right', 'of-data'],
  ]);
});
