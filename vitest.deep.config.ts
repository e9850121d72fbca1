import normal from './vitest.config.ts';

const HOUR_MS = 3_600_000;

/** Larger bounds and more cases than `npm test` has time for. */
export default {
  ...normal,
  test: {
    ...normal.test,
    include: ['test/**/*.deep.ts', 'test/properties/*.test.ts'],
    testTimeout: HOUR_MS,
    hookTimeout: HOUR_MS,
    // A quarter of a million states take 5 GB.
    execArgv: ['--max-old-space-size=8192'],
  },
};
