/**
 * The walks once more on XState's production build. Vitest loads the development build, which checks and warns where the
 * other one, the one of every installation, does not.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/nodes.ts';
import { loadedBuilds } from '../support/xstate-build.ts';

interface Report {
  readonly success: boolean;
  readonly numTotalTests: number;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const ROOM = 'test/generated';
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

/** Runs test files in a process of their own, under the conditions of production. */
async function inProduction(files: readonly string[]): Promise<Report> {
  const report = join(await temporaryDirectory(), 'report.json');
  const env = { ...process.env, NODE_ENV: 'production' };
  const args = [
    vitest,
    'run',
    ...files.map((file) => `${ROOM}/${file}`),
    '--reporter=json',
    `--outputFile=${report}`,
  ];
  // A test that fails there says so in the report.
  const log = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { env, maxBuffer: 64 * 1024 * 1024 }, (_error, out, err) =>
      resolve(out + err),
    );
  });
  try {
    return JSON.parse(await readFile(report, 'utf8')) as Report;
  } catch (error) {
    throw new Error(`no report was written: ${log}`, { cause: error });
  }
}

// Where this very file runs in production there is nothing to be run once more.
test.runIf(process.env['NODE_ENV'] !== 'production')(
  'P5-I17: every generated walk on the production build of XState',
  async () => {
    expect(loadedBuilds()).toEqual(['development']);
    const report = await inProduction(['replica.test.ts', 'primary.test.ts', 'loaded-build.test.ts']);
    const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
    expect(results.filter(({ status }) => status !== 'passed')).toEqual([]);
    expect(results.map(({ title }) => title)).toContain('XState: the production build is loaded');
    expect([report.success, report.numPassedTests]).toEqual([true, 109 + 36 + 2 * 4 + 1]);
  },
  180_000,
);
