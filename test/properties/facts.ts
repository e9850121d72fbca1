import fc from 'fast-check';
import type { ApplicationFacts, ProvenRange } from '../../src/core/application.ts';
import type {
  FetchFacts,
  InstalledFacts,
  ResumeFacts,
  SnapshotSummary,
  VerifiedFacts,
} from '../../src/core/bootstrap.ts';
import type { AppliedFacts, NextBatchFacts } from '../../src/core/checks/application.ts';
import type { IdentityFacts } from '../../src/core/checks/identity.ts';
import type { MeetingFacts } from '../../src/core/checks/ingress.ts';
import type { RecoveryFacts } from '../../src/core/checks/recovery.ts';
import type { RangeFacts, VersionFacts, VisibilityFacts } from '../../src/core/checks/visibility.ts';
import { ERRORS, type ErrorCode } from '../../src/core/errors.ts';
import type { HaltReason } from '../../src/core/halt.ts';
import type { AttachFacts, ReceiptFacts, SourceFailure } from '../../src/core/ingress.ts';
import type { ReadFacts } from '../../src/core/read-safety.ts';
import type { DiskSurvey, StopEvidence } from '../../src/core/recovery/survey.ts';
import type { ValidationFacts } from '../../src/core/validation.ts';
import type { ChainState, UnitFacts } from '../../src/core/wal/chain.ts';
import type { SegmentHeader } from '../../src/core/wal/segment-header.ts';
import {
  checkpoint,
  count,
  cut,
  hash,
  jsonObject,
  position,
  smallerCount,
  u32,
  unicode,
  uuid,
} from './arbitraries.ts';

/**
 * Facts of every kind that rules decide by: any that their types allow, not only those that a node comes to. The names of
 * fields in evidence are the program's own, so none of them is `__proto__`, which zod leaves out.
 */
const evidence = jsonObject.filter((one) => !Object.hasOwn(one, '__proto__'));

export const halt: fc.Arbitrary<HaltReason> = fc.record({
  code: fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[])),
  invariant: fc.constantFrom('P5-I4' as const, 'P5-I10' as const, null),
  rule: fc.constantFrom('P5-I4 prefixIsProven' as const, null),
  message: unicode,
  evidence,
  action: unicode,
});

export const range: fc.Arbitrary<ProvenRange> = fc.record({ from: position, to: position });

export const role = fc.constantFrom('primary' as const, 'replica' as const);

export const readFacts: fc.Arbitrary<ReadFacts> = fc.record({
  role,
  clusterId: fc.option(uuid),
  state: fc.oneof(
    fc.constantFrom(
      'disabled',
      'replicating.ingesting.receiving | replicating.readGate.open',
      'recovering.surveying',
      'halted',
      'failed in replicating.readGate.open',
    ),
    unicode,
  ),
  halt: fc.option(halt),
  receivedLsn: fc.option(count),
  validated: fc.option(position),
  applied: fc.option(position),
  inFlight: fc.option(range),
  view: fc.record({
    commitId: fc.option(count),
    token: fc.option(
      fc.record({
        position,
        found: fc.constantFrom(
          'in history' as const,
          'not in history' as const,
          'ahead' as const,
          'before what is kept' as const,
          'not looked up' as const,
        ),
        foundHash: fc.option(hash),
      }),
    ),
  }),
});

export const chain: fc.Arbitrary<ChainState> = fc.record({
  commitId: smallerCount,
  lsn: smallerCount,
  historyHash: hash,
  clusterId: uuid,
  segmentIndex: smallerCount,
  segmentStartLsn: fc.nat(10),
  expects: fc.constantFrom('segment header' as const, 'frame' as const),
});

const stop: fc.Arbitrary<StopEvidence> = fc.record({
  kind: fc.constantFrom('torn' as const, 'invalid' as const),
  rule: fc.constantFrom('P5-I11 unitIsWhole', 'P5-I5 checksumMatches'),
  lsn: count,
  file: unicode,
  byte: count,
  evidence,
});

/** Sizes as files have them: without a segment nothing stands between beginning and end, and no place is disjoint. */
const wal: fc.Arbitrary<DiskSurvey['wal']> = fc
  .record({
    segments: fc.nat(3),
    startLsn: smallerCount,
    bytes: fc.oneof(fc.constant(0), smallerCount),
    discontinuity: fc.option(fc.record({ expectedLsn: count, foundLsn: count })),
  })
  .map(({ segments, startLsn, bytes, discontinuity }) => ({
    segments,
    startLsn,
    endLsn: segments === 0 ? startLsn : startLsn + bytes,
    discontinuity: segments < 2 ? null : discontinuity,
  }));

