/** `replichart machine paths`, behind its command line. */
import type { ChartName } from '../../../machines/charts.ts';
import { charts, coveringPaths, exploreChart, lineOf } from '../../testing/index.ts';

export interface ShownPaths {
  readonly chart: ChartName;
  /** How many units of WAL there are in all. */
  readonly units: number;
  readonly paths: readonly ShownPath[];
}

interface ShownPath {
  readonly start: string;
  /** What the configuration of the node says. */
  readonly input: object;
  /** Where the chart rests before anything has happened. */
  readonly state: string;
  readonly moves: readonly ShownMove[];
}

interface ShownMove {
  readonly move: string;
  /** The type of the event that the chart is told. */
  readonly event: string;
  /** The effect that ends, and its answer: `null` for a failure, and for what comes from outside. */
  readonly effect: string | null;
  readonly outcome: string | null;
  /** Where the chart rests afterwards. */
  readonly state: string;
  readonly transitions: readonly string[];
}

/** Enough for every transition: one unit waits, one is in flight, one is being proven. */
const UNITS = 3;

export function pathsOf(name: ChartName): ShownPaths {
  const { machine, role } = charts[name];
  const paths = coveringPaths(exploreChart(machine, role, { units: UNITS }));
  return {
    chart: name,
    units: UNITS,
    paths: paths.map(({ start, snapshot, steps }) => ({
      start: start.name,
      input: start.input,
      state: lineOf(snapshot),
      moves: steps.map(({ move, snapshot: rests, transitions }) => ({
        move: move.name,
        event: move.event.type,
        effect: move.effect,
        outcome: move.outcome,
        state: lineOf(rests),
        transitions,
      })),
    })),
  };
}

export function pathsText({ chart, paths }: ShownPaths): string {
  const taken = new Set(paths.flatMap(({ moves }) => moves.flatMap(({ transitions }) => transitions)));
  return [
    `${paths.length} paths through the ${chart} chart; together they take ${taken.size} transitions`,
    ...paths.map(({ start, state, moves }, index) =>
      [
        `path ${index + 1}: ${start}  → ${state}`,
        ...moves.map(({ move, state: rests }, at) => `  ${at + 1}. ${move}  → ${rests}`),
      ].join('\n'),
    ),
  ].join('\n\n');
}
