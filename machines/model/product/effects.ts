/**
 * What the effects of a replica do to its world, and what they answer: small models of the real ones, with the same facts.
 * An effect that waits for something that is not there yet has no answer.
 */
import type { FetchFacts, SnapshotSummary } from '../../../src/core/bootstrap.ts';
import type { HaltReason } from '../../../src/core/halt.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RecoveryPlan } from '../../../src/core/recovery/decision.ts';
import type { DiskSurvey } from '../../../src/core/recovery/survey.ts';
import type { Checkpoint } from '../../../src/core/storage/checkpoint.ts';
import type { ChainState } from '../../../src/core/wal/chain.ts';
import {
  chainAfter,
  chainBehind,
  checkpointAfter,
  otherThan,
  rangeOf,
  UNIT_BYTES,
  unitsOf,
  WRONG_UNITS,
} from '../history.ts';
import { nodeOutcomes } from '../outcomes.ts';
import { SNAPSHOT } from '../outcomes/bootstrap.ts';
import {
  EMPTY_MEMORY,
  isOf,
  NO_STREAM,
  positionIn,
  unitAt,
  type Disk,
  type History,
  type Unit,
  type World,
} from './world.ts';

/** The effect finds that it was asked for what it must not do, and fails: its own assertion. */
export type Refusal = { readonly asserts: string };

/** An answer by its name in the payload table, and the world when it is given. */
export interface Answer {
  readonly outcome: string;
  readonly output: unknown;
  readonly world: World;
}

type Effect = (world: World, input: never) => Answer | Refusal | null;

/** The answer of the payload table to this input. */
function tabled(effect: keyof typeof nodeOutcomes, outcome: string, input: unknown, world: World): Answer {
  const answer = nodeOutcomes[effect][outcome] as
    ((input: unknown, bound: { units: number }) => unknown) | undefined;
  if (answer === undefined) throw new Error(`the payload table has no "${effect}: ${outcome}"`);
  return { outcome, output: answer(input, { units: Infinity }), world };
}

const withDisk = (world: World, change: Partial<Disk>): World => ({
  ...world,
  disk: { ...world.disk, ...change },
});

