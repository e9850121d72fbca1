/** What must hold of chart, disk and primary together, in every state: the invariants in the words of what is really there. */
import type { AnyMachineSnapshot } from 'xstate';
import type { InvariantId } from '../../../src/core/invariants.ts';
import type { NodeContext } from '../../context.ts';
import { UNIT_BYTES } from '../history.ts';
import type { Settled } from '../pure-chart.ts';
import { COMMON_UNITS, positionIn, type Unit, type World } from './world.ts';

interface WorldRule {
  readonly invariant: InvariantId;
  readonly says: string;
  readonly wrong: (world: World, snapshot: AnyMachineSnapshot | null, lied: boolean) => boolean;
}

const contextOf = (snapshot: AnyMachineSnapshot) => snapshot.context as NodeContext;

/** Whether units are a stretch of one history that a primary once had durably. */
function wereWritten(units: readonly Unit[], from: number, { primary: { written } }: World): boolean {
  const histories = new Set(
    units.filter(({ number }) => number > COMMON_UNITS).map(({ history }) => history),
  );
  return (
    histories.size <= 1 &&
    units.every(
      ({ number, history, wrong }, index) =>
        wrong === null &&
        number === from + index + 1 &&
        number <= Math.max(written[history], history === 0 ? 0 : COMMON_UNITS),
    )
  );
}

export const WORLD_RULES: readonly WorldRule[] = [
  {
    invariant: 'P5-I4',
    says: 'What is applied is a prefix of a history that the primary had durably, each unit as it wrote it.',
    wrong: (world) => world.disk.index !== null && !wereWritten(world.disk.index.units, 0, world),
  },
  {
    invariant: 'P5-I11',
    says: 'The checkpoint stands exactly behind what the index holds.',
    wrong: ({ disk: { index } }) => index !== null && index.checkpoint.units !== index.units.length,
  },
  {
    invariant: 'P5-I4',
    says: 'The index is never ahead of the WAL, and every unit stands in its place.',
    wrong: ({ disk: { index, wal, walFrom } }) =>
      wal.some(({ number }, place) => number !== walFrom + place + 1) ||
      (index !== null && index.checkpoint.units > walFrom + wal.length),
  },
  {
    invariant: 'P5-I6',
    says: 'Nothing is received that the primary did not hold durably.',
    wrong: ({ primary, disk: { wal } }) =>
      wal.some(({ number, history }) => number > Math.max(...primary.written) && history >= 0),
  },
  {
    invariant: 'P5-I12',
    says: 'While the gate is open, a read sees exactly what is applied, and no halt waits.',
    wrong: ({ disk }, snapshot) => {
      if (snapshot === null || !snapshot.matches({ replicating: { readGate: 'open' } })) return false;
      const { applied } = contextOf(snapshot);
      const last = disk.index?.checkpoint;
      if (applied === null || last === undefined || disk.halt !== null) return true;
      return (
        last.units * UNIT_BYTES !== applied.lsn ||
        positionIn(last.units, last.history).historyHash !== applied.historyHash
      );
    },
  },
  {
    invariant: 'P5-I10',
    says: 'A halt is recorded, and no node works on over a record.',
    wrong: ({ disk }, snapshot) => {
      if (snapshot === null) return false;
      if (snapshot.matches({ halted: 'resting' }))
        return disk.halt === null && contextOf(snapshot).haltRecordFault === null;
      return (snapshot.matches('replicating') || snapshot.matches('bootstrapping')) && disk.halt !== null;
    },
  },
  {
    invariant: 'P5-I8',
    says: 'While a node bootstraps there is nothing to read: no checkpoint before the whole cut is there.',
    wrong: ({ disk }) =>
      disk.index !== null &&
      disk.index.checkpoint.snapshotCut > 0 &&
      disk.base !== disk.index.checkpoint.snapshotCut,
  },
];

/** The first rule that does not hold, in words. */
export function brokenWorldRule(node: Settled | null, world: World, lied: boolean): string | null {
  const broken = WORLD_RULES.find(({ wrong }) => wrong(world, node?.snapshot ?? null, lied));
  return broken === undefined ? null : `${broken.invariant}: ${broken.says}`;
}
