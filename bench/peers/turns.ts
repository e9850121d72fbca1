import { medianOf, rounded } from '../../src/bench/statistics.ts';
import type { Bootstrap, CatchUp, CommitRate, Lag } from './contestant.ts';

/** What is measured, by the goals of the project. */
export const GOALS = ['P1', 'P2', 'P3', 'P4', 'P5'] as const;
export type GoalId = (typeof GOALS)[number];

/** What one contestant did in one round; `null` for what was not asked for. */
export interface Turn {
  readonly round: number;
  readonly contestant: string;
  readonly catch_up: CatchUp | null;
  readonly bootstrap: Bootstrap | null;
  readonly lag: Lag | null;
}

export interface Rate extends CommitRate {
  readonly contestant: string;
}

export const OURS = 'replichart';

/** One figure of a turn; `null` where it was not taken. */
export type Figure = (turn: Turn) => number | null;

/** One figure over all rounds of a contestant, and what it is to that of Replichart in the same round. */
export interface Comparison {
  readonly contestant: string;
  readonly median: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** The figure of Replichart by that of the contestant; of Replichart itself there is none. */
  readonly ratio: { readonly median: number | null; readonly rounds: readonly number[] };
}

export function compare(turns: readonly Turn[], figure: Figure): readonly Comparison[] {
  return [...new Set(turns.map(({ contestant }) => contestant))]
    .sort()
    .map((contestant) => comparisonOf(contestant, turns, figure))
    .filter(({ median }) => median !== null);
}

function comparisonOf(contestant: string, turns: readonly Turn[], figure: Figure): Comparison {
  const values = turns.filter((turn) => turn.contestant === contestant).flatMap((turn) => figure(turn) ?? []);
  const ratios = contestant === OURS ? [] : ratiosTo(contestant, turns, figure);
  return {
    contestant,
    median: medianOf(values),
    min: values.length === 0 ? null : Math.min(...values),
    max: values.length === 0 ? null : Math.max(...values),
    ratio: { median: medianOf(ratios), rounds: ratios },
  };
}

/** Within a round only: what else the machine does changes from one to the next. */
function ratiosTo(contestant: string, turns: readonly Turn[], figure: Figure): readonly number[] {
  return [...new Set(turns.map(({ round }) => round))].flatMap((round) => {
    const valueOf = (name: string) => {
      const turn = turns.find((one) => one.round === round && one.contestant === name);
      return turn === undefined ? null : figure(turn);
    };
    const [ours, theirs] = [valueOf(OURS), valueOf(contestant)];
    return ours === null || theirs === null || theirs === 0 ? [] : [rounded(ours / theirs)];
  });
}
