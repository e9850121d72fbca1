import type { AnyStateMachine } from 'xstate';
import { stateNodes, transitionId, transitionsOf } from '../../machines/chart.ts';

export { eventOf, guardName, stateNodes, transitionsOf } from '../../machines/chart.ts';

/** The ids of all transitions that can be taken; the entry into a compound state is none. */
export function transitionNames(machine: AnyStateMachine): string[] {
  return stateNodes(machine).flatMap((node) => transitionsOf(node).map(transitionId));
}
