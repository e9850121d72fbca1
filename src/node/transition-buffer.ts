import type { Transition } from './transitions.ts';
import { unfailing } from './unfailing.ts';

const TRANSITIONS_MAX = 1024;

/** What a follower gets who stands behind some transition. */
export interface TransitionPage {
  readonly transitions: readonly Transition[];
  /** `null`, or the sequence of the oldest that is still held: what lies between it and the cursor is gone. */
  readonly missedBefore: number | null;
}

/**
 * The newest transitions of one run of a node, for followers who hold nothing but a cursor: the sequence of the last
 * transition that they have seen. Memory is bounded however slow they are, and whoever falls behind is told so.
 */
export class TransitionBuffer {
  /** Whose sequence it is: a cursor means nothing in another run. */
  readonly runId: string;
  readonly #held: Transition[] = [];
  readonly #transitionsMax: number;
  readonly #listeners = new Set<() => void>();
  #oldest = 1;
  #newest = 0;

  constructor(runId: string, transitionsMax: number = TRANSITIONS_MAX) {
    this.runId = runId;
    this.#transitionsMax = transitionsMax;
  }

  append(transition: Transition): void {
    const { sequence } = transition;
    // A number that was never appended is a gap as well, and everyone who stands before it is told.
    if (sequence !== this.#newest + 1) this.#oldest = sequence;
    this.#newest = sequence;
    this.#oldest = Math.max(this.#oldest, sequence - this.#transitionsMax + 1);
    this.#held[sequence % this.#transitionsMax] = transition;
    for (const listener of this.#listeners) listener();
  }

  /** Up to `limit` transitions after the cursor, the oldest first; 0 is the cursor of who has seen nothing. */
  read(afterSequence: number, limit: number): TransitionPage {
    const first = Math.max(afterSequence + 1, this.#oldest);
    const end = Math.min(this.#newest + 1, first + limit);
    const transitions: Transition[] = [];
    for (let at = first; at < end; at += 1) {
      const transition = this.#held[at % this.#transitionsMax];
      if (transition !== undefined) transitions.push(transition);
    }
    return { transitions, missedBefore: first > afterSequence + 1 ? first : null };
  }

  /** The sequence of the newest transition; 0 before the first. */
  newest(): number {
    return this.#newest;
  }

  /**
   * Calls the listener after every append; returns how to end that. The chart is then in the middle of a step: a
   * listener may read this buffer, and must not ask the node for its snapshot before it has given way.
   */
  changed(listener: () => void): () => void {
    const safe = unfailing('a follower of transitions', listener);
    this.#listeners.add(safe);
    return () => void this.#listeners.delete(safe);
  }
}
