import { describe } from 'vitest';
import type { JsonObject } from '../../src/core/bytes.ts';
import * as visibility from '../../src/core/checks/visibility.ts';
import { prefixHolds, type ReadFacts } from '../../src/core/read-safety.ts';
import { at, json, parts } from '../support/claim-parts.ts';
import { CLUSTER } from '../support/nodes.ts';

describe('P5-I4, P5-I7, P5-I11: what a read looks at', () => {
  const version = (commitId: number) => ({
    commitId,
    op: 'put' as const,
    place: { log: 'wal' as const, lsn: commitId },
    documentBytes: 2,
    crc32c: '00000000',
  });
  const facts = (
    commitIds: readonly number[] | null,
    chosen: number | null = null,
    viewCommitId: number | null = 9,
    fault: JsonObject | null = null,
  ) => ({
    viewCommitId,
    fault,
    chain: commitIds && { versions: commitIds.map(version), more: false, chosen },
  });
  parts(visibility.versionsAreIntact, [
    ['nothing read', facts(null), null, { versions: null, fault: null }],
    ['all intact', facts([3]), true, { versions: 1, fault: null }],
    ['one that is not', facts([3], 3, 9, { at: 1 }), false, { versions: 1, fault: { at: 1 } }],
    ['one that is not, before anything was read', facts(null, null, 9, { at: 1 }), false],
  ]);
  const shown = (commitId: number) => ({
    commit_id: commitId,
    op: 'put',
    log: 'wal',
    lsn: commitId,
    document_bytes: 2,
    crc32c: '00000000',
  });
  parts(visibility.versionsDescendWithinView, [
    ['nothing read', facts(null), null, { view_commit_id: 9, versions: null, older_left_out: null }],
    ['no view', facts([3], 3, null), null],
    ['none', facts([]), true, { view_commit_id: 9, versions: [], older_left_out: false }],
    [
      'from the view down',
      facts([9, 8]),
      true,
      { view_commit_id: 9, versions: [shown(9), shown(8)], older_left_out: false },
    ],
    ['one above the view', facts([10]), false],
    ['the same twice', facts([8, 8]), false],
    ['the older first', facts([7, 8]), false],
    ['the last out of order', facts([9, 7, 8]), false],
  ]);
  const chosen = (newest: number | null, taken: number | null) => ({
    newest_commit_id: newest,
    chosen_commit_id: taken,
  });
  parts(visibility.newestInViewIsChosen, [
    ['nothing read', facts(null), null, chosen(null, null)],
    ['the newest', facts([8, 7], 8), true, chosen(8, 8)],
    ['an older one', facts([8, 7], 7), false, chosen(8, 7)],
    ['none of one', facts([8]), false, chosen(8, null)],
    ['none of none', facts([]), true, chosen(null, null)],
    ['one of none', facts([], 8), false, chosen(null, 8)],
  ]);
  const range = (change: Partial<visibility.RangeFacts>) => ({
    viewCommitId: 9,
    documents: 2,
    ascending: true,
    newestCommitId: 9,
    entriesSha256: 'x',
    more: false,
    ...change,
  });
  parts(visibility.rangeIsInOrder, [
    [
      'in order, up to the view',
      range({}),
      true,
      {
        view_commit_id: 9,
        documents: 2,
        ascending: true,
        newest_commit_id: 9,
        entries_sha256: 'x',
        more: false,
      },
    ],
    ['no view', range({ viewCommitId: null }), null],
    ['out of order', range({ ascending: false }), false],
    ['above the view', range({ newestCommitId: 10 }), false],
    ['empty', range({ newestCommitId: null, documents: 0, viewCommitId: 0 }), true],
  ]);

  const reads = (change: Partial<ReadFacts>): ReadFacts => ({
    role: 'replica',
    clusterId: CLUSTER,
    state: 'replicating',
    halt: null,
    receivedLsn: 300,
    validated: at(3),
    applied: at(3),
    inFlight: null,
    view: { commitId: 3, token: null },
    ...change,
  });
  parts(prefixHolds, [
    ['all of it', reads({}), true, { wal_received_lsn: 300, wal_validated_lsn: 300, applied: json(3) }],
    ['nothing applied', reads({ applied: null }), null],
    [
      'nothing proven',
      reads({ validated: null }),
      null,
      { wal_received_lsn: 300, wal_validated_lsn: null, applied: json(3) },
    ],
    ['nothing received', reads({ receivedLsn: null }), null],
    ['a primary makes history itself', reads({ role: 'primary', validated: null, receivedLsn: null }), true],
    ['applied beyond the proof', reads({ validated: at(3, 299) }), false],
    ['a commit beyond the proof', reads({ validated: at(2, 300) }), false],
    ['proven beyond what was received', reads({ receivedLsn: 299 }), false],
  ]);
});
