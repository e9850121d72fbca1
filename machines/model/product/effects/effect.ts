import type { InputFrom } from 'xstate';
import type { nodeEffects } from '../../../node.ts';
import { nodeOutcomes } from '../../outcomes.ts';
import type { World } from '../world.ts';

/** An answer by its name in the payload table, and the world when it is given. */
export interface Answer {
  readonly outcome: string;
  readonly output: unknown;
  readonly world: World;
}

/** The effect finds that it was asked for what it must not do, and fails: its own assertion. */
export interface Refusal {
  readonly asserts: string;
}

/** The effect cannot do what it was asked for, and says so by failing. */
export interface Failure {
  readonly fails: string;
  readonly world: World;
}

/** A small model of a real effect: the same facts, found in this world. */
export interface Effect<Input> {
  /** `null`: it waits for something that is not there yet. */
  readonly answer: (world: World, input: Input) => Answer | Refusal | Failure | null;
  /** What else may be on disk where it ended in the middle, between two of its steps. */
  readonly halves?: (world: World, input: Input) => readonly World[];
}

type NodeEffects = typeof nodeEffects;
export type Effects<Name extends keyof NodeEffects = keyof NodeEffects> = {
  readonly [Source in Name]: Effect<InputFrom<NodeEffects[Source]>>;
};

/** The answer of the payload table to this input, with what is known better here. */
export function tabled(
  effect: keyof typeof nodeOutcomes,
  outcome: string,
  input: unknown,
  world: World,
  change: object = {},
): Answer {
  const answer = nodeOutcomes[effect][outcome] as
    ((input: unknown, bound: { units: number }) => unknown) | undefined;
  if (answer === undefined) throw new Error(`the payload table has no "${effect}: ${outcome}"`);
  const output = answer(input, { units: Infinity });
  const isRecord = typeof output === 'object' && output !== null;
  return { outcome, output: isRecord ? { ...output, ...change } : output, world };
}
