/**
 * The payload table: for every effect of the charts, all the ways in which it may answer, by name. The answers are facts
 * as the effect itself gives them; an effect that is missing here does not compile, and an event of the chart without an
 * entry stops the exploration.
 */
import type { nodeEffects } from '../node.ts';
import type { primaryEffects } from '../primary.ts';
import type { Outcomes } from './outcome.ts';
import { applicationOutcomes, validationOutcomes } from './outcomes/application.ts';
import { bootstrapOutcomes } from './outcomes/bootstrap.ts';
import { ingressOutcomes } from './outcomes/ingress.ts';
import { primaryRecoveryOutcomes, recoveryOutcomes } from './outcomes/recovery.ts';
import { roleOutcomes } from './outcomes/role.ts';

/** Answers to something that was not asked: bugs of an effect, which nothing but the chart is there to notice. */
export const LIES: readonly string[] = [
  'validate: a piece that does not follow',
  'validate: an end before what was proven',
  'apply: with a checkpoint elsewhere',
  'installSnapshot: with a checkpoint elsewhere',
];

export const nodeOutcomes: Outcomes<typeof nodeEffects> = {
  ...roleOutcomes('replica'),
  ...ingressOutcomes,
  ...validationOutcomes,
  ...applicationOutcomes,
  ...bootstrapOutcomes,
  ...recoveryOutcomes,
};

export const primaryOutcomes: Outcomes<typeof primaryEffects> = {
  ...roleOutcomes('primary'),
  ...primaryRecoveryOutcomes,
};
