/** What history is, told naively: an array of commits that were asked for, and how far it is known to be kept. */
import type { Operation } from '../../src/core/wal/operation.ts';
import type { ChainState } from '../../src/core/wal/chain.ts';
import type { Position } from '../../src/core/position.ts';
import { visible, type Written } from './visibility-oracle.ts';

/** A property that did not hold. */
export class Violation extends Error {
  override readonly name = 'Violation';
  /** The property, in the same words every time. */
  readonly property: string;

  constructor(property: string, found: string) {
    super(`${property}: ${found}`);
    this.property = property;
  }
}

export function demand(holds: boolean, property: string, found: () => string): void {
  if (!holds) throw new Violation(property, found());
}

export type Commit = readonly Operation[];

export const COLLECTION = 'k';
const bytes = (text: string) => Buffer.from(text);

/** One history. A primary that is restored from a backup begins another one. */
export class History {
  /** In the order in which they were asked for, which is that of their ids. Behind `known`, nobody knows yet. */
  readonly commits: Commit[];
  /** Up to here they were acknowledged, or found after a start. */
  known: number;
  /** What the primary's disk keeps of its WAL, and at which commit that ends. */
  wal: Buffer;
  durable: number;
  /** The hash of history by the LSN at which it was seen. */
  readonly hashes: Map<number, string>;
  readonly digests: Map<number, string>;

  constructor(from?: History) {
    this.commits = [...(from?.commits ?? [])];
    this.known = from?.known ?? 0;
    this.wal = from?.wal ?? Buffer.alloc(0);
    this.durable = from?.durable ?? 0;
    this.hashes = new Map(from?.hashes);
    this.digests = new Map(from?.digests);
  }

  acknowledged(commit: Commit, { commitId }: Position): void {
    demand(
      this.commits[commitId - 1] === commit,
      'commits get their ids in the order in which they were asked for',
      () => `commit ${commitId} was asked for as number ${this.commits.indexOf(commit) + 1}`,
    );
    demand(
      commitId <= this.durable,
      'what is acknowledged is durable',
      () => `commit ${commitId} is acknowledged, the disk keeps ${this.durable}`,
    );
    this.known = Math.max(this.known, commitId);
  }

  /** A primary has started. What it does not hold now never was. */
  recovered(commitId: number): void {
    demand(
      commitId >= this.known,
      'no acknowledged commit is lost',
      () => `the primary starts with ${commitId} commits, ${this.known} were acknowledged or seen`,
    );
    demand(
      commitId <= this.commits.length,
      'nothing is there that nobody asked for',
      () => `the primary starts with ${commitId} commits, ${this.commits.length} were asked for`,
    );
    this.commits.length = commitId;
    this.known = commitId;
  }

  /** The primary says how far its history is durable; `disk` is what its disk keeps. */
  grown(
    { commitId, lsn, historyHash, segmentStartLsn }: ChainState,
    { startLsn, bytes: kept }: { readonly startLsn: number | null; readonly bytes: Buffer },
  ): void {
    // What was pruned is as it was when it was there.
    const disk = Buffer.concat([this.wal.subarray(0, startLsn ?? 0), kept]);
    demand(
      lsn <= disk.length,
      'what the primary takes to be durable is durable',
      () => `it says LSN ${lsn}, the disk keeps ${disk.length} bytes`,
    );
    demand(
      lsn >= this.wal.length && disk.subarray(0, this.wal.length).equals(this.wal),
      'durable history only grows',
      () => `it was ${this.wal.length} bytes, and is now ${lsn}`,
    );
    this.wal = disk.subarray(0, lsn);
    this.durable = commitId;
    this.hashes.set(lsn, historyHash);
    if (!this.hashes.has(segmentStartLsn)) this.hashes.set(segmentStartLsn, historyHash);
  }

  /** What a view of a commit id shows for a key, as text. */
  shows(bound: number, id: string): string {
    const written = this.commits.slice(0, bound).flatMap((operations, index) =>
      operations.map((operation): Written => ({
        commitId: index + 1,
        collection: bytes(COLLECTION),
        id: bytes(operation.id as string),
        document: operation.op === 'put' ? bytes(operation.document as string) : null,
      })),
    );
    const found = visible(written, bound, bytes(COLLECTION), bytes(id));
    return found === null ? 'nothing' : `${found.commitId} ${String(found.document)}`;
  }

  /** Equal digests at equal commit ids: whoever asks first says what the others must say. */
  digested(commitId: number, digest: string): void {
    const before = this.digests.get(commitId) ?? digest;
    this.digests.set(commitId, before);
    demand(
      before === digest,
      'state digests are equal at equal commit ids',
      () => `at commit ${commitId}: ${before} and ${digest}`,
    );
  }
}
