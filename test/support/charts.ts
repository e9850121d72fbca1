import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

export function stateNodes(machine: AnyStateMachine): AnyStateNode[] {
  const walk = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(walk)];
  return walk(machine.root);
}

/** Every transition that a state defines itself: on events, when effects end, and eventless ones. */
export function transitionsOf(node: AnyStateNode): AnyTransitionDefinition[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
}

/** A transition by a name that stays: state, event, and its place among the candidates. */
export function transitionNames(machine: AnyStateMachine): string[] {
  return stateNodes(machine).flatMap((node) => {
    const seen = new Map<string, number>();
    return transitionsOf(node).map((transition) => transitionName(transition, seen));
  });
}

export function transitionName(transition: AnyTransitionDefinition, seen: Map<string, number>): string {
  const event = eventOf(transition) === '' ? 'always' : eventOf(transition);
  const place = seen.get(event) ?? 0;
  seen.set(event, place + 1);
  return `${transition.source.id} -- ${event} [${place}]`;
}

export function eventOf(transition: AnyTransitionDefinition): string {
  return transition.eventType as string;
}

export function guardName(transition: AnyTransitionDefinition): string | null {
  const { guard } = transition;
  if (guard === undefined) return null;
  return typeof guard === 'string' ? guard : ((guard as { type?: string }).type ?? 'inline');
}
