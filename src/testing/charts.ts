import type { AnyStateMachine } from 'xstate';
import type { NodeInput } from '../../machines/context.ts';
import type { PayloadTable } from '../../machines/model/alphabet.ts';
import { nodeOutcomes, primaryOutcomes } from '../../machines/model/outcomes.ts';
import { nodeMachine } from '../../machines/node.ts';
import { primaryMachine } from '../../machines/primary.ts';

/** A production chart with what a model of it needs. */
export interface ModelledChart {
  readonly name: 'node' | 'primary';
  /** The role that a node of this chart is started in. */
  readonly role: NodeInput['role'];
  /** The very machine that a node runs. */
  readonly machine: AnyStateMachine;
  /** All the ways in which each of its effects may answer. */
  readonly table: PayloadTable;
}

/** The charts of this package: `node`, which a replica runs, and `primary`. */
export const charts: Readonly<Record<ModelledChart['name'], ModelledChart>> = {
  node: { name: 'node', role: 'replica', machine: nodeMachine as AnyStateMachine, table: nodeOutcomes },
  primary: {
    name: 'primary',
    role: 'primary',
    machine: primaryMachine as AnyStateMachine,
    table: primaryOutcomes,
  },
};
