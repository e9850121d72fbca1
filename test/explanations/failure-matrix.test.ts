/**
 * Every row of the failure matrix, caused for real: what every face of the node says of it, whole. What happens and what
 * must be said stands above each proof.
 */
import { describe, expect, test } from 'vitest';
import { FAILURES, type FailureId } from '../../src/core/failure-matrix.ts';
import type { Proof } from './proof.ts';
import * as ingress from './rows/ingress.ts';
import * as primary from './rows/primary.ts';
import * as reads from './rows/reads.ts';
import * as snapshots from './rows/snapshots.ts';
import * as storage from './rows/storage.ts';
import * as validation from './rows/validation.ts';

/** Total: a row of the matrix without a proof does not compile. */
const PROOFS: Readonly<Record<FailureId, Proof>> = {
  'F-P1': primary.lostBeforeTheSync,
  'F-P2': primary.syncedBeforeShipping,
  'F-R1': ingress.diedBeforePersisting,
  'F-R2': ingress.diedBeforeValidation,
  'F-V1': validation.checksumMismatch,
  'F-V2': validation.disorder,
  'F-V3': validation.divergence,
  'F-A1': storage.diedWhileApplying,
  'F-A2': storage.diedBetweenStorageAndCheckpoint,
  'F-S1': snapshots.diedInTransfer,
  'F-S2': snapshots.diedBeforeVerification,
  'F-S3': snapshots.resumesElsewhere,
  'F-S4': snapshots.foreignOrDamaged,
  'F-RC1': storage.diedWhileRecovering,
  'F-RC2': storage.damagedCheckpoint,
  'F-RS1': reads.unsafeRead,
  'F-RS2': reads.changedMeanwhile,
  'F-N1': ingress.lostConnection,
  'F-D1': primary.failingDisk,
  'F-O1': reads.askedWhileHalting,
};

/** The same rows as titles, which are read from this file for the coverage of the matrix. */
const ROWS = [
  ['F-P1: a write that was never synced is cut, and the recovery says which bytes and why'],
  ['F-P2: a write that was synced is proven behind the checkpoint, and nothing is cut'],
  ['F-R1: what was half written is discarded from an LSN on, and the stream resumes there'],
  ['F-R2: what was persisted is received and not validated, and then replayed'],
  ['F-V1: a checksum names its rule, file, byte, LSN and both sums; reads are refused by it'],
  ['F-V2: a gap, an overlap, a duplicate and a reordering name both LSNs, and nothing of them is received'],
  ['F-V3: another history names both hashes, and a good stream afterwards does not heal it'],
  ['F-A1: an application that dies is in flight until it ends, and replayed after it'],
  ['F-A2: every write of the index carries its checkpoint, and recovery names that very one'],
  ['F-S1: half a snapshot is discarded by name, and no position is known'],
  ['F-S2: a whole snapshot that nobody verified is discarded as well'],
  ['F-S3: WAL that does not resume at the cut is P5-I9, field by field'],
  ['F-S4: a damaged block and a foreign snapshot name what was expected and found'],
  ['F-RC1: a recovery that dies anywhere is explained as one that did not'],
  ['F-RC2: a damaged checkpoint refuses the start with its bytes and what to do'],
  ['F-RS1: an unsafe read is refused by a rule, with what was asked and what is there'],
  ['F-RS2: a read that waited is answered or refused on the facts of the moment it is decided'],
  ['F-N1: a lost connection is detached with its cause, reads go on, and attaching is a command'],
  ['F-D1: a failing disk halts with the words of the system, and no rule is named'],
  ['F-O1: a node that is halting says all that it knows, and is not moved by being asked'],
] as const;

describe('P5-I15: the failure matrix is explained by what is enforced', () => {
  test.each(ROWS)('%s', (title) => PROOFS[idOf(title)]());

  test('P5-I17: every row of the matrix is run, in its order', () => {
    expect(ROWS.map(([title]) => idOf(title))).toEqual(Object.keys(FAILURES));
    expect(Object.keys(PROOFS)).toEqual(Object.keys(FAILURES));
  });
});

function idOf(title: string): FailureId {
  return title.slice(0, title.indexOf(':')) as FailureId;
}
