import { setImmediate as turn } from 'node:timers/promises';
import { BenchFailure } from '../../src/bench/failure.ts';
import { peakRssBytes } from '../../src/bench/process-facts.ts';
import { rounded } from '../../src/bench/statistics.ts';
import { decodeCheckpoint } from '../../src/core/storage/checkpoint.ts';
import {
  AFTER_VERSION_KEYS,
  CHECKPOINT_KEY,
  decodeIndexValue,
  FIRST_VERSION_KEY,
} from '../../src/core/storage/index-entry.ts';
import type { VersionIndex } from '../../src/io/version-index.ts';
import { BATCH_DOCUMENTS, batchOf, boundsOf, ENTRY_BYTES, idsOf, lsnOf } from './entries.ts';

/** A number without a common divisor with those of documents that are likely: it comes to all of them, in no order. */
const STRIDE = 7_368_787;

export interface Applied {
  readonly milliseconds: number;
  readonly entries_per_second: number;
  readonly peak_rss_bytes: number | null;
}

export interface Read {
  readonly point_reads_per_second: number;
  readonly scan_rows_per_second: number;
  readonly peak_rss_bytes: number | null;
}

/** The making of the entries is within the time, that of the ids is not: a replica finds them in its WAL. */
export async function apply(index: VersionIndex, documents: number, durable: boolean): Promise<Applied> {
  let milliseconds = 0;
  for (let first = 0; first < documents; first += BATCH_DOCUMENTS) {
    const ids = idsOf(first, Math.min(BATCH_DOCUMENTS, documents - first));
    const began = performance.now();
    await index.write(batchOf(first, ids), { durable });
    milliseconds += performance.now() - began;
  }
  return {
    milliseconds: rounded(milliseconds),
    entries_per_second: Math.round((documents / milliseconds) * 1_000),
    peak_rss_bytes: await peakRssBytes(process.pid),
  };
}

/** Every answer is looked at: a store that is fast and wrong has no figures. */
export async function read(index: VersionIndex, documents: number, reads: number): Promise<Read> {
  // The one in memory is sorted at its first read; others open files then.
  await readOne(index, 0, documents);
  const bounds = Array.from({ length: reads }, (_, at) => ({
    n: (at * STRIDE) % documents,
    ...boundsOf((at * STRIDE) % documents, documents),
  }));
  await turn();
  const beganReads = performance.now();
  for (const { n, from, to } of bounds) prove(await index.first(from, to), n);
  const readMilliseconds = performance.now() - beganReads;
  let rows = 0;
  let bytes = 0;
  const beganScan = performance.now();
  for await (const page of index.pages(FIRST_VERSION_KEY, AFTER_VERSION_KEYS))
    for (const { key, value } of page) {
      rows += 1;
      bytes += key.length + value.length;
    }
  const scanMilliseconds = performance.now() - beganScan;
  if (rows !== documents || bytes !== documents * ENTRY_BYTES)
    throw new BenchFailure(`a scan gives ${rows} entries of ${bytes} bytes, of ${documents} documents`);
  return {
    point_reads_per_second: Math.round((reads / readMilliseconds) * 1_000),
    scan_rows_per_second: Math.round((rows / scanMilliseconds) * 1_000),
    peak_rss_bytes: await peakRssBytes(process.pid),
  };
}

/** The documents below the checkpoint; every one of them must have its entry. */
export async function documentsKept(index: VersionIndex): Promise<number> {
  const bytes = await index.get(CHECKPOINT_KEY);
  const documents = bytes === undefined ? 0 : (decodeCheckpoint(Buffer.from(bytes))?.commitId ?? 0);
  let entries = 0;
  for await (const page of index.pages(FIRST_VERSION_KEY, AFTER_VERSION_KEYS))
    for (const { key, value } of page) {
      entries += 1;
      if (decodeIndexValue(key, value) === null) throw new BenchFailure('an entry is not what was written');
    }
  if (entries !== documents)
    throw new BenchFailure(`there are ${entries} entries below the checkpoint of ${documents} documents`);
  return documents;
}

async function readOne(index: VersionIndex, n: number, documents: number): Promise<void> {
  const { from, to } = boundsOf(n, documents);
  prove(await index.first(from, to), n);
}

function prove(entry: Awaited<ReturnType<VersionIndex['first']>>, n: number): void {
  const place = entry === undefined ? null : decodeIndexValue(entry.key, entry.value);
  if (place?.offset !== lsnOf(n)) throw new BenchFailure(`document ${n} is not read as it was written`);
}
