/** What the effects of a replica do to its world, and what they answer: small models of the real ones, with the same facts. */
import { applicationEffects, validationEffects } from './effects/application.ts';
import { bootstrapEffects } from './effects/bootstrap.ts';
import type { Answer, Effect, Effects, Failure, Refusal } from './effects/effect.ts';
import { ingressEffects } from './effects/ingress.ts';
import { recoveryEffects } from './effects/recovery.ts';
import { roleEffects } from './effects/role.ts';
import type { Running } from '../pure-chart.ts';
import type { World } from './world.ts';

export const effects: Effects = {
  ...roleEffects,
  ...ingressEffects,
  ...validationEffects,
  ...applicationEffects,
  ...bootstrapEffects,
  ...recoveryEffects,
};

/** What an effect under way comes to in this world; `null` where it waits. */
export function comesTo(
  parts: Effects,
  { src, input }: Running,
  world: World,
): Answer | Refusal | Failure | null {
  return effectOf(parts, src).answer(world, input);
}

/** What an effect may leave behind that did not end by itself: in the middle, or with all done and not said. */
export function leftBy(
  parts: Effects,
  running: Running,
  world: World,
): { readonly halves: readonly World[]; readonly done: World | null } {
  const halves = effectOf(parts, running.src).halves?.(world, running.input) ?? [];
  const end = comesTo(parts, running, world);
  return { halves, done: end === null || 'asserts' in end || end.world === world ? null : end.world };
}

function effectOf(parts: Effects, src: string): Effect<unknown> {
  const effect = (parts as Readonly<Record<string, Effect<never> | undefined>>)[src];
  if (effect === undefined) throw new Error(`the product has no effect "${src}"`);
  return effect as Effect<unknown>;
}
