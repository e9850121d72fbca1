import { keyJson } from '../../core/bytes.ts';
import { assertThat } from '../../core/errors.ts';
import { Distribution } from '../../core/distribution.ts';
import { OP_PUT, readOperation, type OperationRecord } from '../../core/wal/operation.ts';
import { commitsOf, operationsOf } from '../../core/wal/payload.ts';
import type { ProvenUnit } from '../../core/wal/proof.ts';
import { kindName } from '../../core/wal/records.ts';
import { findBeginning, type WalPlace } from './beginning.ts';
import { conclude, NO_WAL, type WalConclusion } from './conclusion.ts';
import { proveToEnd, WalReader } from './proof.ts';
import type { WalProgress } from './verify.ts';

/** Collections that are counted one by one; those met after them are counted together. */
export const COLLECTIONS_MAX = 1000;

interface CollectionCounts {
  puts: number;
  deletes: number;
  document_bytes: number;
}

/** What a WAL is made of, as far as it was proved; the conclusion says how far that is. */
export type WalStats = ReturnType<Counter['toJson']> & WalConclusion;

/**
 * Counts what a WAL holds, from its first segment up to its end or the first thing that does not hold. Only reads, so a
 * node may run. Memory: one piece of WAL, and the counts of 1000 collections.
 */
export async function walStats(
  place: WalPlace,
  progress: (done: WalProgress) => void = () => undefined,
): Promise<WalStats> {
  const reader = await WalReader.open(place.files, place.walDirectory);
  try {
    const { startLsn, endLsn } = reader.wal;
    const counter = new Counter();
    const beginning = await findBeginning(reader.wal, place, { lsn: null, commitId: null });
    let conclusion = NO_WAL;
    if (beginning !== null)
      for await (const step of proveToEnd(reader, beginning.chain)) {
        if (step.kind === 'ended') {
          conclusion = await conclude(reader.wal, beginning, step);
        } else {
          for (const unit of step.units) counter.add(unit);
          const { lsn, commitId } = step.to;
          progress({ bytes: lsn - startLsn, totalBytes: endLsn - startLsn, commitId });
        }
      }
    return { ...counter.toJson(), ...conclusion };
  } finally {
    await reader.close();
  }
}

class Counter {
  #segments = 0;
  #bytes = 0;
  readonly #frames = { commits: 0, seal: 0, cut: 0 };
  #commits = 0;
  readonly #all = noCounts();
  readonly #commitsPerFrame = new Distribution();
  readonly #frameBytes = new Distribution();
  /** By their names, a character a byte: so they sort as bytes do. */
  readonly #collections = new Map<string, CollectionCounts>();
  #other: CollectionCounts | null = null;

  add({ facts, bytes }: ProvenUnit): void {
    this.#bytes += bytes.length;
    if (facts.unit === 'segment header') {
      this.#segments += 1;
      return;
    }
    const kind = kindName(facts.header.kind);
    this.#frames[kind] += 1;
    if (kind !== 'commits') return;
    this.#commits += facts.header.commitCount;
    this.#commitsPerFrame.add(facts.header.commitCount);
    this.#frameBytes.add(bytes.length);
    for (const commit of commitsOf(bytes))
      for (const place of operationsOf(bytes, commit)) {
        const operation = readOperation(
          bytes.subarray(place.offset, place.offset + place.bytes),
          commit.commitId,
        );
        assertThat(operation !== null, 'the lengths of an operation that was proved add up');
        count(this.#all, operation);
        count(this.#countsOf(operation.collection), operation);
      }
  }

  #countsOf(collection: Buffer): CollectionCounts {
    const name = collection.toString('latin1');
    const found = this.#collections.get(name);
    if (found !== undefined) return found;
    if (this.#collections.size === COLLECTIONS_MAX) return (this.#other ??= noCounts());
    const counts = noCounts();
    this.#collections.set(name, counts);
    return counts;
  }

  toJson() {
    const { puts, deletes, document_bytes: documentBytes } = this.#all;
    return {
      segments: this.#segments,
      bytes: this.#bytes,
      frames: this.#frames,
      commits: this.#commits,
      operations: { put: puts, delete: deletes },
      document_bytes: documentBytes,
      wal_bytes_per_document_byte: documentBytes === 0 ? null : this.#bytes / documentBytes,
      commits_per_frame: this.#commitsPerFrame.toJson(),
      frame_bytes: this.#frameBytes.toJson(),
      collections: [...this.#collections]
        .sort(([one], [two]) => (one < two ? -1 : 1))
        .map(([name, counts]) => ({ ...keyJson('collection', Buffer.from(name, 'latin1')), ...counts })),
      other: this.#other,
    };
  }
}

function noCounts(): CollectionCounts {
  return { puts: 0, deletes: 0, document_bytes: 0 };
}

function count(counts: CollectionCounts, { op, document }: OperationRecord): void {
  if (op === OP_PUT) counts.puts += 1;
  else counts.deletes += 1;
  counts.document_bytes += document.length;
}
