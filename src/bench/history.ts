import { createPrimary, type Operation, type Position, type Primary } from '../index.ts';
import { BenchFailure } from './failure.ts';
import { COLLECTION, DOCUMENT_BYTES, documentKey, documentText, KEY_BYTES } from './w1.ts';

/** Commits that wait for their frame at a time, so that a frame holds as many. */
const COMMITS_IN_FLIGHT = 1_000;
/** Large commits are bounded by what they take instead: several frames, never the memory of the machine. */
const BYTES_IN_FLIGHT = 4 * 1024 * 1024;
const DOCUMENTS_PER_SAYING = 100_000;

export interface HistoryOptions {
  /** The data directory of a primary that does not run; a new one, or one that gets more of it. */
  readonly directory: string;
  readonly documents: number;
  readonly documentBytes?: number;
  readonly operationsPerCommit?: number;
  /** The number of the first document. */
  readonly first?: number;
  /** What is done for the document of a number; its put otherwise. */
  readonly operationOf?: (n: number) => Operation;
  readonly signal: AbortSignal;
  readonly say?: (text: string) => void;
}

/**
 * Makes the data directory of a primary with so many documents of W1, and stops that primary. It runs in this process:
 * over HTTP it would take several times as long, and what is measured begins only after it.
 *
 * @returns where its history ends.
 */
export async function makeHistory(options: HistoryOptions): Promise<Position> {
  const primary = await createPrimary({ dataDir: options.directory, logLevel: 'warn' });
  try {
    await commitAll(primary, options);
    const end = primary.position();
    if (end === null) throw new BenchFailure(`the primary in ${options.directory} has no position`);
    return end;
  } finally {
    await primary.stop();
  }
}

/** The put of a document of W1. */
export function putOf(n: number, documentBytes = DOCUMENT_BYTES): Operation {
  return {
    op: 'put',
    collection: COLLECTION,
    id: documentKey(n),
    document: documentText(n, documentBytes),
  };
}

async function commitAll(primary: Primary, options: HistoryOptions): Promise<void> {
  const { documents, documentBytes = DOCUMENT_BYTES, operationsPerCommit = 1, first = 0 } = options;
  const { operationOf = (n: number) => putOf(n, documentBytes), signal, say } = options;
  const commitBytes = operationsPerCommit * (KEY_BYTES + documentBytes);
  const inFlight = Math.max(1, Math.min(COMMITS_IN_FLIGHT, Math.floor(BYTES_IN_FLIGHT / commitBytes)));
  const end = first + documents;
  let said = first;
  for (let next = first; next < end;) {
    signal.throwIfAborted();
    const commits: Promise<Position>[] = [];
    while (commits.length < inFlight && next < end) {
      const count = Math.min(operationsPerCommit, end - next);
      const from = next;
      commits.push(primary.commit(Array.from({ length: count }, (_, index) => operationOf(from + index))));
      next += count;
    }
    await Promise.all(commits);
    if (next - said < DOCUMENTS_PER_SAYING) continue;
    said = next;
    say?.(`${next - first} of ${documents} documents are written`);
  }
}