export const effects: Readonly<Record<string, Effect>> = {
  readIdentity: (world, input) =>
    tabled('readIdentity', world.disk.identity === 'absent' ? 'absent' : 'of this node', input, world),
  meetPrimary: (world, input) =>
    tabled('meetPrimary', world.primary.isUp ? 'met' : 'unreachable', input, world),
  claimIdentity: (world, input) =>
    tabled('claimIdentity', 'claimed', input, withDisk(world, { identity: 'ours' })),
  readHaltRecord: (world, input) =>
    tabled('readHaltRecord', world.disk.halt === null ? 'none' : 'recorded', input, world),
  drain: (world, input) => tabled('drain', 'drained', input, { ...world, network: NO_STREAM }),
  keepEvidence: (world, input) => tabled('keepEvidence', 'nothing to keep', input, world),
  writeHaltRecord: (world, input: HaltReason) =>
    tabled('writeHaltRecord', 'written', input, withDisk(world, { halt: input.rule ?? input.code })),
  release: (world, input) =>
    tabled('release', 'released', input, { ...world, network: NO_STREAM, memory: EMPTY_MEMORY }),
  surveyReplica: (world) => {
    const survey = surveyOf(world.disk);
    return { outcome: surveyed(survey), output: survey, world };
  },
  repairReplica: (world, input: { plan: RecoveryPlan; survey: DiskSurvey }) =>
    tabled('repairReplica', 'repaired', input, repaired(world, input)),
  attach,
  receive,
  persist: (world, { fromLsn }: { readonly fromLsn: number }) => {
    const { wal, walFrom } = world.disk;
    const { batch, desk } = world.memory;
    if (batch.length === 0) return { asserts: 'what is persisted was received' };
    if ((walFrom + wal.length) * UNIT_BYTES !== fromLsn)
      return { asserts: 'received bytes are appended exactly where the files end' };
    const behind = withDisk(world, { wal: [...wal, ...batch] });
    const output = (behind.disk.walFrom + behind.disk.wal.length) * UNIT_BYTES;
    return { outcome: 'persisted', output, world: { ...behind, memory: { batch: [], desk } } };
  },
  validate,
  apply,
  boundary: (world, input) => tabled('boundary', 'reached', input, world),
  discardPartial: (world, input) =>
    tabled(
      'discardPartial',
      'discarded',
      input,
      withDisk(world, { incoming: false, base: null, index: null }),
    ),
  fetchSnapshot,
  verifySnapshot: (world, input: SnapshotSummary) =>
    tabled(
      'verifySnapshot',
      world.primary.snapshotFault === 'of another state' ? 'of another state' : 'whole',
      input,
      world,
    ),
  probeResume: (world, input: { snapshot: SnapshotSummary }) => {
    const { primary } = world;
    const { cut } = input.snapshot;
    if (!primary.isUp) return tabled('probeResume', 'unreachable', input, world);
    if (!isOf(primary, cut)) return tabled('probeResume', 'refused: diverged', input, world);
    if (unitsOf(cut) < primary.prunedTo) return tabled('probeResume', 'refused: pruned', input, world);
    return tabled('probeResume', 'resumes at the cut', input, world);
  },
  installSnapshot: (world, input: SnapshotSummary) => {
    const { cut } = input;
    const history: History = isHistoryOf(cut);
    const units = Array.from({ length: cut.commitId }, (_, index) => unitAt(index + 1, history));
    return tabled(
      'installSnapshot',
      'at the cut',
      input,
      withDisk(world, {
        base: cut.commitId,
        incoming: false,
        wal: [],
        walFrom: cut.commitId,
        index: { units, checkpoint: { units: cut.commitId, history, snapshotCut: cut.commitId } },
      }),
    );
  },
};

function isHistoryOf({ lsn, historyHash }: Position): History {
  return positionIn(unitsOf({ lsn }), 0).historyHash === historyHash ? 0 : 1;
}

function attach(world: World, chain: ChainState): Answer {
  const { primary } = world;
  const closed = { ...world, network: NO_STREAM };
  if (!primary.isUp) return tabled('attach', 'unreachable', chain, closed);
  const units = unitsOf(chain);
  if (units < primary.prunedTo) return tabled('attach', 'refused: pruned', chain, closed);
  if (!isOf(primary, chain)) return tabled('attach', 'refused: diverged', chain, closed);
  return tabled('attach', 'attached', chain, { ...world, network: { next: units + 1, arrived: null } });
}

/** Says what has arrived, or that the stream has ended; waits where neither is so. */
function receive(world: World, input: { readonly expectedLsn: number }): Answer | null {
  const { arrived, next } = world.network;
  if (arrived === null) return next === null ? tabled('receive', 'the end', input, world) : null;
  const taken = { ...world, network: { next, arrived: null } };
  if (arrived.kind === 'notice') return tabled('receive', 'a notice', input, taken);
  if (arrived.kind === 'gap') return tabled('receive', 'a gap between chunks', input, taken);
  const { unit, expected } = arrived;
  if (unit.wrong !== null && AT_THE_DOOR.has(unit.wrong)) {
    const output = {
      ...(tabled('receive', 'a notice', input, world).output as object),
      primary: null,
      suspect: WRONG_UNITS[unit.wrong](chainAfter(expected - 1)),
    };
    return { outcome: 'a unit at another place', output, world: taken };
  }
  const behind = { ...taken, memory: { ...world.memory, batch: [unit] } };
  // The inbox counts from where the stream was asked for; the chart from what it has persisted.
  const from = (expected - 1) * UNIT_BYTES;
  return from === input.expectedLsn
    ? tabled('receive', 'a unit', input, behind)
    : {
        outcome: 'a batch from elsewhere',
        output: {
          ...(tabled('receive', 'a unit', input, behind).output as object),
          fromLsn: from,
          toLsn: from + UNIT_BYTES,
        },
        world: behind,
      };
}

