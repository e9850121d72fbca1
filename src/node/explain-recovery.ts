import type { Explanation } from '../core/explain/explanation.ts';
import { explainRecovery as explain } from '../core/explain/recovery.ts';
import type { NodeSnapshot } from './node-snapshot.ts';

/** How the last start of a node recovered, as its chart remembers it. */
export function explainRecovery({ context }: NodeSnapshot): Explanation {
  const { input, recordedHalt, survey, repair, applied } = context;
  const isThrough = input.role === 'primary' && applied !== null;
  return explain({
    role: input.role,
    bootstrap: input.bootstrap,
    recordedHalt,
    survey,
    repair: isThrough
      ? { discardedPartials: survey?.partials ?? [], discardedTail: null }
      : repair && { discardedPartials: repair.discardedPartials, discardedTail: repair.discardedTail },
  });
}
