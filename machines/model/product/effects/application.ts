import type { validationActors } from '../../../3-validation.ts';
import type { applicationActors } from '../../../4-application.ts';
import { rangeOf, unitsOf, WRONG_UNITS } from '../../history.ts';
import { chainOf, checkpointOf, endOf, historyOf, proofOf, type Unit } from '../history.ts';
import { withDisk, withMemory } from '../world.ts';
import { tabled, type Effects } from './effect.ts';

/** So many units are proved, and then applied, at once. */
const UNITS_AT_ONCE = 2;

export const validationEffects: Effects<keyof typeof validationActors> = {
  validate: {
    answer: (world, input) => {
      const { from, receivedLsn } = input;
      const { wal, origin } = world.disk;
      const start = historyOf(from);
      if (start === null) return { asserts: 'a proof goes on from a position of this history' };
      if (from.lsn >= receivedLsn) return tabled('validate', 'proven', input, world);
      const place = start.length - origin.length;
      const wanted = Math.min(unitsOf({ lsn: receivedLsn }) - start.length, UNITS_AT_ONCE);
      const units = wal.slice(place, place + wanted);
      const { to, wrong } = proofOf(start, units);
      const facts = { from, to: chainOf(to) };
      if (wrong !== null) {
        const suspect = WRONG_UNITS[wrong](facts.to);
        return tabled('validate', wrong, input, world, { ...facts, suspect });
      }
      if (units.length < wanted)
        return tabled('validate', 'units are gone', input, world, { ...facts, incompleteLsn: facts.to.lsn });
      const behind = withMemory(world, { desk: [...world.memory.desk, { from: start, units }] });
      return tabled('validate', 'proven', input, behind, facts);
    },
  },
};

export const applicationEffects: Effects<keyof typeof applicationActors> = {
  apply: {
    answer: (world, { applied }) => {
      const [batch, ...desk] = world.memory.desk;
      const { holds, checkpoint } = world.disk.index;
      if (batch === undefined || checkpoint === null) return { asserts: 'what is applied was proved' };
      if (batch.from !== historyOf(applied))
        return { asserts: 'a batch is applied exactly after the last one' };
      const at = batch.units.at(-1)?.upTo ?? batch.from;
      const index = {
        holds: holds + batch.units.map(writtenAs).join(''),
        checkpoint: { at, snapshotCut: applied.snapshotCut },
      };
      return {
        outcome: 'applied',
        output: {
          range: rangeOf(endOf(batch.from), endOf(at)),
          checkpoint: checkpointOf(at, applied.snapshotCut),
        },
        world: withMemory(withDisk(world, { index }), { desk }),
      };
    },
  },
  boundary: { answer: (world, input) => tabled('boundary', 'reached', input, world) },
};

function writtenAs({ upTo, wrong }: Unit): string {
  return wrong === null ? upTo.slice(-1) : 'x';
}
