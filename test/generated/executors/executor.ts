import type { AnyMachineSnapshot } from 'xstate';
import type { NodeContext } from '../../../machines/context.ts';
import type { Instead } from '../gates.ts';
import type { World } from '../world.ts';

/**
 * Where an outcome is caused. `world`: files, connections and primaries are as they must be, and the real effect finds
 * them so. `peer`: a primary, or the way to it, lies. `source`: the port of a host's own source says it. `seam`: nothing
 * outside the effect can cause it, so the answer is given in its place.
 */
export type Place = 'world' | 'peer' | 'source' | 'seam';

export interface Executor {
  readonly place: Place;
  /** Why it is not caused nearer to the world; empty for `world`. */
  readonly why: string;
  /** Causes the outcome before the effect begins; may say what is answered instead, and what happens while it works. */
  readonly cause: (world: World, context: NodeContext) => Promise<Instead | undefined | void>;
  /** Happens once the effect is at work. */
  readonly meanwhile?: (world: World) => Promise<void>;
}

/** The ways in which one effect ends: each answer by its name, and its failure. */
export interface EffectExecutors {
  readonly outcomes: Readonly<Record<string, Executor>>;
  readonly fails: Executor;
}

type Cause = Executor['cause'];

export const nothing: Cause = async () => undefined;
export const world = (cause: Cause = nothing): Executor => ({ place: 'world', why: '', cause });
export const peer = (why: string, cause: Cause): Executor => ({ place: 'peer', why, cause });
export const source = (why: string, cause: Cause): Executor => ({ place: 'source', why, cause });
export const seam = (why: string, cause: Cause): Executor => ({ place: 'seam', why, cause });

/** The effect does not begin at all, and fails as a disk does. */
export const seamThrows = (why: string): Executor =>
  seam(why, async () => ({ answer: () => Promise.reject(injected()) }));

export const seamAnswers = (why: string, answer: (world: World, context: NodeContext) => unknown): Executor =>
  seam(why, async (one, context) => ({ answer: async () => answer(one, context) }));

export function injected(): Error {
  return Object.assign(new Error('EIO: injected'), { code: 'EIO' });
}

export type Snapshot = AnyMachineSnapshot & { readonly context: NodeContext };
