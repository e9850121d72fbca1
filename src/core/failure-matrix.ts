/** The failure matrix: every failure that is foreseen, and the one outcome it may have. */
export const FAILURES = {
  'F-P1': {
    failure: 'primary crashes before the WAL fsync',
    outcome: 'the write is lost and was never acknowledged; no replica ever receives it',
  },
  'F-P2': {
    failure: 'primary crashes after the WAL fsync, before shipping',
    outcome: 'the commit survives; replicas get it later; CommitIds continue',
  },
  'F-R1': {
    failure: 'receiver crashes before persisting',
    outcome: 'the partial data is discarded, nothing validated; resumes at the last durable position',
  },
  'F-R2': {
    failure: 'receiver crashes after persisting, before validation',
    outcome: 'the bytes wait for validation; nothing applied; shown as received but not validated',
  },
  'F-V1': {
    failure: 'checksum mismatch',
    outcome:
      'the WAL is rejected, replication halts, reads are refused; the explanation names the rule and the position',
  },
  'F-V2': {
    failure: 'gap, overlap, duplicate or reordering',
    outcome: 'rejected; replica state unchanged; halted',
  },
  'F-V3': {
    failure: 'history hash mismatch (divergence)',
    outcome: 'halted; evidence kept; never healed automatically',
  },
  'F-A1': {
    failure: 'crash in the middle of application',
    outcome: 'nothing partial is visible; replay resumes deterministically',
  },
  'F-A2': {
    failure: 'crash after storage changed, before the checkpoint',
    outcome: 'cannot happen by design (one atomic batch), and a test shows it',
  },
  'F-S1': {
    failure: 'crash during snapshot transfer',
    outcome: 'the partial snapshot is discarded; the replica stays uninitialised; no WAL applied',
  },
  'F-S2': {
    failure: 'crash after transfer, before validation',
    outcome: 'the snapshot is invalidated; bootstrap starts again',
  },
  'F-S3': {
    failure: 'the WAL does not resume at the cut',
    outcome: 'hard failure; the explanation cites P5-I9',
  },
  'F-S4': {
    failure: 'snapshot corrupt or from another cluster',
    outcome: 'rejected; the replica is unchanged',
  },
  'F-RC1': {
    failure: 'crash during recovery',
    outcome: 'recovery starts again; same outcome as a single crash',
  },
  'F-RC2': {
    failure: 'replica metadata corrupt',
    outcome: 'the replica refuses to start and says what an operator must do',
  },
  'F-RS1': {
    failure: 'read while unsafe',
    outcome: 'refused with the reason',
  },
  'F-RS2': {
    failure: 'state changes while a read is evaluated',
    outcome: 'the read is evaluated again or refused; never a mixed state',
  },
  'F-N1': {
    failure: 'connection lost, stalled or refused',
    outcome:
      'ingress is detached, visible, explained; reads go on only while provably safe; attaching again is an explicit step',
  },
  'F-D1': {
    failure: 'disk full, EIO, fsync failure',
    outcome:
      'fail-stop: no acknowledgement, no retry of fsync, halted with the cause; restart recovers from durable state',
  },
  'F-O1': {
    failure: 'DX queried during any failure',
    outcome: 'answers with what is known, marks what is not; infers nothing',
  },
} as const satisfies Record<string, { readonly failure: string; readonly outcome: string }>;

export type FailureId = keyof typeof FAILURES;