/** What is looked at before a unit is written; everything else waits for its proof. */
const AT_THE_DOOR: ReadonlySet<string> = new Set(['not framed', 'of another cluster', 'at another place']);

function validate(world: World, input: { readonly from: ChainState; readonly receivedLsn: number }): Answer {
  const { from } = input;
  const { wal, walFrom } = world.disk;
  const unit = wal[unitsOf(from) - walFrom];
  if (from.lsn >= input.receivedLsn) return tabled('validate', 'proven', input, world);
  if (unit === undefined) return tabled('validate', 'units are gone', input, world);
  const wrong = wrongWith(unit, from);
  if (wrong !== null) return tabled('validate', wrong, input, world);
  const { desk } = world.memory;
  const behind = { ...world, memory: { ...world.memory, desk: [...desk, { from, units: [unit] }] } };
  const to = { ...chainBehind(from), ...positionIn(unit.number, unit.history) };
  return { outcome: 'proven', output: { from, to, suspect: null, incompleteLsn: null }, world: behind };
}

/** Everything that is wrong with a unit behind a position; the first in the order of the proofs. */
export function wrongWith(unit: Unit, from: Position): keyof typeof WRONG_UNITS | null {
  if (unit.wrong !== null) return unit.wrong;
  if (unit.number !== unitsOf(from) + 1) return 'at another place';
  const before = positionIn(unit.number - 1, unit.history);
  return before.historyHash === from.historyHash ? null : 'of another history';
}

function apply(world: World, { applied }: { readonly applied: Checkpoint }): Answer | Refusal {
  const [batch, ...desk] = world.memory.desk;
  const { index } = world.disk;
  if (batch === undefined || index === null) return { asserts: 'what is applied was proved' };
  if (batch.from.lsn !== applied.lsn || batch.from.historyHash !== applied.historyHash)
    return { asserts: 'a batch is applied exactly after the last one' };
  const last = batch.units.at(-1) as Unit;
  const units = [...index.units, ...batch.units];
  const checkpoint = { units: last.number, history: last.history, snapshotCut: applied.snapshotCut };
  const to = positionIn(last.number, last.history);
  const behind = withDisk({ ...world, memory: { ...world.memory, desk } }, { index: { units, checkpoint } });
  return {
    outcome: 'applied',
    output: {
      range: rangeOf(batch.from, to),
      checkpoint: { ...checkpointAfter(0, applied.snapshotCut), ...to },
    },
    world: behind,
  };
}

function fetchSnapshot(world: World, input: { readonly clusterId: string }): Answer {
  const { primary } = world;
  if (!primary.isUp) return tabled('fetchSnapshot', 'unreachable', input, world);
  if (primary.snapshot === 0) return tabled('fetchSnapshot', 'none', input, world);
  if (primary.snapshotFault === 'a damaged manifest')
    return tabled('fetchSnapshot', 'a damaged manifest', input, world);
  const cut = { ...positionIn(primary.snapshot, primary.history), segmentIndex: 1 };
  const ours = input.clusterId;
  const facts: FetchFacts = {
    kind: 'fetched',
    clusterId: ours,
    snapshot: {
      ...SNAPSHOT,
      snapshotId: String(primary.snapshot),
      clusterId: primary.snapshotFault === 'of another cluster' ? otherThan(ours) : ours,
      cut,
    },
    blocks: 1,
    blockFault:
      primary.snapshotFault === 'a damaged block'
        ? { block: 0, expected: { bytes: 1 }, found: { bytes: 2 } }
        : null,
  };
  const told =
    primary.snapshotFault === 'of another cluster' || primary.snapshotFault === 'a damaged block'
      ? primary.snapshotFault
      : 'fetched';
  return { outcome: told, output: facts, world: withDisk(world, { incoming: true }) };
}

