import type { AnyActorRef, AnyStateMachine } from 'xstate';

type Scope = Parameters<AnyStateMachine['transition']>[2];

const nothing = () => undefined;

/**
 * What a machine needs of an actor to compute its next state, and nothing that would happen: actors are made, and neither
 * started nor stopped, and no action is run. The system of `self` tells of every microstep.
 */
export function inertScope(self: AnyActorRef): Scope {
  return {
    self: self as Scope['self'],
    id: self.id,
    sessionId: self.sessionId,
    system: self.system,
    logger: nothing,
    defer: nothing,
    emit: nothing,
    stopChild: nothing,
    actionExecutor: nothing,
  };
}
