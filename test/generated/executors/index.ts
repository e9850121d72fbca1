import type { nodeEffects } from '../../../machines/node.ts';
import type { primaryEffects } from '../../../machines/primary.ts';
import type { PayloadTable } from '../../../machines/model/alphabet.ts';
import { applicationExecutors } from './application.ts';
import { bootstrapExecutors } from './bootstrap.ts';
import { seamThrows, type EffectExecutors } from './executor.ts';
import { ingressExecutors } from './ingress.ts';
import { primaryRecoveryExecutors, recoveryExecutors } from './recovery.ts';
import { roleExecutors } from './role.ts';
import { validationExecutors } from './validation.ts';

/** Every effect of a replica; one that is missing does not compile, an outcome that is missing fails `missingFrom`. */
export const replicaExecutors: Record<keyof typeof nodeEffects, EffectExecutors> = {
  ...roleExecutors,
  ...ingressExecutors,
  ...validationExecutors,
  ...applicationExecutors,
  ...bootstrapExecutors,
  ...recoveryExecutors,
};

/** A primary founds its cluster: it is never without one. */
const { 'of this node, which met no primary yet': _, ...withoutUnbound } =
  roleExecutors.readIdentity.outcomes;

export const primaryExecutors: Record<keyof typeof primaryEffects, EffectExecutors> = {
  ...roleExecutors,
  release: {
    ...roleExecutors.release,
    fails: seamThrows('closing files of which none is open cannot fail, and a primary has no source'),
  },
  surveyDisk: primaryRecoveryExecutors.surveyDisk,
  repairPrimary: primaryRecoveryExecutors.repairPrimary,
  readIdentity: {
    ...roleExecutors.readIdentity,
    outcomes: withoutUnbound,
  },
};

export type Executors = Readonly<Record<string, EffectExecutors>>;

/** Outcomes of the model that nobody causes, and such as are caused and the model does not know. */
export function missingFrom(executors: Executors, table: PayloadTable): readonly string[] {
  const [caused, known] = [
    namesOf(executors, ({ outcomes }) => outcomes),
    namesOf(table, (outcomes) => outcomes),
  ];
  return [
    ...known.filter((name) => !caused.includes(name)).map((name) => `nobody causes "${name}"`),
    ...caused.filter((name) => !known.includes(name)).map((name) => `the model does not know "${name}"`),
  ];
}

function namesOf<Of>(table: Readonly<Record<string, Of>>, outcomesOf: (of: Of) => object): string[] {
  return Object.entries(table).flatMap(([effect, of]) =>
    Object.keys(outcomesOf(of)).map((outcome) => `${effect}: ${outcome}`),
  );
}

/** Every outcome that the world alone does not cause, and why: `place`, name, reason. */
export function notByTheWorld(executors: Executors): readonly string[] {
  const all = Object.entries(executors).flatMap(([effect, { outcomes, fails }]) => [
    ...Object.entries(outcomes).map(([outcome, one]) => [`${effect}: ${outcome}`, one] as const),
    [`${effect} fails`, fails] as const,
  ]);
  return all
    .filter(([, { place }]) => place !== 'world')
    .map(([name, { place, why }]) => `${place}: ${name} (${why})`)
    .sort();
}
