import { join } from 'node:path';
import { setImmediate as giveWay } from 'node:timers/promises';
import { createReplica } from '../../index.ts';
import { untilApplied } from '../replica-here.ts';
import { rounded } from '../statistics.ts';
import { DOCUMENT_BYTES, KEY_BYTES } from '../w1.ts';
import { heapBytesOf } from './heap.ts';
import { COMMITS_PER_FRAME, recordHistory, SINGLE_COMMITS, type RecordedHistory } from './history.ts';
import { countingPorts } from './ports.ts';
import { recordedSource } from './source.ts';
import { between, newTally, type Tally } from './tally.ts';
import { Turns } from './turns.ts';

const MEGABYTE = 1_000_000;

export interface CountOptions {
  /** Where primary and replica get their directories. */
  readonly directory: string;
  readonly documents: number;
  readonly signal: AbortSignal;
}

export type Counts = ReturnType<typeof countsOf>;
export type CountName = keyof Counts;

/** Makes a history by a real primary, and has a real replica catch up with it and follow it; what both did is counted. */
export async function measureCounts(options: CountOptions): Promise<Counts> {
  const { directory, documents } = options;
  const history = await recordHistory(join(directory, 'primary'), documents);
  return countsOf(documents, history, await replicate(history, options));
}

interface Replicated {
  readonly catchUp: Tally;
  readonly catchUpHeapBytes: number;
  readonly following: Tally;
}

async function replicate(
  history: RecordedHistory,
  { directory, documents, signal }: CountOptions,
): Promise<Replicated> {
  const tally = newTally();
  let opened = { ...tally };
  const recorded = recordedSource(history, () => (opened = { ...tally }));
  const { result: replica, heapBytes: catchUpHeapBytes } = await heapBytesOf(async () => {
    const started = await createReplica(
      // The address is that of nobody: history comes from the source.
      {
        dataDir: join(directory, 'replica'),
        primaryUrl: 'http://127.0.0.1:1',
        replication: 'enabled',
        logLevel: 'silent',
      },
      { ...countingPorts(tally, new Turns()), walSource: () => recorded.source },
    );
    try {
      await untilApplied(started, documents, signal);
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  });
  try {
    await giveWay();
    const caughtUp = { ...tally };
    for (let commitId = documents + 1; commitId <= documents + SINGLE_COMMITS; commitId += 1) {
      recorded.release();
      await untilApplied(replica, commitId, signal);
      await giveWay();
    }
    return {
      catchUp: between(opened, caughtUp),
      catchUpHeapBytes,
      following: between(caughtUp, { ...tally }),
    };
  } finally {
    await replica.stop();
  }
}

function countsOf(documents: number, history: RecordedHistory, replicated: Replicated) {
  const { catchUp, catchUpHeapBytes, following } = replicated;
  const { preload, singles, preloadEnd } = history;
  const frames = Math.ceil(documents / COMMITS_PER_FRAME);
  const megabytes = preloadEnd.lsn / MEGABYTE;
  const per = (count: number, divisor: number) => rounded(count / divisor);
  return {
    wal_bytes_per_user_byte: per(preloadEnd.lsn, documents * (KEY_BYTES + DOCUMENT_BYTES)),
    primary_file_writes_per_frame: per(preload.fileWrites, frames),
    primary_file_syncs_per_frame: per(preload.fileSyncs, frames),
    primary_file_bytes_per_wal_byte: per(preload.fileWrittenBytes, preloadEnd.lsn),
    primary_index_batches_per_frame: per(preload.indexBatches, frames),
    primary_index_bytes_per_document: per(preload.indexBytes, documents),
    primary_heap_bytes_per_document: Math.round(history.preloadHeapBytes / documents),
    primary_file_writes_per_single_commit: per(singles.fileWrites, SINGLE_COMMITS),
    primary_file_syncs_per_single_commit: per(singles.fileSyncs, SINGLE_COMMITS),
    primary_file_bytes_per_single_commit: per(singles.fileWrittenBytes, SINGLE_COMMITS),
    primary_index_batches_per_single_commit: per(singles.indexBatches, SINGLE_COMMITS),
    replica_file_writes_per_megabyte: per(catchUp.fileWrites, megabytes),
    replica_file_syncs_per_megabyte: per(catchUp.fileSyncs, megabytes),
    replica_file_reads_per_megabyte: per(catchUp.fileReads, megabytes),
    replica_file_bytes_written_per_wal_byte: per(catchUp.fileWrittenBytes, preloadEnd.lsn),
    replica_file_bytes_read_per_wal_byte: per(catchUp.fileReadBytes, preloadEnd.lsn),
    replica_index_batches_per_megabyte: per(catchUp.indexBatches, megabytes),
    replica_index_entries_per_document: per(catchUp.indexEntries, documents),
    replica_index_bytes_per_document: per(catchUp.indexBytes, documents),
    replica_chart_steps_per_frame: per(catchUp.chartSteps, frames),
    replica_chart_steps_per_megabyte: per(catchUp.chartSteps, megabytes),
    replica_heap_bytes_per_document: Math.round(catchUpHeapBytes / documents),
    replica_file_writes_per_single_commit: per(following.fileWrites, SINGLE_COMMITS),
    replica_file_syncs_per_single_commit: per(following.fileSyncs, SINGLE_COMMITS),
    replica_file_reads_per_single_commit: per(following.fileReads, SINGLE_COMMITS),
    replica_index_batches_per_single_commit: per(following.indexBatches, SINGLE_COMMITS),
    replica_chart_steps_per_single_commit: per(following.chartSteps, SINGLE_COMMITS),
  };
}
