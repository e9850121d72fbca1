import type * as z from 'zod';
import { importRows, ROW_NUMBER_AS_ID, type Imported } from '../cli/import/import.ts';
import type { JsonObject } from '../core/bytes.ts';
import { rowsOfDataset, type Dataset } from './dataset.ts';
import { committed, dataOf, documents, type PositionJson } from './http.ts';
import { DemoFailure } from './failure.ts';

export const COLLECTION = 'cities';
const COMMITS_PER_REQUEST = 1_000;
/** Few rows go in several requests as well, so that half of them can be committed when the input is half read. */
const REQUESTS_MIN = 10;
const PAGE = 1_000;
const COUNT_PAGE = 10_000;

/**
 * Imports the dataset, or its first rows, as the import command does, one row a commit; `halfWay` runs once while the
 * input waits.
 */
export function importDataset(
  primary: string,
  dataset: Dataset,
  rowsMax: number | null,
  onProgress: (done: Imported) => void,
  halfWay: () => Promise<void>,
): Promise<Imported> {
  return importRows(
    rowsOfDataset(dataset, rowsMax, halfWay),
    {
      primary,
      collection: COLLECTION,
      idField: ROW_NUMBER_AS_ID,
      rowsPerCommit: 1,
      commitsPerRequest: Math.min(COMMITS_PER_REQUEST, Math.ceil((rowsMax ?? Infinity) / REQUESTS_MIN)),
      client: {},
    },
    onProgress,
  );
}

/** What was done to documents that were there. */
export interface Changed {
  readonly updates: number;
  readonly deletes: number;
  readonly commits: number;
  /** One of those that were updated. */
  readonly updatedId: string;
  /** Where the last of these commits was acknowledged. */
  readonly position: PositionJson;
}

interface Op {
  readonly op: 'put' | 'delete';
  readonly collection: string;
  readonly id: string;
  readonly document?: JsonObject;
}

/**
 * Walks through the first documents of the primary, one commit a document: two of three get a new version, which says
 * so itself, every third is deleted.
 */
export async function changeDocuments(primary: string, count: number): Promise<Changed> {
  let [updates, deletes, after] = [0, 0, ''];
  let updatedId: string | null = null;
  let last: PositionJson | null = null;
  while (updates + deletes < count) {
    const limit = Math.min(PAGE, count - updates - deletes);
    const page = await dataOf(
      documents,
      primary,
      `data/v1/${COLLECTION}?limit=${limit}${after === '' ? '' : `&after=${after}`}`,
    );
    const ops = page.documents.map(({ id, document }, index): Op => {
      if (index % 3 === 2) return { op: 'delete', collection: COLLECTION, id };
      updatedId ??= id;
      return { op: 'put', collection: COLLECTION, id, document: { ...document, revision: 2 } };
    });
    if (ops.length === 0)
      throw new DemoFailure(`the primary has only ${updates + deletes} documents to change`);
    const answer = await dataOf(committed, primary, 'data/v1/commits', {
      commits: ops.map((one) => ({ ops: [one] })),
    });
    deletes += ops.filter((one) => one.op === 'delete').length;
    updates += ops.filter((one) => one.op === 'put').length;
    after = page.documents.at(-1)?.id ?? after;
    last = answer.position;
  }
  if (updatedId === null || last === null) throw new DemoFailure('nothing was changed');
  return { updates, deletes, commits: updates + deletes, updatedId, position: last };
}

/** Counts the documents of a node by reading every one of them, page by page. */
export async function countDocuments(url: string): Promise<number> {
  let count = 0;
  let after: string | null = '';
  while (after !== null) {
    const from: string = after === '' ? '' : `&after=${after}`;
    const page: z.infer<typeof documents> = await dataOf(
      documents,
      url,
      `data/v1/${COLLECTION}?limit=${COUNT_PAGE}${from}`,
    );
    count += page.documents.length;
    after = page.next_after;
  }
  return count;
}
