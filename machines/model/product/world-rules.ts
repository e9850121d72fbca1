/** What must hold of chart, disk and primary together, in every state: the invariants in the words of what is really there. */
import type { AnyMachineSnapshot } from 'xstate';
import type { InvariantId } from '../../../src/core/invariants.ts';
import { samePosition } from '../../../src/core/position.ts';
import type { NodeContext } from '../../context.ts';
import type { Settled } from '../pure-chart.ts';
import { endOf, type History } from './history.ts';
import type { World } from './world.ts';

export interface WorldRule {
  readonly invariant: InvariantId;
  readonly says: string;
  /** The chart is `null` where no process runs. */
  readonly wrong: (world: World, snapshot: AnyMachineSnapshot | null) => boolean;
}

const contextOf = (snapshot: AnyMachineSnapshot) => snapshot.context as NodeContext;
const QUIET = ['preserving', 'recording', 'resting'] as const;

function wasWritten(history: History, { primary: { written } }: World): boolean {
  return written.some((one) => one.startsWith(history));
}

export const WORLD_RULES: readonly WorldRule[] = [
  {
    invariant: 'P5-I4',
    says: 'What is applied is a prefix of a history that the primary had durably, each unit as it wrote it.',
    wrong: (world) => world.disk.index.checkpoint !== null && !wasWritten(world.disk.index.holds, world),
  },
  {
    invariant: 'P5-I11',
    says: 'The checkpoint stands exactly behind what the index holds.',
    wrong: ({ disk: { index } }) =>
      index.checkpoint !== null &&
      (index.checkpoint.at.length !== index.holds.length ||
        [...index.holds].some((letter, at) => letter !== 'x' && letter !== index.checkpoint?.at[at])),
  },
  {
    invariant: 'P5-I11',
    says: 'The index is never ahead of the WAL that is durable.',
    wrong: ({ disk: { index, origin, synced } }) =>
      index.checkpoint !== null && index.checkpoint.at.length > origin.length + synced,
  },
  {
    invariant: 'P5-I4',
    says: 'Every unit stands in its place, in its own bytes once.',
    wrong: ({ disk: { wal, origin } }) =>
      wal.some(({ upTo, wrong }, place) => wrong === null && upTo.length !== origin.length + place + 1),
  },
  {
    invariant: 'P5-I6',
    says: 'Nothing is received that the primary did not hold durably.',
    wrong: (world) => world.disk.wal.some(({ upTo, wrong }) => wrong === null && !wasWritten(upTo, world)),
  },
  {
    invariant: 'P5-I12',
    says: 'While the gate is open, a read sees exactly what is applied, and no halt waits.',
    wrong: ({ disk }, snapshot) => {
      if (snapshot === null || !snapshot.matches({ replicating: { readGate: 'open' } })) return false;
      const { applied } = contextOf(snapshot);
      const { checkpoint } = disk.index;
      if (applied === null || checkpoint === null || disk.halt !== null) return true;
      return !samePosition(endOf(checkpoint.at), applied);
    },
  },
  {
    invariant: 'P5-I10',
    says: 'A halt is recorded as it is, and no node works on over a record.',
    wrong: ({ disk }, snapshot) => {
      if (snapshot === null) return false;
      const { halt, haltRecordFault } = contextOf(snapshot);
      if (snapshot.matches({ halted: 'resting' }))
        return haltRecordFault === null && JSON.stringify(disk.halt) !== JSON.stringify(halt);
      return (snapshot.matches('replicating') || snapshot.matches('bootstrapping')) && disk.halt !== null;
    },
  },
  {
    invariant: 'P5-I8',
    says: 'No checkpoint stands on a snapshot that is not there as a whole.',
    wrong: ({ disk: { base, index } }) =>
      index.checkpoint !== null &&
      index.checkpoint.snapshotCut > 0 &&
      (base === null || endOf(base.cut).commitId !== index.checkpoint.snapshotCut),
  },
  {
    invariant: 'P5-I13',
    says: 'Before a halt is recorded, and before a node has stopped, all that was under way has ended.',
    wrong: ({ unheard }, snapshot) =>
      unheard.length > 0 && (snapshot === null || QUIET.some((state) => snapshot.matches({ halted: state }))),
  },
];

/** The first rule that does not hold, in words. */
export function brokenWorldRule(node: Settled | null, world: World): string | null {
  const broken = WORLD_RULES.find(({ wrong }) => wrong(world, node?.snapshot ?? null));
  return broken === undefined ? null : `${broken.invariant}: ${broken.says}`;
}