export const survey: fc.Arbitrary<DiskSurvey> = fc.record({
  checkpoint: fc.oneof(
    fc.constant({ state: 'absent' as const }),
    fc.record({ state: fc.constant('damaged' as const), bytes: unicode }),
    fc.record({ state: fc.constant('intact' as const), value: checkpoint }),
  ),
  wal,
  base: fc.record({
    state: fc.constantFrom('not needed' as const, 'intact' as const, 'missing' as const, 'damaged' as const),
    cutCommitId: fc.option(count),
  }),
  partials: fc.array(unicode, { maxLength: 2 }),
  prefix: fc.oneof(
    fc.record({ state: fc.constant('proven' as const), chain }),
    fc.record({ state: fc.constant('broken' as const), evidence }),
  ),
  tail: fc.record({
    provenTo: fc.option(chain),
    stop: fc.option(stop),
    validUnitAfterLsn: fc.option(count),
  }),
});

export const recoveryFacts: fc.Arbitrary<RecoveryFacts> = fc.record({
  recordedHalt: fc.option(halt, { freq: 3 }),
  survey: fc.option(survey, { freq: 20 }),
});

const safeOrNone = fc.oneof(
  { weight: 5, arbitrary: count },
  { weight: 1, arbitrary: fc.constant(Number.NaN) },
);
const segmentHeader: fc.Arbitrary<SegmentHeader> = fc.record({
  magic: fc.constantFrom('RPLCHRT1', 'rplchrt1', '\0'),
  headerBytes: fc.oneof(fc.constant(96), u32),
  formatVersion: fc.oneof(fc.constant(1), u32),
  clusterId: uuid,
  segmentIndex: safeOrNone,
  startLsn: safeOrNone,
  firstCommitId: safeOrNone,
  historyHash: hash,
  reserved: fc.oneof(fc.constant(0), u32),
  crcStored: u32,
  crcComputed: u32,
});
const payloadFault = fc.record({
  kind: fc.constantFrom('commit id' as const, 'structure' as const),
  offset: u32,
  expected: evidence,
  found: evidence,
});
const place = { file: unicode, byte: count, chain };
/** A 64-bit field that is no safe integer is NaN, as in what a reader of bytes observes. */
export const unitFacts: fc.Arbitrary<UnitFacts> = fc.oneof(
  fc.record({ ...place, unit: fc.constant('segment header' as const), header: segmentHeader }),
  fc.record({
    ...place,
    unit: fc.constant('frame' as const),
    header: fc.record({
      magic: fc.constantFrom('RWF1', 'RWF2'),
      frameBytes: fc.oneof(fc.constant(72), u32),
      ownLsn: safeOrNone,
      firstCommitId: safeOrNone,
      commitCount: u32,
      kind: fc.oneof(fc.constantFrom(1, 2, 3), u32),
      previousHash: hash,
      crcStored: u32,
      reserved: fc.oneof(fc.constant(0), u32),
    }),
    computed: fc.option(fc.record({ crc: u32, historyHash: hash, payloadFault: fc.option(payloadFault) })),
  }),
);

export const validationFacts: fc.Arbitrary<ValidationFacts> = fc.record({
  from: chain,
  to: chain,
  suspect: fc.option(unitFacts),
  incompleteLsn: fc.option(count),
});

const sourceFailure: fc.Arbitrary<SourceFailure> = fc.oneof(
  fc.record({
    kind: fc.constant('refused' as const),
    code: fc.constantFrom('HISTORY_DIVERGED', 'POSITION_INVALID', 'WAL_PRUNED', 'INTERNAL'),
    message: unicode,
    evidence,
  }),
  fc.record({ kind: fc.constant('unreachable' as const), message: unicode }),
);

export const meetingFacts: fc.Arbitrary<MeetingFacts> = fc.record({
  expectedClusterId: fc.option(uuid),
  meeting: fc.option(
    fc.oneof(
      sourceFailure,
      fc.record({
        kind: fc.constant('met' as const),
        primary: fc.record({
          clusterId: uuid,
          formatVersion: fc.nat(2),
          oldestLsn: count,
          durable: position,
        }),
      }),
    ),
  ),
});

