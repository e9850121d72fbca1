import type { JsonObject } from '../bytes.ts';
import { defineCheck, type Check } from './check.ts';

/** A version as its operation record stands in a log. */
export interface VersionFacts {
  readonly commitId: number;
  readonly op: 'put' | 'delete';
  readonly place:
    { readonly log: 'wal'; readonly lsn: number } | { readonly log: 'base'; readonly offset: number };
  readonly documentBytes: number;
  readonly crc32c: string;
}

/** What a view sees of one document; `chain` is `null` where nothing was read. */
export interface VisibilityFacts {
  readonly viewCommitId: number | null;
  readonly chain: {
    /** Newest first, from the view's bound down. */
    readonly versions: readonly VersionFacts[];
    /** Older versions than these are left out. */
    readonly more: boolean;
    /** Commit id of the version that the read resolver gave; `null`: none. */
    readonly chosen: number | null;
  } | null;
  /** A version that did not verify. */
  readonly fault: JsonObject | null;
}

export const versionsAreIntact: Check<VisibilityFacts> = defineCheck('P5-I11 versionsAreIntact', {
  description: 'Every version that was looked at carries the checksum that it was written with.',
  code: 'INDEX_DAMAGED',
  claim: ({ chain, fault }) => (fault !== null ? false : chain === null ? null : true),
  evidence: ({ chain, fault }) => ({ versions: chain === null ? null : chain.versions.length, fault }),
});

export const versionsDescendWithinView: Check<VisibilityFacts> = defineCheck(
  'P5-I7 versionsDescendWithinView',
  {
    description: 'The versions lie at or below the view, each older than the one before it.',
    code: 'INDEX_DAMAGED',
    claim: ({ chain, viewCommitId }) =>
      chain === null || viewCommitId === null
        ? null
        : chain.versions.every(
            ({ commitId }, at) =>
              commitId <= (at === 0 ? viewCommitId : (chain.versions[at - 1]?.commitId ?? 0) - 1),
          ),
    evidence: ({ chain, viewCommitId }) => ({
      view_commit_id: viewCommitId,
      versions: chain && chain.versions.map(versionJson),
      older_left_out: chain && chain.more,
    }),
  },
);

export const newestInViewIsChosen: Check<VisibilityFacts> = defineCheck('P5-I7 newestInViewIsChosen', {
  description:
    'What is read is the newest version within the view; a deletion means that there is no document.',
  code: 'INDEX_DAMAGED',
  claim: ({ chain }) => (chain === null ? null : chain.chosen === (chain.versions[0]?.commitId ?? null)),
  evidence: ({ chain }) => ({
    newest_commit_id: chain?.versions[0]?.commitId ?? null,
    chosen_commit_id: chain?.chosen ?? null,
  }),
});

export const VISIBILITY_CHECKS: readonly Check<VisibilityFacts>[] = [
  versionsAreIntact,
  versionsDescendWithinView,
  newestInViewIsChosen,
];

function versionJson({ commitId, op, place, documentBytes, crc32c }: VersionFacts): JsonObject {
  return { commit_id: commitId, op, ...place, document_bytes: documentBytes, crc32c };
}

/** The documents that a range read gave, as numbers. */
export interface RangeFacts {
  readonly viewCommitId: number | null;
  readonly documents: number;
  /** Whether each id came after the one before it. */
  readonly ascending: boolean;
  readonly newestCommitId: number | null;
  /** SHA-256 over commit id u64 and operation record of every document, in order. */
  readonly entriesSha256: string;
  /** Whether documents behind the last one were left for the next page. */
  readonly more: boolean;
}

export const rangeIsInOrder: Check<RangeFacts> = defineCheck('P5-I7 rangeIsInOrder', {
  description: 'The documents are those that the one view sees, in the order of their ids.',
  code: 'INDEX_DAMAGED',
  claim: ({ viewCommitId, ascending, newestCommitId }) =>
    viewCommitId === null ? null : ascending && (newestCommitId ?? 0) <= viewCommitId,
  evidence: ({ viewCommitId, documents, ascending, newestCommitId, entriesSha256, more }) => ({
    view_commit_id: viewCommitId,
    documents,
    ascending,
    newest_commit_id: newestCommitId,
    entries_sha256: entriesSha256,
    more,
  }),
});
