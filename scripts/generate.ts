/**
 * Writes the documents that are made from the source. With `--check` it writes nothing and fails when a committed one
 * is not what would be written now. A path narrows both to the documents that begin with it.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cliProgram } from '../src/cli/run.ts';
import { apiDocument } from './api-document.ts';
import { chartMutantFates, chartMutantsDocument } from './chart-mutants-document.ts';
import { chartDocument } from './chart-document.ts';
import { cliDocument } from './cli-document.ts';
import { coverageMarkdown, coverageMatrix } from './coverage-matrix.ts';
import { errorsDocument } from './errors-document.ts';
import { faultRecords, faultsDocument } from './faults-document.ts';
import { metricsDocument } from './metrics-document.ts';
import { modelDocument, modelReport } from './model-document.ts';
import { VISUALIZATIONS } from './visualize/documents.ts';
import { httpDocument, openApiDocument } from './http-document.ts';
import { readmeWithChart } from './readme-chart.ts';
import { stateEventDocument } from './state-event-document.ts';

/** Each document with what it is made by; run from the root of the project. */
const DOCUMENTS: Readonly<Record<string, (root: string) => Promise<string>>> = {
  'docs/ERRORS.md': async () => errorsDocument(),
  'docs/generated/API.md': apiDocument,
  'docs/generated/CLI.md': async () => cliDocument(await cliProgram(() => undefined)),
  'docs/generated/HTTP.md': async () => httpDocument(),
  'docs/generated/METRICS.md': async () => metricsDocument(),
  'docs/generated/openapi.json': async () => openApiDocument(),
  'docs/generated/CHART.md': async () => chartDocument(),
  'docs/generated/STATE-EVENT.md': async () => stateEventDocument(),
  'README.md': readmeWithChart,
  'docs/generated/TEST-COVERAGE.md': async (root) => coverageMarkdown(await coverageMatrix(root)),
  ...VISUALIZATIONS,
};

/** These take half a minute, and minutes: they are made when they are named, and the tests make and compare them. */
const BY_TESTS: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/FAULTS.md': async () => faultsDocument(faultRecords(await readFile('dist/faults.jsonl', 'utf8'))),
  'docs/generated/MODEL.md': () => modelDocument(modelReport()),
  'docs/generated/CHART-MUTANTS.md': () => chartMutantsDocument(chartMutantFates()),
};

const root = process.cwd();
const check = process.argv.includes('--check');
const [wanted = ''] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const long = BY_TESTS[wanted];
const documents =
  long === undefined
    ? Object.entries(DOCUMENTS).filter(([path]) => path.startsWith(wanted))
    : [[wanted, async () => long()] as const];
for (const [path, make] of documents) {
  const text = await make(root);
  if (text === (await committed(join(root, path)))) continue;
  if (check) {
    process.stderr.write(`${path} is out of date: run npm run generate and commit it\n`);
    process.exitCode = 1;
  } else {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
    process.stdout.write(`${path} written\n`);
  }
}

async function committed(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
