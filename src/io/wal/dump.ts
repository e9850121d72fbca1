import type { JsonObject } from '../../core/bytes.ts';
import { advance } from '../../core/wal/chain.ts';
import type { WalRecord } from '../../core/wal/records.ts';
import { findBeginning, type Beginning, type WalPlace } from './beginning.ts';
import { conclude, concludeEarly, NO_WAL, type WalConclusion } from './conclusion.ts';
import { proveToEnd, WalReader } from './proof.ts';
import { WalSelection, type WalQuery } from './selection.ts';

/** The last thing a dump says. */
export interface EndRecord extends WalConclusion {
  readonly record: 'end';
  /** How many records were shown before this one. */
  readonly records: number;
}

export interface DumpQuery extends WalQuery {
  /** At most so many records before the last. */
  readonly limit: number | null;
}

/**
 * What a WAL holds, in its order, each thing only after it was proved; then one `end` record. Begins with the segment
 * that the query calls for, or with the first there is, and stops at the first thing that does not hold. Only reads, so
 * a node may run. Memory: one piece of WAL, or one frame where that is larger.
 */
export async function* dumpWal(place: WalPlace, query: DumpQuery): AsyncGenerator<WalRecord | EndRecord> {
  const reader = await WalReader.open(place.files, place.walDirectory);
  try {
    const beginning = await findBeginning(reader.wal, place, {
      lsn: query.fromLsn,
      commitId: query.fromCommitId,
    });
    if (beginning === null) yield endRecord(NO_WAL, new Tally());
    else yield* dumpFrom(reader, beginning, query);
  } finally {
    await reader.close();
  }
}

async function* dumpFrom(
  reader: WalReader,
  beginning: Beginning,
  query: DumpQuery,
): AsyncGenerator<WalRecord | EndRecord> {
  const selection = new WalSelection(query);
  const tally = new Tally();
  for await (const step of proveToEnd(reader, beginning.chain)) {
    if (step.kind === 'ended') {
      yield endRecord(await conclude(reader.wal, beginning, step), tally);
      return;
    }
    for (const unit of step.units) {
      yield* upTo(query.limit, selection.recordsOf(unit), tally);
      if (selection.isPast(unit) || tally.records === query.limit) {
        yield endRecord(concludeEarly(beginning, advance(unit.facts)), tally);
        return;
      }
    }
  }
}

function* upTo(limit: number | null, records: Iterable<WalRecord>, tally: Tally): Generator<WalRecord> {
  for (const record of records) {
    tally.count(record);
    yield record;
    if (tally.records === limit) return;
  }
}

class Tally {
  records = 0;
  wrongChecksums = 0;

  count(record: JsonObject): void {
    this.records += 1;
    if ('crc32c_computed' in record) this.wrongChecksums += 1;
  }
}

function endRecord({ notes, ...conclusion }: WalConclusion, { records, wrongChecksums }: Tally): EndRecord {
  const wrong =
    wrongChecksums === 0
      ? []
      : [`${wrongChecksums} operations do not carry the checksum of their bytes: see crc32c_computed`];
  return { record: 'end', ...conclusion, records, notes: [...notes, ...wrong] };
}
