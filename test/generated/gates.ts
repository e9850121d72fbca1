import {
  createActor,
  fromPromise,
  toPromise,
  type AnyActorLogic,
  type AnyActorScope,
  type Snapshot,
} from 'xstate';
import type { WrapEffect } from '../../src/node/effects.ts';

/** What an effect answers in place of its own answer: made from nothing, or from what the real effect answered. */
export type Instead =
  | { readonly answer: () => Promise<unknown> }
  /** The real effect runs, and its answer is altered on the way to the chart. */
  | { readonly alter: (output: never) => unknown };

interface Waiting {
  readonly isWanted: () => boolean;
  readonly run: (instead?: Instead) => void;
}

/** An effect as the chart has started it. */
type Started = Snapshot<unknown> & { readonly input: unknown };

/**
 * A gate before every effect: the chart starts it, and its work begins only when the path says that it answers. Then the
 * real effect runs, and its real answer goes into the chart.
 */
export class Gates {
  readonly #waiting = new Map<string, Waiting>();
  #areFree = false;

  readonly wrap: WrapEffect = (name, effect) => ({
    ...effect,
    start: (state: Started, scope: AnyActorScope) => {
      const run = (instead?: Instead) => {
        const logic = instead === undefined ? effect : replaced(effect, state, instead);
        logic.start?.(state, scope);
      };
      const isWanted = () => (scope.self.getSnapshot() as Snapshot<unknown>).status === 'active';
      if (this.#areFree) run();
      else this.#waiting.set(name, { isWanted, run });
    },
  });

  /** The effects that were started and wait. */
  get waiting(): readonly string[] {
    return [...this.#waiting].filter(([, { isWanted }]) => isWanted()).map(([name]) => name);
  }

  open(name: string, instead?: Instead): void {
    const found = this.#waiting.get(name);
    if (!found?.isWanted()) throw new Error(`${name} does not wait; ${this.waiting.join(', ')} do`);
    this.#waiting.delete(name);
    found.run(instead);
  }

  /** From here on every effect runs as it does in production. */
  free(): void {
    this.#areFree = true;
    for (const name of this.waiting) this.open(name);
  }
}

function replaced(effect: AnyActorLogic, state: Started, instead: Instead): AnyActorLogic {
  if ('answer' in instead) return fromPromise(instead.answer);
  return fromPromise(async () => {
    const real = createActor(effect, { input: state.input }).start();
    return instead.alter((await toPromise(real)) as never);
  });
}
