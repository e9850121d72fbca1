/**
 * The node chart: the lifecycle of a replica, joined from one file per stage.
 *
 * Stage 1: a replica knows who it is and does nothing. Source: DESIGN 6.
 */
import { setup } from 'xstate';
import type { InvariantId } from '../src/core/invariants.ts';
import { replicationIsDisabled } from '../src/core/checks/identity.ts';
import { claim, guardsOf, prove } from './claims.ts';
import { initialContext, type NodeContext, type NodeEvent, type NodeInput } from './context.ts';
import {
  disabled,
  halted,
  initializing,
  MICROSTEPS_MAX,
  nodeWide,
  record,
  roleActions,
  roleActors,
  roleClaims,
  roleRoutes,
  stopped,
} from './1-role.ts';

export const nodeClaims = {
  ...roleClaims,
  'P5-I16 replicationIsDisabled': claim(replicationIsDisabled, ({ input }) => input),
};

const nodeSetup = setup({
  types: {
    context: {} as NodeContext,
    events: {} as NodeEvent,
    input: {} as NodeInput,
    meta: {} as { readonly invariants: readonly InvariantId[] },
  },
  actors: roleActors,
  guards: { ...guardsOf(nodeClaims), ...roleRoutes },
  actions: {
    ...roleActions,
    recordHalt: record((context, { rule }: { rule: keyof typeof nodeClaims }) => ({
      halt: nodeClaims[rule].halt(context),
    })),
  },
});

const role = initializing('provingDisabled');

export const nodeMachine = nodeSetup.createMachine({
  id: 'node',
  options: { maxIterations: MICROSTEPS_MAX },
  description: 'A replica. It may lag, it may never lie.',
  context: ({ input }) => initialContext(input),
  initial: 'initializing',
  on: nodeWide,
  states: {
    initializing: {
      ...role,
      states: {
        ...role.states,
        provingDisabled: prove(
          'P5-I16 replicationIsDisabled',
          '#node.disabled',
          '#node.halted.refusing',
          'Is replication switched off?',
        ),
      },
    },
    disabled,
    halted,
    stopped,
  },
});
