import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resultJson, resultMarkdown } from './report.ts';
import type { BenchResult } from './run.ts';

/** Keeps a result as JSON and as a document for people, which names the command that made it; gives the files. */
export async function recordResult(
  result: BenchResult,
  directory: string,
  command = `replichart bench ${result.workload} --record`,
): Promise<readonly string[]> {
  const texts = {
    [join(directory, `${result.workload}.json`)]: `${JSON.stringify(resultJson(result), null, 2)}\n`,
    [join(directory, `${result.workload}.md`)]: resultMarkdown(result, command),
  };
  await mkdir(directory, { recursive: true });
  for (const [file, text] of Object.entries(texts)) await writeFile(file, text);
  return Object.keys(texts);
}
