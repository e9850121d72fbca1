import { matchesState } from 'xstate';
import type { InvariantId } from '../../../src/core/invariants.ts';
import type { NodeContext } from '../../context.ts';
import type { Microstep, Moment, Settled } from '../pure-chart.ts';

/** Looks at one step; says what is wrong with it, or `null`. */
export interface Rule {
  /** An invariant of this project; a host that brings rules of its own names them as it likes. */
  readonly invariant: string;
  readonly says: string;
  /** Holds only where effects answer what they were asked. */
  readonly trusts?: true;
  /** After every microstep. */
  readonly ofStep?: (step: Microstep) => string | null;
  /** When the chart has come to rest after what happened. */
  readonly ofRest?: (settled: Settled, move: string) => string | null;
}

type State = Parameters<typeof matchesState>[0];

export const is = (moment: Moment, state: State): boolean => matchesState(state, moment.value);

/** Whether a step leads into a state that it did not begin in. */
export const enters = ({ before, after }: Pick<Microstep, 'before' | 'after'>, state: State): boolean =>
  is(after, state) && !is(before, state);

export const rule = (
  invariant: InvariantId,
  says: string,
  looks: Omit<Rule, 'invariant' | 'says'>,
): Rule => ({
  invariant,
  says,
  ...looks,
});

/** A rule of single states, wherever they come from. */
export const always = (invariant: InvariantId, says: string, wrong: (moment: Moment) => boolean): Rule =>
  rule(invariant, says, { ofStep: ({ after }) => (wrong(after) ? positionsOf(after.context) : null) });

export function positionsOf({ receivedLsn, validated, applied, inFlight, proven }: NodeContext): string {
  const range = (one: { from: { lsn: number }; to: { lsn: number } }) => `${one.from.lsn}-${one.to.lsn}`;
  const at = (one: { readonly lsn: number } | null) => one?.lsn ?? 'unknown';
  return [
    `received ${receivedLsn ?? 'unknown'}`,
    `validated ${at(validated)}`,
    `applied ${at(applied)}`,
    `in flight ${inFlight === null ? 'nothing' : range(inFlight)}`,
    `proven ${proven.map(range).join(' ') || 'nothing'}`,
  ].join(', ');
}
