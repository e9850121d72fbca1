/** Each check of a unit, part by part, with all of its evidence; and as the validator asks them of what it found. */
import { describe, expect, test } from 'vitest';
import {
  CHAIN_CHECKS,
  checksumMatches,
  clusterIsOurs,
  commitIdsAreDense,
  FRAMING_CHECKS,
  historyIsContinuous,
  payloadIsWellFormed,
  UNIT_CHECKS,
  unitIsFramed,
  unitIsInOrder,
} from '../../src/core/checks/wal.ts';
import type { Check } from '../../src/core/checks/check.ts';
import {
  receivedIsStillThere,
  VALIDATION_CHECKS,
  validationCheck,
} from '../../src/core/checks/validation.ts';
import type { ValidationFacts } from '../../src/core/validation.ts';
import {
  chainAtCut,
  observeUnit,
  type FrameFacts,
  type HeaderFacts,
  type UnitFacts,
} from '../../src/core/wal/chain.ts';
import type { PayloadFault } from '../../src/core/wal/payload.ts';
import { at, HASH, parts } from '../support/claim-parts.ts';
import { CLUSTER, OTHER_CLUSTER } from '../support/nodes.ts';

const OTHER_HASH = 'cd'.repeat(32);
const atCut = chainAtCut(CLUSTER, { ...at(4, 1_000), segmentIndex: 2 });
const chain = { ...atCut, lsn: 1_096, expects: 'frame' } as const;
const placeOf = (unit: UnitFacts['unit'], byte: number, lsn: number) => ({
  file: '00000000000000001000.wal',
  byte,
  lsn,
  unit,
});
const OF_HEADER = placeOf('segment header', 0, 1_000);
const OF_FRAME = placeOf('frame', 96, 1_096);

const header = (change: Partial<HeaderFacts['header']> = {}): HeaderFacts => ({
  unit: 'segment header',
  file: OF_HEADER.file,
  byte: 0,
  chain: atCut,
  header: {
    magic: 'RPLCHRT1',
    headerBytes: 96,
    formatVersion: 1,
    clusterId: CLUSTER,
    segmentIndex: 2,
    startLsn: 1_000,
    firstCommitId: 5,
    historyHash: HASH,
    reserved: 0,
    crcStored: 0xab,
    crcComputed: 0xab,
    ...change,
  },
});
const frame = (
  change: Partial<FrameFacts['header']> = {},
  computed: Partial<NonNullable<FrameFacts['computed']>> | null = {},
): FrameFacts => ({
  unit: 'frame',
  file: OF_FRAME.file,
  byte: 96,
  chain,
  header: {
    magic: 'RWF1',
    frameBytes: 200,
    ownLsn: 1_096,
    firstCommitId: 5,
    commitCount: 1,
    kind: 1,
    previousHash: HASH,
    crcStored: 0xab,
    reserved: 0,
    ...change,
  },
  computed: computed && { crc: 0xab, historyHash: OTHER_HASH, payloadFault: null, ...computed },
});
const payloadFault = (kind: PayloadFault['kind']) => ({
  payloadFault: { kind, offset: 72, expected: { it: 1 }, found: { it: 2 } },
});

const HEADER = { magic: 'RPLCHRT1', header_bytes: 96, format_version: 1, reserved: 0 };
const headerFound = (found: object) => ({ ...OF_HEADER, expected: HEADER, found: { ...HEADER, ...found } });
const FRAME = {
  magic: 'RWF1',
  frame_bytes_min: 72,
  frame_bytes_max: 4_194_304,
  kind: [1, 2, 3],
  reserved: 0,
};
const frameFound = (found: object) => ({
  ...OF_FRAME,
  expected: FRAME,
  found: { magic: 'RWF1', frame_bytes: 200, kind: 1, commit_count: 1, reserved: 0, ...found },
});