export const attachFacts: fc.Arbitrary<AttachFacts> = fc.record({
  clusterId: uuid,
  requested: position,
  answer: fc.oneof(
    sourceFailure,
    fc.record({
      kind: fc.constant('attached' as const),
      clusterId: uuid,
      startLsn: safeOrNone,
      durable: fc.option(position),
    }),
  ),
});

export const receiptFacts: fc.Arbitrary<ReceiptFacts> = fc.record({
  expectedLsn: count,
  fromLsn: count,
  toLsn: count,
  units: fc.nat(),
  suspect: fc.option(unitFacts),
  chunkGap: fc.option(fc.record({ expectedLsn: count, foundLsn: count })),
  primary: fc.option(position),
  ended: fc.option(unicode),
});

const summary: fc.Arbitrary<SnapshotSummary> = fc.record({
  snapshotId: unicode,
  clusterId: uuid,
  cut,
  stateDigest: hash,
  versions: count,
  keys: count,
  bytes: count,
});

export const fetchFacts: fc.Arbitrary<FetchFacts> = fc.oneof(
  fc.constant({ kind: 'none' as const }),
  sourceFailure,
  fc.record({
    kind: fc.constant('manifest damaged' as const),
    snapshotId: unicode,
    expected: unicode,
    found: unicode,
  }),
  fc.record({
    kind: fc.constant('fetched' as const),
    clusterId: uuid,
    snapshot: summary,
    blocks: fc.nat(),
    blockFault: fc.option(fc.record({ block: fc.nat(), expected: evidence, found: evidence })),
  }),
);

export const verifiedFacts: fc.Arbitrary<VerifiedFacts> = fc.record({
  snapshot: summary,
  header: fc.option(fc.record({ clusterId: uuid, cut })),
  fault: fc.option(evidence),
  stateDigest: hash,
  versions: count,
  keys: count,
  bytes: count,
});

export const resumeFacts: fc.Arbitrary<ResumeFacts> = fc.oneof(
  sourceFailure,
  fc.record({
    kind: fc.constant('probed' as const),
    cut,
    clusterId: uuid,
    streamStartLsn: count,
    header: fc.option(segmentHeader),
  }),
);

export const installedFacts: fc.Arbitrary<InstalledFacts> = fc.record({ cut, checkpoint });

const version: fc.Arbitrary<VersionFacts> = fc.record({
  commitId: fc.oneof(fc.nat(5), count),
  op: fc.constantFrom('put' as const, 'delete' as const),
  place: fc.oneof(
    fc.record({ log: fc.constant('wal' as const), lsn: count }),
    fc.record({ log: fc.constant('base' as const), offset: count }),
  ),
  documentBytes: count,
  crc32c: fc.constantFrom('00000000', 'ffffffff'),
});
export const visibilityFacts: fc.Arbitrary<VisibilityFacts> = fc.record({
  viewCommitId: fc.option(fc.oneof(fc.nat(5), count)),
  chain: fc.option(
    fc.record({
      versions: fc.array(version, { maxLength: 4 }),
      more: fc.boolean(),
      chosen: fc.option(fc.nat(5)),
    }),
  ),
  fault: fc.option(evidence),
});

export const rangeFacts: fc.Arbitrary<RangeFacts> = fc.record({
  viewCommitId: fc.option(count),
  documents: fc.nat(),
  ascending: fc.boolean(),
  newestCommitId: fc.option(count),
  entriesSha256: hash,
  more: fc.boolean(),
});

export const identityFacts: fc.Arbitrary<IdentityFacts> = fc.record({
  role,
  clusterId: fc.option(uuid),
  nodeId: fc.option(uuid),
  found: fc.option(
    fc.oneof(
      fc.record({ state: fc.constant('absent' as const), dataFiles: fc.array(unicode, { maxLength: 2 }) }),
      fc.record({ state: fc.constant('damaged' as const), expected: unicode, found: unicode }),
      fc.record({
        state: fc.constant('present' as const),
        identity: fc.record({ formatVersion: fc.nat(2), clusterId: uuid, nodeId: uuid, role }),
      }),
    ),
  ),
});

export const nextBatchFacts: fc.Arbitrary<NextBatchFacts> = fc.record({
  applied: fc.option(position),
  next: fc.option(range),
  validated: fc.option(position),
});
const application: fc.Arbitrary<ApplicationFacts> = fc.record({ range, checkpoint });
export const appliedFacts: fc.Arbitrary<AppliedFacts> = fc.record({
  inFlight: fc.option(range),
  application: fc.option(application),
});
