import type { AnyActorLogic } from 'xstate';

/** Makes of an effect of the chart another that answers in its place: the same facts, when and how the host says so. */
export type WrapEffect = (name: string, effect: AnyActorLogic) => AnyActorLogic;

/** Every effect as the host wraps it; without a host's own wrapping, as it is. */
export function wrappedEffects<Effects extends Readonly<Record<string, AnyActorLogic>>>(
  effects: Effects,
  wrap: WrapEffect | undefined,
): Effects {
  if (wrap === undefined) return effects;
  const wrapped = Object.entries(effects).map(([name, effect]) => [name, wrap(name, effect)]);
  return Object.fromEntries(wrapped) as Effects;
}