describe('the checks of a unit, part by part', () => {
  parts<UnitFacts>(unitIsFramed, [
    ['a header', header(), true, headerFound({})],
    ['another magic', header({ magic: 'RPLCHRT2' }), false, headerFound({ magic: 'RPLCHRT2' })],
    ['another size', header({ headerBytes: 97 }), false, headerFound({ header_bytes: 97 })],
    ['another version', header({ formatVersion: 2 }), false, headerFound({ format_version: 2 })],
    ['reserved bytes', header({ reserved: 1 }), false, headerFound({ reserved: 1 })],
    ['a frame', frame(), true, frameFound({})],
    ['the largest frame', frame({ frameBytes: 4_194_304 }), true],
    ['a frame of another magic', frame({ magic: 'RWF2' }), false, frameFound({ magic: 'RWF2' })],
    ['too large', frame({ frameBytes: 4_194_305 }), false, frameFound({ frame_bytes: 4_194_305 })],
    ['too small', frame({ frameBytes: 71 }), false, frameFound({ frame_bytes: 71 })],
    ['an unknown kind', frame({ kind: 4 }), false, frameFound({ kind: 4 })],
    ['no commits', frame({ commitCount: 0 }), false, frameFound({ commit_count: 0 })],
    ['reserved bytes of a frame', frame({ reserved: 1 }), false, frameFound({ reserved: 1 })],
    ['a seal', frame({ kind: 2, commitCount: 0, frameBytes: 72 }), true],
    ['a cut', frame({ kind: 3, commitCount: 0, frameBytes: 72 }), true],
    ['a seal with a commit', frame({ kind: 2, commitCount: 1, frameBytes: 72 }), false],
    ['a seal with a payload', frame({ kind: 2, commitCount: 0, frameBytes: 73 }), false],
  ]);
  const crc = (expected: string | null, found: string) => ({
    expected: { crc32c: expected },
    found: { crc32c: found },
  });
  parts<UnitFacts>(checksumMatches, [
    ['a header', header(), true, { ...OF_HEADER, ...crc('000000ab', '000000ab') }],
    ['another', header({ crcStored: 0xcd }), false, { ...OF_HEADER, ...crc('000000ab', '000000cd') }],
    ['a frame', frame(), true, { ...OF_FRAME, ...crc('000000ab', '000000ab') }],
    ['another of a frame', frame({}, { crc: 1 }), false, { ...OF_FRAME, ...crc('00000001', '000000ab') }],
    ['nothing computed', frame({}, null), null, { ...OF_FRAME, ...crc(null, '000000ab') }],
  ]);
  const cluster = (found: string) => ({ expected: { cluster_id: CLUSTER }, found: { cluster_id: found } });
  parts<UnitFacts>(clusterIsOurs, [
    ['ours', header(), true, { ...OF_HEADER, ...cluster(CLUSTER) }],
    ['another', header({ clusterId: OTHER_CLUSTER }), false, { ...OF_HEADER, ...cluster(OTHER_CLUSTER) }],
    ['a frame names none', frame(), true, { ...OF_FRAME, cluster_id: CLUSTER }],
  ]);
  const place = (lsn: number | null, index: number | null) => ({
    expected: { start_lsn: 1_000, segment_index: 2 },
    found: { start_lsn: lsn, segment_index: index },
  });
  const own = (lsn: number | null) => ({ expected: { own_lsn: 1_096 }, found: { own_lsn: lsn } });
  parts<UnitFacts>(unitIsInOrder, [
    ['a header', header(), true, { ...OF_HEADER, ...place(1_000, 2) }],
    ['another LSN', header({ startLsn: 999 }), false, { ...OF_HEADER, ...place(999, 2) }],
    ['another index', header({ segmentIndex: 3 }), false, { ...OF_HEADER, ...place(1_000, 3) }],
    [
      'no number',
      header({ startLsn: NaN, segmentIndex: NaN }),
      false,
      { ...OF_HEADER, ...place(null, null) },
    ],
    ['a frame', frame(), true, { ...OF_FRAME, ...own(1_096) }],
    ['another LSN of a frame', frame({ ownLsn: 1_097 }), false, { ...OF_FRAME, ...own(1_097) }],
    ['no number of a frame', frame({ ownLsn: NaN }), false, { ...OF_FRAME, ...own(null) }],
  ]);
  const hash = (name: string, found: string) => ({ expected: { [name]: HASH }, found: { [name]: found } });
  parts<UnitFacts>(historyIsContinuous, [
    ['a header', header(), true, { ...OF_HEADER, ...hash('history_hash', HASH) }],
    [
      'another',
      header({ historyHash: OTHER_HASH }),
      false,
      { ...OF_HEADER, ...hash('history_hash', OTHER_HASH) },
    ],
    ['a frame', frame(), true, { ...OF_FRAME, ...hash('previous_hash', HASH) }],
    [
      'another of a frame',
      frame({ previousHash: OTHER_HASH }),
      false,
      { ...OF_FRAME, ...hash('previous_hash', OTHER_HASH) },
    ],
  ]);
  const first = (found: number | null) => ({
    expected: { first_commit_id: 5 },
    found: { first_commit_id: found },
  });
  parts<UnitFacts>(commitIdsAreDense, [
    ['a header', header(), true, { ...OF_HEADER, ...first(5) }],
    ['a gap', header({ firstCommitId: 6 }), false, { ...OF_HEADER, ...first(6) }],
    ['no number', header({ firstCommitId: NaN }), false, { ...OF_HEADER, ...first(null) }],
    ['a frame', frame(), true, { ...OF_FRAME, ...first(5) }],
    ['a gap before a frame', frame({ firstCommitId: 6 }), false, { ...OF_FRAME, ...first(6) }],
    ['no number of a frame', frame({ firstCommitId: NaN }), false, { ...OF_FRAME, ...first(null) }],
    ['nothing computed', frame({}, null), null, { ...OF_FRAME, ...first(5) }],
    [
      'a gap inside',
      frame({}, payloadFault('commit id')),
      false,
      {
        ...OF_FRAME,
        expected: { first_commit_id: 5, it: 1 },
        found: { first_commit_id: 5, it: 2 },
      },
    ],
    ['a fault of another kind', frame({}, payloadFault('structure')), true, { ...OF_FRAME, ...first(5) }],
  ]);
  parts<UnitFacts>(payloadIsWellFormed, [
    ['a header has none', header(), true, OF_HEADER],
    ['a frame', frame(), true, OF_FRAME],
    ['nothing computed', frame({}, null), null, OF_FRAME],
    [
      'a fault',
      frame({}, payloadFault('structure')),
      false,
      { ...OF_FRAME, offset_in_frame: 72, expected: { it: 1 }, found: { it: 2 } },
    ],
    ['a fault of another kind', frame({}, payloadFault('commit id')), true, OF_FRAME],
  ]);
});

