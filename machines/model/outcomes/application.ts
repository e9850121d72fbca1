import type { InputFrom } from 'xstate';
import type { Position } from '../../../src/core/position.ts';
import type { validationActors } from '../../3-validation.ts';
import type { applicationActors } from '../../4-application.ts';
import {
  chainAfter,
  chainBehind,
  checkpointAfter,
  positionAfter,
  rangeOf,
  unitsOf,
  WRONG_UNITS,
  type WrongUnit,
} from '../history.ts';
import { CANNOT, type Outcomes } from '../outcome.ts';

type ValidateInput = InputFrom<(typeof validationActors)['validate']>;
const suspect =
  (wrong: WrongUnit) =>
  ({ from }: ValidateInput) => ({ from, to: from, suspect: WRONG_UNITS[wrong](from), incompleteLsn: null });

export const validationOutcomes: Outcomes<typeof validationActors> = {
  validate: {
    proven: ({ from, receivedLsn }) => ({
      from,
      to: from.lsn < receivedLsn ? chainBehind(from) : from,
      suspect: null,
      incompleteLsn: null,
    }),
    'units are gone': ({ from }) => ({ from, to: from, suspect: null, incompleteLsn: from.lsn }),
    'not framed': suspect('not framed'),
    'checksum does not match': suspect('checksum does not match'),
    'of another cluster': suspect('of another cluster'),
    'at another place': suspect('at another place'),
    'of another history': suspect('of another history'),
    'commit ids are not dense': suspect('commit ids are not dense'),
    'payload is malformed': suspect('payload is malformed'),
    'a piece that does not follow': ({ from }) => ({
      from: chainBehind(from),
      to: chainBehind(chainBehind(from)),
      suspect: null,
      incompleteLsn: null,
    }),
    'an end before what was proven': ({ from }) =>
      from.lsn === 0
        ? CANNOT
        : {
            from,
            to: { ...chainAfter(unitsOf(from) - 1), clusterId: from.clusterId },
            suspect: null,
            incompleteLsn: null,
          },
  },
};

export const applicationOutcomes: Outcomes<typeof applicationActors> = {
  apply: {
    applied: ({ applied }) => applying(applied, unitsOf(applied) + 1),
    'with a checkpoint elsewhere': ({ applied }) => applying(applied, unitsOf(applied) + 2),
  },
  boundary: { reached: () => null },
};

function applying(applied: Position & { readonly snapshotCut: number }, units: number) {
  const range = rangeOf(applied, positionAfter(unitsOf(applied) + 1));
  return { range, checkpoint: checkpointAfter(units, applied.snapshotCut) };
}
