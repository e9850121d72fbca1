import type { RecoveryPlan } from '../../../../src/core/recovery/decision.ts';
import type { DiskSurvey } from '../../../../src/core/recovery/survey.ts';
import type { recoveryActors } from '../../../6-recovery.ts';
import { chainOf, checkpointOf, historyOf, lsnOf, proofOf, segmentStart, type History } from '../history.ts';
import { EMPTY_INDEX, type Disk } from '../world.ts';
import { tabled, type Effects } from './effect.ts';

export const recoveryEffects: Effects<keyof typeof recoveryActors> = {
  surveyReplica: {
    answer: (world) => {
      const survey = surveyOf(world.disk);
      return { outcome: surveyed(survey), output: survey, world };
    },
  },
  repairReplica: {
    answer: (world, input) => {
      const disk = repairsOf(world.disk, input).at(-1) ?? world.disk;
      return tabled('repairReplica', 'repaired', input, { ...world, disk });
    },
    halves: (world, input) =>
      repairsOf(world.disk, input)
        .slice(0, -1)
        .map((disk) => ({ ...world, disk })),
  },
};

/** What the disk shows, as the real survey reads it: the segment of the checkpoint, and what stands behind it. */
function surveyOf(disk: Disk): DiskSurvey {
  const { origin, wal, isTorn, index, base } = disk;
  const { checkpoint } = index;
  const at = checkpoint?.at ?? '';
  const end = origin.length + wal.length;
  const isProven = leadsTo(at, disk);
  const tail = proofOf(at, isProven ? wal.slice(at.length - origin.length) : []);
  const stop = tail.wrong !== null ? 'invalid' : isTorn && isProven ? 'torn' : null;
  return {
    checkpoint:
      checkpoint === null
        ? { state: 'absent' }
        : { state: 'intact', value: checkpointOf(at, checkpoint.snapshotCut) },
    wal: {
      segments: wal.length > 0 || isTorn ? 1 : 0,
      startLsn: lsnOf(origin),
      endLsn: end * lsnOf('c') + (isTorn ? 1 : 0),
      discontinuity: null,
    },
    base:
      checkpoint === null || checkpoint.snapshotCut === 0
        ? { state: 'not needed', cutCommitId: null }
        : {
            state: base === null ? 'missing' : base.isDamaged ? 'damaged' : 'intact',
            cutCommitId: checkpoint.snapshotCut,
          },
    partials: partialsOf(disk),
    prefix: isProven ? { state: 'proven', chain: chainOf(at) } : { state: 'broken', evidence: {} },
    tail: {
      provenTo: isProven ? chainOf(tail.to) : null,
      stop:
        stop === null
          ? null
          : {
              kind: stop,
              rule: 'P5-I5 checksumMatches',
              lsn: lsnOf(tail.to),
              file: 'a segment',
              byte: 0,
              evidence: {},
            },
      validUnitAfterLsn: null,
    },
  };
}

/** Whether the WAL of the checkpoint's segment leads to the checkpoint; what stands before it is taken at its word. */
function leadsTo(at: History, { origin, wal }: Disk): boolean {
  const start = Math.max(segmentStart(at), origin.length);
  if (at.length <= start) return at.length === origin.length;
  const units = wal.slice(start - origin.length, at.length - origin.length);
  const before = units[0]?.upTo.slice(0, -1);
  if (before === undefined) return false;
  const { to, wrong } = proofOf(before, units);
  return wrong === null && to === at;
}

function partialsOf({ hasTemporary, incoming, base, index }: Disk): string[] {
  return [
    ...(hasTemporary ? ['a file.tmp'] : []),
    ...(incoming === null ? [] : ['incoming/1.base']),
    ...(base !== null && index.checkpoint === null ? ['base/1.base'] : []),
  ];
}

/** A survey by the name that one like it has in the payload table. */
function surveyed({ checkpoint, base, prefix, wal }: DiskSurvey): string {
  if (checkpoint.state === 'absent' && wal.endLsn > wal.startLsn) return 'WAL without a checkpoint';
  if (base.state === 'missing') return 'base missing';
  if (base.state === 'damaged') return 'base damaged';
  return prefix.state === 'broken' ? 'prefix broken' : 'all applied';
}

/** The disk after each step of a repair. */
function repairsOf(
  disk: Disk,
  { plan, survey }: { readonly plan: RecoveryPlan; readonly survey: DiskSurvey },
): Disk[] {
  const proven = survey.tail.provenTo === null ? null : historyOf(survey.tail.provenTo);
  const steps: ((disk: Disk) => Disk)[] = [];
  if (plan.steps.includes('discard partials'))
    steps.push((before) => ({
      ...before,
      hasTemporary: false,
      incoming: null,
      base: before.index.checkpoint === null ? null : before.base,
    }));
  if (plan.steps.includes('discard index')) steps.push((before) => ({ ...before, index: EMPTY_INDEX }));
  if (plan.outcome !== 'bootstrap')
    steps.push(
      (before) => ({
        ...before,
        index: {
          ...before.index,
          checkpoint: before.index.checkpoint ?? { at: '', snapshotCut: 0 },
        },
      }),
      (before) => {
        const wal = before.wal.slice(0, (proven ?? '').length - before.origin.length);
        return { ...before, wal, synced: Math.min(before.synced, wal.length), isTorn: false };
      },
      (before) => ({ ...before, synced: before.wal.length }),
    );
  const disks: Disk[] = [];
  for (const step of steps) disks.push(step(disks.at(-1) ?? disk));
  return disks;
}
