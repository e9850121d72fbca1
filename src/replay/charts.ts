import type { AnyStateMachine } from 'xstate';
import type { Claim } from '../../machines/claims.ts';
import { nodeClaims, nodeMachine } from '../../machines/node.ts';
import { primaryClaims, primaryMachine } from '../../machines/primary.ts';

/** A machine, and the claims that its guards are made of. */
export interface ReplayedChart {
  readonly machine: AnyStateMachine;
  readonly claims: Readonly<Record<string, Claim>>;
}

/** The machines that nodes run, by the name that a journal gives them. No effect is ever provided to them here. */
export const PRODUCTION_CHARTS: Readonly<Record<'node' | 'primary', ReplayedChart>> = {
  node: { machine: nodeMachine, claims: nodeClaims },
  primary: { machine: primaryMachine, claims: primaryClaims },
};
