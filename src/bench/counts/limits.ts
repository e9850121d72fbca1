import { rounded } from '../statistics.ts';
import type { CountName, Counts } from './measure.ts';

/** The history that the limits are of. */
export const COUNTED_DOCUMENTS = 20_000;

/** Of a count that is the same in every run; of one that is estimated from samples. */
const EXACT = 0.02;
const SAMPLED = 0.1;

interface Limit {
  readonly limit: number;
  /** A count may be so much above or below its limit, as a part of it. */
  readonly tolerance: number;
}

const exact = (limit: number): Limit => ({ limit, tolerance: EXACT });
const sampled = (limit: number): Limit => ({ limit, tolerance: SAMPLED });

/** What each count was when it was last agreed to. Changed by hand, with the reason in the commit that changes it. */
export const LIMITS: Readonly<Record<CountName, Limit>> = {
  wal_bytes_per_user_byte: exact(1.108),
  primary_file_writes_per_frame: exact(1),
  primary_file_syncs_per_frame: exact(1),
  primary_file_bytes_per_wal_byte: exact(1),
  primary_index_batches_per_frame: exact(1),
  primary_index_bytes_per_document: exact(55.091),
  primary_heap_bytes_per_document: sampled(2790),
  primary_file_writes_per_single_commit: exact(1),
  primary_file_syncs_per_single_commit: exact(1),
  primary_file_bytes_per_single_commit: exact(381),
  primary_index_batches_per_single_commit: exact(1),
  replica_file_writes_per_megabyte: exact(0.485),
  replica_file_syncs_per_megabyte: exact(0.647),
  replica_file_reads_per_megabyte: exact(0.809),
  replica_file_bytes_written_per_wal_byte: exact(1),
  replica_file_bytes_read_per_wal_byte: exact(1.118),
  replica_index_batches_per_megabyte: exact(0.809),
  replica_index_entries_per_document: exact(1),
  replica_index_bytes_per_document: exact(55.036),
  replica_chart_steps_per_frame: exact(6.15),
  replica_chart_steps_per_megabyte: exact(19.9),
  replica_heap_bytes_per_document: sampled(545),
  replica_file_writes_per_single_commit: exact(1),
  replica_file_syncs_per_single_commit: exact(1),
  replica_file_reads_per_single_commit: exact(1),
  replica_index_batches_per_single_commit: exact(1),
  replica_chart_steps_per_single_commit: exact(26),
};

export interface Judged {
  readonly name: CountName;
  readonly count: number;
  readonly limit: number;
  /** `shrunk`: better than agreed to by so much that the limit is to be made tighter. */
  readonly verdict: 'as agreed' | 'grown' | 'shrunk';
}

/** Every count beside its limit. */
export function judged(counts: Counts): readonly Judged[] {
  return (Object.keys(LIMITS) as CountName[]).map((name) => {
    const { limit, tolerance } = LIMITS[name];
    const count = counts[name];
    const isBelow = count < rounded(limit * (1 - tolerance));
    const verdict = count > rounded(limit * (1 + tolerance)) ? 'grown' : isBelow ? 'shrunk' : 'as agreed';
    return { name, count, limit, verdict };
  });
}
