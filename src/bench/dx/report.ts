import { medianOf, rounded, summaryOf } from '../statistics.ts';
import type { Goal, Measured, TitledTable } from '../workload.ts';
import type { Samples } from './asking.ts';
import { QUESTIONS } from './questions.ts';
import type { Window } from './windows.ts';

/** The goal of the DX plane: a node under load answers DX questions in less than this, by the median. */
const MEDIAN_MILLISECONDS = 10;

interface Taken {
  readonly workload: object;
  readonly windows: readonly Window[];
  /** By connections a node. */
  readonly samples: ReadonlyMap<number, Samples>;
  readonly nodes: readonly string[];
}

type Time = ReturnType<typeof timesOf>[number];
type Cost = ReturnType<typeof costOf>;

export function measuredOf({ workload, windows, samples, nodes }: Taken): Measured {
  const asking = [...samples.keys()].filter((connections) => connections > 0);
  const times = asking.flatMap((connections) => timesOf(connections, samples.get(connections), nodes));
  const costs = asking.map((connections) => costOf(connections, windows));
  return {
    goals: asking.map((connections) => goalOf(connections, times)),
    figures: { workload, windows, costs, milliseconds: times },
    tables: [
      loadTable(windows),
      costTable(costs),
      ...asking.map((connections) => timesTable(connections, times)),
    ],
  };
}

function timesOf(connections: number, samples: Samples | undefined, nodes: readonly string[]) {
  return nodes.flatMap((node) =>
    QUESTIONS.flatMap(({ name, path }) => {
      const summary = summaryOf(samples?.of(node, name) ?? []);
      return summary === null
        ? []
        : [{ node, connections_per_node: connections, question: name, path, ...summary }];
    }),
  );
}

/** What asking takes from the load, each round against its own window in which nobody asked. */
function costOf(connections: number, windows: readonly Window[]) {
  const of = (round: number, asking: number) =>
    windows.find((one) => one.round === round && one.connections_per_node === asking)?.commits_per_second;
  const rounds = [...new Set(windows.map(({ round }) => round))];
  const ratios = rounds.flatMap((round) => {
    const [quiet, asked] = [of(round, 0), of(round, connections)];
    return quiet === undefined || asked === undefined || quiet === 0 ? [] : [rounded(asked / quiet)];
  });
  const asks = windows
    .filter((one) => one.connections_per_node === connections)
    .map((one) => one.asks_per_second);
  return {
    connections_per_node: connections,
    asks_per_second: medianOf(asks),
    commits_kept: { median: medianOf(ratios), rounds: ratios },
  };
}

function goalOf(connections: number, times: readonly Time[]): Goal {
  const asked = times.filter((one) => one.connections_per_node === connections);
  const missed = asked.filter(({ median }) => median >= MEDIAN_MILLISECONDS);
  const slowest = [...asked].sort((a, b) => b.median - a.median)[0];
  const worst =
    slowest === undefined
      ? 'nothing was asked'
      : `the slowest median is ${slowest.median} ms: ${slowest.question} on the ${slowest.node}`;
  return {
    id: `dx-median-${connections}`,
    goal: `under load, every DX question has a median below ${MEDIAN_MILLISECONDS} ms on both nodes, ${connections} asking a node`,
    met: asked.length > 0 && missed.length === 0,
    found: missed.length === 0 ? worst : `${missed.length} of ${asked.length} are not below; ${worst}`,
  };
}

function loadTable(windows: readonly Window[]): TitledTable {
  return {
    title: 'the load, window by window',
    head: ['round', 'asking a node', 'seconds', 'commits/s', 'asks/s', 'lag, commits', 'lag, bytes'],
    rows: windows.map((one) => [
      one.round,
      one.connections_per_node,
      one.seconds,
      one.commits_per_second,
      one.asks_per_second,
      one.lag_commits,
      one.lag_bytes,
    ]),
  };
}

function costTable(costs: readonly Cost[]): TitledTable {
  return {
    title: 'what asking costs: commits/s with asking by commits/s without, of the same round',
    head: ['asking a node', 'asks/s', 'median of the rounds', 'each round'],
    rows: costs.map(({ connections_per_node: connections, asks_per_second: asks, commits_kept: kept }) => [
      connections,
      asks,
      kept.median,
      kept.rounds.join(', '),
    ]),
  };
}

function timesTable(connections: number, times: readonly Time[]): TitledTable {
  return {
    title: `milliseconds to the end of an answer, ${connections} asking a node`,
    head: ['node', 'question', 'asked', 'min', 'median', 'p90', 'p99', 'max'],
    rows: times
      .filter((one) => one.connections_per_node === connections)
      .map(({ node, question, count, min, median, p90, p99, max }) => [
        node,
        question,
        count,
        min,
        median,
        p90,
        p99,
        max,
      ]),
  };
}