test('P5-I5: what is asked of a unit, and of that what binds it to a history, and what ingress asks', () => {
  expect([UNIT_CHECKS, CHAIN_CHECKS, FRAMING_CHECKS].map((checks) => checks.map(({ rule }) => rule))).toEqual(
    [
      [
        'P5-I5 unitIsFramed',
        'P5-I5 checksumMatches',
        'P5-I4 clusterIsOurs',
        'P5-I4 unitIsInOrder',
        'P5-I4 historyIsContinuous',
        'P5-I6 commitIdsAreDense',
        'P5-I5 payloadIsWellFormed',
      ],
      ['P5-I4 clusterIsOurs', 'P5-I4 unitIsInOrder', 'P5-I4 historyIsContinuous', 'P5-I6 commitIdsAreDense'],
      ['P5-I5 unitIsFramed', 'P5-I4 clusterIsOurs', 'P5-I4 unitIsInOrder'],
    ],
  );
});

describe('P5-I11: the checks of a unit, as they are asked of what the validator found', () => {
  const found = (suspect: UnitFacts | null, incompleteLsn: number | null = null): ValidationFacts => ({
    from: atCut,
    to: chain,
    suspect,
    incompleteLsn,
  });
  const range = { from_lsn: 1_000, to_lsn: 1_096, commit_id: 4 };

  test.each(VALIDATION_CHECKS.map((check, at) => [check, UNIT_CHECKS[at] as Check<UnitFacts>] as const))(
    '$0.rule',
    (check, unitCheck) => {
      expect(validationCheck(unitCheck.rule)).toBe(check);
      expect([check.claim(null), check.evidence(null), check.code(null)]).toEqual([null, {}, 'WAL_CORRUPT']);
      const none = found(null);
      expect([check.claim(none), check.evidence(none), check.code(none)]).toEqual([
        true,
        range,
        'WAL_CORRUPT',
      ]);
      for (const suspect of [frame(), frame({}, null), header({ clusterId: OTHER_CLUSTER, startLsn: 1 })]) {
        const facts = found(suspect);
        expect(check.claim(facts)).toBe(unitCheck.claim(suspect));
        expect(check.evidence(facts)).toEqual(unitCheck.evidence(suspect));
        expect(check.code(facts)).toBe(unitCheck.code(suspect));
      }
    },
  );

  test('a check that does not exist is a bug', () => {
    expect(() => validationCheck('P5-I5 unitIsFramedd')).toThrow('there is no check P5-I5 unitIsFramedd');
  });

  parts<ValidationFacts | null>(receivedIsStillThere, [
    ['nothing looked at', null, null, {}],
    ['all there', found(null), true, { incomplete_unit_lsn: null }],
    ['a unit that ends too early', found(null, 7), false, { incomplete_unit_lsn: 7 }],
  ]);
});

describe('P5-I5: of a frame that is not whole nothing is computed', () => {
  const bytes = Buffer.alloc(200);
  const sized = (size: number) => {
    const copy = Buffer.from(bytes);
    copy.writeUInt32LE(size, 4);
    return observeUnit(chain, copy, 0, 'whole');
  };

  test('nor of one whose size cannot be one; its place is that in its segment', () => {
    expect(sized(200)).toMatchObject({ unit: 'frame', file: OF_FRAME.file, byte: 96 });
    expect((sized(200) as FrameFacts).computed).not.toBeNull();
    for (const size of [0, 71, 201, 4_194_305, 0xffff_ffff])
      expect((sized(size) as FrameFacts).computed).toBeNull();
    expect((observeUnit(chain, bytes, 0, 'framing') as FrameFacts).computed).toBeNull();
  });
});