/** What the disk shows, as the real survey reads it. */
function surveyOf({ wal, walFrom, torn, index, base, incoming }: Disk): DiskSurvey {
  const checkpoint = index?.checkpoint ?? null;
  const at = checkpoint?.units ?? 0;
  const chainAt = (units: number, history: History): ChainState => ({
    ...chainAfter(units),
    ...positionIn(units, history),
  });
  let chain = chainAt(walFrom, checkpoint?.history ?? 0);
  let stop: 'torn' | 'invalid' | null = null;
  let broken = false;
  for (const unit of wal) {
    const wrong = wrongWith(unit, chain);
    if (wrong !== null) {
      if (unit.number <= at) broken = true;
      else stop = 'invalid';
      break;
    }
    chain = { ...chainBehind(chain), ...positionIn(unit.number, unit.history) };
  }
  const proven = unitsOf(chain);
  if (proven < at) broken = true;
  if (stop === null && !broken && torn) stop = 'torn';
  const endLsn = (walFrom + wal.length) * UNIT_BYTES + (torn ? 1 : 0);
  return {
    checkpoint:
      checkpoint === null
        ? { state: 'absent' }
        : {
            state: 'intact',
            value: { ...checkpointAfter(0, checkpoint.snapshotCut), ...positionIn(at, checkpoint.history) },
          },
    wal: {
      segments: wal.length > 0 || torn ? 1 : 0,
      startLsn: walFrom * UNIT_BYTES,
      endLsn,
      discontinuity: null,
    },
    base:
      checkpoint === null || checkpoint.snapshotCut === 0
        ? { state: 'not needed', cutCommitId: null }
        : {
            state: base === checkpoint.snapshotCut ? 'intact' : 'missing',
            cutCommitId: checkpoint.snapshotCut,
          },
    partials: [
      ...(incoming ? ['incoming/1.base'] : []),
      ...(base !== null && checkpoint === null ? ['base'] : []),
    ],
    prefix: broken
      ? { state: 'broken', evidence: {} }
      : { state: 'proven', chain: chainAt(at, checkpoint?.history ?? 0) },
    tail: {
      provenTo: broken ? null : chain,
      stop:
        stop === null
          ? null
          : {
              kind: stop,
              rule: 'P5-I5 checksumMatches',
              lsn: chain.lsn,
              file: 'a segment',
              byte: 0,
              evidence: {},
            },
      validUnitAfterLsn: null,
    },
  };
}

/** A survey by the name that one like it has in the payload table. */
function surveyed({ checkpoint, base, prefix, wal }: DiskSurvey): string {
  if (checkpoint.state === 'absent' && wal.endLsn > wal.startLsn) return 'WAL without a checkpoint';
  if (base.state === 'missing') return 'base missing';
  return prefix.state === 'broken' ? 'prefix broken' : 'all applied';
}

function repaired(world: World, { plan, survey }: { plan: RecoveryPlan; survey: DiskSurvey }): World {
  const { wal, walFrom, index, base, incoming } = world.disk;
  const discardsPartials = plan.steps.includes('discard partials');
  const partialsGone = {
    incoming: incoming && !discardsPartials,
    base: index === null && discardsPartials ? null : base,
  };
  if (plan.outcome === 'bootstrap') return withDisk(world, { ...partialsGone, index: null });
  const proven = survey.tail.provenTo === null ? 0 : unitsOf(survey.tail.provenTo);
  return withDisk(world, {
    ...partialsGone,
    index: index ?? { units: [], checkpoint: { units: 0, history: 0, snapshotCut: 0 } },
    wal: wal.slice(0, proven - walFrom),
    torn: false,
  });
}
