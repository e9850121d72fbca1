// Runs once around all tests: joins what the test files wrote down, and prints it.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { coverageReport, type ChartCoverage } from './chart-coverage.ts';

declare module 'vitest' {
  interface ProvidedContext {
    chartCoverageDirectory: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'replichart-chart-coverage-'));
  project.provide('chartCoverageDirectory', directory);
  return async () => {
    const parts: ChartCoverage[] = [];
    for (const name of await readdir(directory))
      parts.push(JSON.parse(await readFile(join(directory, name), 'utf8')) as ChartCoverage);
    await rm(directory, { recursive: true });
    const { testFiles } = await project.globTestFiles();
    // What is missing says something only after all tests.
    project.vitest.logger.log(`\n${coverageReport(parts, parts.length >= testFiles.length)}`);
  };
}
