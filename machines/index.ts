/**
 * `replichart/machine`: the charts that nodes run, for hosts who inspect them, draw them, or run them with effects of their own
 * (`machine.provide({ actors })`). Every effect in them answers `not provided` until it is. Nothing here does any I/O.
 */
export { nodeMachine as replicaMachine, nodeClaims, nodeEffects, nodeRoutes } from './node.ts';
export { primaryMachine, primaryClaims } from './primary.ts';
export { chartOf, type Chart, type ChartState, type ChartTransition } from './chart.ts';
export { candidatesOf, type Candidate, type ChartMoment } from './candidates.ts';
export { replicaState, type ReplicaState } from './replica-state.ts';
export type { Claim, Route } from './claims.ts';
export type { NodeContext, NodeEvent, NodeInput } from './context.ts';
