import { fromPromise } from 'xstate';
import type { ApplicationFacts } from '../core/application.ts';
import { assertThat } from '../core/errors.ts';
import type { Checkpoint } from '../core/storage/checkpoint.ts';
import type { Fence } from '../io/fence.ts';
import type { Storage } from '../io/storage.ts';
import type { ProofDesk } from './validate.ts';

/** Applies the first batch that waits: its commits and the checkpoint after them, in one atomic batch. */
export function defineApplyActor(storage: () => Storage, fence: Fence, desk: ProofDesk) {
  return fromPromise<ApplicationFacts, { readonly applied: Checkpoint }>(async ({ input: { applied } }) => {
    const staged = desk.proven.shift();
    assertThat(staged !== undefined, 'what is applied was proved');
    const checkpoint = await fence.write(() => storage().applyStaged(staged, applied));
    const { batch } = staged;
    return { range: { from: batch.from, to: batch.to }, checkpoint };
  });
}

/**
 * The application boundary. Whoever waits for it was told when the chart entered it, and has been admitted by the time
 * this resolves.
 */
export function defineBoundaryActor() {
  return fromPromise<null, null>(() => Promise.resolve(null));
}
