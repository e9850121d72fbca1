import { expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { loadedBuilds } from '../support/xstate-build.ts';

const build = process.env['NODE_ENV'] === 'production' ? 'production' : 'development';

/** Said of the modules that were loaded, and not of the conditions that they were asked for with. */
test(`XState: the ${build} build is loaded`, () => {
  expect(createMachine({}).id).toBe('(machine)');
  expect(loadedBuilds()).toEqual([build]);
});
