/** When effects begin, and where a node waits for somebody else: P5-I4, P5-I5, P5-I8 and P5-I13. */
import type { matchesState } from 'xstate';
import type { NodeContext } from '../../context.ts';
import type { Moment } from '../pure-chart.ts';
import { enters, is, positionsOf, rule, type Rule } from './rule.ts';

/** The answers that leave a node without a stream, or without a snapshot, and speak against nothing. */
const DETACHING = new Set([
  'attach: refused: pruned',
  'attach: unreachable',
  'receive: the end',
  'fetchSnapshot: none',
  'fetchSnapshot: refused',
  'fetchSnapshot: unreachable',
  'probeResume: refused for now',
  'probeResume: unreachable',
]);

export const EFFECT_RULES: readonly Rule[] = [
  rule('P5-I5', 'A stream is asked for only where all that was received is proven.', {
    ofStep: ({ before, after }) => {
      const attaching = { replicating: { ingesting: 'attaching' } };
      if (is(before, attaching) || !is(after, attaching)) return null;
      return after.context.validated?.lsn === after.context.receivedLsn ? null : positionsOf(after.context);
    },
  }),
  rule('P5-I13', 'An effect begins only where there is work for it, and no more of it than memory holds.', {
    ofStep: ({ before, after }) => beginsWithout(before, after),
  }),
  rule('P5-I4', 'Ingress is detached exactly when the primary refused, was silent, or ended the stream.', {
    ofRest: ({ snapshot, steps }, move) => {
      const before = steps[0]?.before;
      if (before === undefined || !snapshot.matches('replicating')) return null;
      const detached = { replicating: { ingesting: 'detached' } };
      if (is(before, detached)) return null;
      return snapshot.matches(detached) === DETACHING.has(move) ? null : `after "${move}"`;
    },
  }),
  rule(
    'P5-I8',
    'A bootstrap is detached exactly when there is no snapshot to be had, or the primary is silent.',
    {
      ofRest: ({ snapshot, steps }, move) => {
        const before = steps[0]?.before;
        if (before === undefined || !is(before, 'bootstrapping') || !snapshot.matches('bootstrapping'))
          return null;
        if (is(before, { bootstrapping: 'detached' })) return null;
        return snapshot.matches({ bootstrapping: 'detached' }) === DETACHING.has(move)
          ? null
          : `after "${move}"`;
      },
    },
  ),
  rule('P5-I8', 'Whatever an earlier bootstrap left is discarded before a snapshot is fetched.', {
    ofStep: (step) =>
      enters(step, { bootstrapping: 'fetching' }) && !is(step.before, { bootstrapping: 'discarding' })
        ? `from ${JSON.stringify(step.before.value)}`
        : null,
  }),
  rule('P5-I14', 'Where a node is detached it says why, and where it is not it says nothing of the kind.', {
    ofRest: ({ snapshot }) => {
      const { detachment } = snapshot.context as NodeContext;
      const at = (states: readonly object[]) => states.some((state) => snapshot.matches(state));
      if (at([{ replicating: { ingesting: 'detached' } }, { bootstrapping: 'detached' }]))
        return detachment === null ? 'it does not say why' : null;
      const isAttached = at([
        { replicating: { ingesting: 'receiving' } },
        { replicating: { ingesting: 'persisting' } },
        { bootstrapping: 'verifying' },
      ]);
      return isAttached && detachment !== null ? `it still says "${detachment}"` : null;
    },
  }),
  rule('P5-I4', 'A new stream begins without what the last one brought.', {
    ofStep: (step) =>
      is(step.before, { replicating: { ingesting: 'provingStream' } }) &&
      enters(step, { replicating: { ingesting: 'receiving' } }) &&
      step.after.context.receipt !== null
        ? 'the last receipt is still there'
        : null,
  }),
  rule('P5-I14', 'What the primary last said of its durable history is remembered.', {
    ofStep: ({ before: { context: was }, after: { context: is } }) => {
      const { attachment, receipt, primaryDurable } = is;
      const byAnswer =
        attachment !== was.attachment && attachment?.answer.kind === 'attached'
          ? attachment.answer.durable
          : null;
      const byReceipt = receipt !== was.receipt && receipt !== null ? receipt.primary : null;
      const said = byAnswer ?? byReceipt ?? was.primaryDurable;
      return primaryDurable?.lsn === said?.lsn
        ? null
        : `it said ${said?.lsn}, and ${primaryDurable?.lsn} is remembered`;
    },
  }),
];

/** As much as may wait in memory, proven and not applied, when another piece is begun. */
export const WAITING_BYTES_MAX = 8 * 1024 * 1024;

function beginsWithout(before: Moment, after: Moment): string | null {
  const begins = (state: Parameters<typeof matchesState>[0]) => is(after, state) && !is(before, state);
  const { receipt, receivedLsn, validated, applied, proven } = after.context;
  if (begins({ replicating: { ingesting: 'persisting' } }) && (receipt?.units ?? 0) === 0)
    return 'nothing was received that could be persisted';
  if (begins({ replicating: { ingesting: 'receiving' } }) && receipt !== null && receipt.units > 0)
    if (receipt.toLsn !== receivedLsn) return 'what was received is not persisted';
  const checks = begins({ replicating: { validating: 'checking' } });
  if (checks && (validated?.lsn ?? 0) >= (receivedLsn ?? 0)) return 'nothing waits to be proven';
  if (checks && (validated?.lsn ?? 0) - (applied?.lsn ?? 0) >= WAITING_BYTES_MAX)
    return 'too much proven WAL waits in memory';
  if (begins({ replicating: { applying: 'provingProof' } }) && proven.length === 0)
    return 'nothing proven waits to be applied';
  if (begins({ recovering: { replaying: 'checking' } }) && applied?.lsn === receivedLsn)
    return 'nothing is left to be replayed';
  return null;
}
