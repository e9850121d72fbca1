/**
 * The node chart: the lifecycle of a replica, joined from one file per stage.
 * Source: DESIGN 6.
 */
import { setup } from 'xstate';
import type { InvariantId } from '../src/core/invariants.ts';
import { guardsOf } from './claims.ts';
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
import {
  applicationActions,
  applicationActors,
  applicationClaims,
  applicationRoutes,
  applying,
} from './4-application.ts';
import {
  ingesting,
  ingressActions,
  ingressActors,
  ingressClaims,
  ingressRoutes,
  meeting,
} from './2-ingress.ts';
import {
  validating,
  validationActions,
  validationActors,
  validationClaims,
  validationRoutes,
} from './3-validation.ts';
import {
  bootstrapActions,
  bootstrapActors,
  bootstrapClaims,
  bootstrapping,
  bootstrapRoutes,
} from './5-bootstrap.ts';
import { recovering, recoveryActions, recoveryActors, recoveryClaims, recoveryRoutes } from './6-recovery.ts';
import { readGate, readGateClaims, readGateRoutes } from './7-read-gate.ts';

/** Every check of the chart, by the name that its guard has. */
export const nodeClaims = {
  ...roleClaims,
  ...ingressClaims,
  ...validationClaims,
  ...applicationClaims,
  ...bootstrapClaims,
  ...recoveryClaims,
  ...readGateClaims,
};

/** Every guard of the chart that is no check, by its name. */
export const nodeRoutes = {
  ...roleRoutes,
  ...ingressRoutes,
  ...validationRoutes,
  ...applicationRoutes,
  ...bootstrapRoutes,
  ...recoveryRoutes,
  ...readGateRoutes,
};

/** Every effect of the chart: what it is asked, and what it answers. */
export const nodeEffects = {
  ...roleActors,
  ...ingressActors,
  ...validationActors,
  ...applicationActors,
  ...bootstrapActors,
  ...recoveryActors,
};

const nodeSetup = setup({
  types: {
    context: {} as NodeContext,
    events: {} as NodeEvent,
    input: {} as NodeInput,
    meta: {} as { readonly invariants: readonly InvariantId[] },
  },
  actors: nodeEffects,
  guards: { ...guardsOf(nodeClaims), ...guardsOf(nodeRoutes) },
  actions: {
    ...roleActions,
    ...ingressActions,
    ...validationActions,
    ...applicationActions,
    ...bootstrapActions,
    ...recoveryActions,
    recordHalt: record((context, { rule }: { rule: keyof typeof nodeClaims }) => ({
      halt: nodeClaims[rule].halt(context),
    })),
  },
});

const role = initializing('routingReplication');

export const nodeMachine = nodeSetup.createMachine({
  id: 'node',
  options: { maxIterations: MICROSTEPS_MAX },
  description: 'A replica. It may lag, it may never lie.',
  context: ({ input }) => initialContext(input),
  initial: 'initializing',
  on: {
    ...nodeWide,
    'replica.attach': { description: 'there is something to attach only where ingress is detached' },
  },
  states: {
    initializing: {
      ...role,
      states: {
        ...role.states,
        routing: {
          description:
            'A node of a known cluster goes on; a new one asks its primary, unless replication is off.',
          meta: { invariants: ['P5-I1', 'P5-I16'] },
          always: [
            { guard: 'route clusterIsKnown', target: 'readingHalt' },
            { guard: 'route replicationIsEnabled', target: 'meetingPrimary' },
            { guard: 'route identityIsPresent', target: 'readingHalt' },
            { target: 'claiming' },
          ],
        },
        ...meeting,
        routingReplication: {
          description: 'Replication is off unless it was asked for.',
          meta: { invariants: ['P5-I16'] },
          always: [
            { guard: 'route replicationIsEnabled', target: '#node.recovering' },
            { target: '#node.disabled' },
          ],
        },
      },
    },
    disabled,
    recovering,
    bootstrapping,
    replicating: {
      description: 'Following the primary.',
      meta: { invariants: ['P5-I4', 'P5-I10', 'P5-I13'] },
      type: 'parallel',
      states: { ingesting, validating, applying, readGate },
    },
    halted,
    stopped,
  },
});
