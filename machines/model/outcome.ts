import type { InputFrom, OutputFrom } from 'xstate';

/** Said where an effect cannot answer so: `null` is an answer of some. */
export const CANNOT: unique symbol = Symbol('cannot');

/** The answer that an effect gives to what it was asked. */
export type Outcome<Input, Output> = (input: Input, bound: Bound) => Output | typeof CANNOT;

export interface Bound {
  /** How many units of WAL there are in all. */
  readonly units: number;
}

/** All the ways in which each of some effects may answer, by name. */
export type Outcomes<Effects> = {
  readonly [Name in keyof Effects]: Readonly<
    Record<string, Outcome<InputFrom<Effects[Name]>, OutputFrom<Effects[Name]>>>
  >;
};
