/**
 * `replichart/testing`: what a host needs to generate its own tests from the machine that its nodes run. Nothing here starts a
 * node, reads a clock or a file; the same machine and the same bounds give the same states, paths and verdicts.
 * docs/TESTING.md has a tutorial, and says of every name what it is for.
 */

// The charts, and what a node knows.
export { charts, type ModelledChart } from './charts.ts';
export type { NodeContext, NodeInput } from '../../machines/context.ts';

// Alphabet and payloads.
export {
  alphabetOf,
  movesOf,
  unmatched,
  type ChartMove,
  type PayloadTable,
} from '../../machines/model/alphabet.ts';
export { CANNOT, type Bound, type Outcome } from '../../machines/model/outcome.ts';
export { LIES } from '../../machines/model/outcomes.ts';

// A chart as a pure function.
export {
  pureChart,
  runningIn,
  type Microstep,
  type Moment,
  type PureChart,
  type Running,
  type Settled,
} from '../../machines/model/pure-chart.ts';

// Exploration: of a chart, and of any model that a host builds around it.
export {
  explore,
  type Edge,
  type Graph,
  type Model,
  type Step,
  type Vertex,
} from '../../machines/model/graph.ts';
export {
  chartModel,
  futureOf,
  startsOf,
  type ChartModelOptions,
  type ChartState,
  type Move,
  type Start,
  type Taken,
} from '../../machines/model/chart-model.ts';
export { stranded } from '../../machines/model/reach.ts';

// Invariants: the rules, and the checks that look at them everywhere.
export { brokenRule, RULES, type Rule } from '../../machines/model/rules.ts';
export {
  checkChart,
  checkProduct,
  exploreChart,
  guardsAsked,
  lineOf,
  type ChartGraph,
  type ChartReport,
  type CheckOptions,
  type Counterexample,
  type GuardOutcomes,
  type ProductReport,
} from '../../machines/model/check.ts';
export type { ProductOptions } from '../../machines/model/product/product.ts';
export type { ProductBound } from '../../machines/model/product/world.ts';

// Paths, and the walking of a real system along them.
export { coveringPaths, nameOfPath, type PathStep, type TestPath } from '../../machines/model/paths.ts';
export { retraced, walk, WalkError, type Walker } from '../../machines/model/walk.ts';

// The port through which a test feeds a replica WAL of its own (`walSource` of `createReplica`).
export type { OpenedWal, WalChunk, WalSource, WalStream } from '../io/wal-source.ts';
