/** What is received, proven, applied and read: P5-I4, P5-I5, P5-I6, P5-I11 and P5-I12 in terms of positions. */
import type { InvariantId } from '../../../src/core/invariants.ts';
import type { Position } from '../../../src/core/position.ts';
import type { NodeContext } from '../../context.ts';
import type { Moment } from '../pure-chart.ts';
import { always, enters, is, positionsOf, rule, type Rule } from './rule.ts';

const isReplaying = (moment: Moment) => is(moment, { recovering: 'replaying' });
const works = (moment: Moment) => is(moment, 'replicating') || isReplaying(moment);

const IN_FLIGHT = ['replaying', 'provingCheckpoint', 'finishing'] as const;

function isApplying(moment: Moment): boolean {
  return IN_FLIGHT.some(
    (state) =>
      is(moment, { replicating: { applying: state } }) || is(moment, { recovering: { replaying: state } }),
  );
}

function neverLess(
  invariant: InvariantId,
  says: string,
  mark: (context: NodeContext) => { readonly lsn: number | null } | null,
): Rule {
  return rule(invariant, says, {
    ofStep: ({ before, after }) =>
      is(before, 'replicating') && (mark(after.context)?.lsn ?? 0) < (mark(before.context)?.lsn ?? 0)
        ? `${positionsOf(before.context)} became ${positionsOf(after.context)}`
        : null,
  });
}

export const HISTORY_RULES: readonly Rule[] = [
  {
    ...always(
      'P5-I4',
      'Applied lies within proven, and proven within received.',
      (moment) => works(moment) && !isPrefix(moment.context),
    ),
    trusts: true,
  },
  {
    ...always(
      'P5-I5',
      'What is applied, in flight and waiting is proven WAL, each stretch beginning where the one before it ends.',
      (moment) => works(moment) && !isContiguous(moment.context),
    ),
    trusts: true,
  },
  rule('P5-I5', 'A batch is applied only where it follows what is applied, and lies within proven WAL.', {
    ofStep: ({ before, after }) => {
      const { inFlight, applied, validated } = after.context;
      if (inFlight === null || before.context.inFlight !== null) return null;
      const follows = inFlight.from.lsn === applied?.lsn && inFlight.from.historyHash === applied.historyHash;
      return follows && inFlight.to.lsn <= (validated?.lsn ?? 0) ? null : positionsOf(after.context);
    },
  }),
  rule('P5-I6', 'Applied is exactly the end of the batch that was applied.', {
    ofStep: ({ before: { context: was }, after: { context: is } }) =>
      was.inFlight === null ||
      is.inFlight !== null ||
      is.halt !== null ||
      samePosition(was.inFlight.to, is.applied)
        ? null
        : positionsOf(is),
  }),
  always(
    'P5-I13',
    'A batch is in flight exactly while it is being applied.',
    (moment) => works(moment) && isApplying(moment) !== (moment.context.inFlight !== null),
  ),
  rule('P5-I12', 'The gate opens only where applied is a proven prefix and nothing is in flight.', {
    // By what was known when it opened: in the same step the next batch may begin, and the gate closes again.
    ofStep: (step) => {
      const { context } = step.before;
      if (!enters(step, { replicating: { readGate: 'open' } })) return null;
      return context.inFlight === null && isPrefix(context) ? null : positionsOf(context);
    },
  }),
  rule(
    'P5-I12',
    'At rest, the gate is open exactly while applied is a proven prefix and nothing is in flight.',
    {
      ofRest: ({ snapshot }) => {
        if (!snapshot.matches('replicating')) return null;
        const isOpen = snapshot.matches({ replicating: { readGate: 'open' } });
        const context = snapshot.context as NodeContext;
        // Once open, it stays so until the next batch begins: what was applied has not changed since, also where an effect
        // that lied has taken back what was proven of it.
        const mayBeOpen = context.inFlight === null && isPrefix(context);
        const wrong = isOpen ? context.inFlight !== null : mayBeOpen;
        return wrong ? `the gate is ${isOpen ? 'open' : 'closed'}; ${positionsOf(context)}` : null;
      },
    },
  ),
  rule('P5-I12', 'Nothing is replicated before all WAL that recovery kept is applied.', {
    ofStep: ({ before, after }) => {
      if (is(before, 'replicating') || !is(after, 'replicating')) return null;
      const { repair, applied, receivedLsn } = after.context;
      const kept = repair?.resume?.receivedLsn ?? receivedLsn;
      return applied !== null && applied.lsn === kept
        ? null
        : `kept to ${String(kept)}, ${positionsOf(after.context)}`;
    },
  }),
  {
    ...neverLess('P5-I11', 'What is proven is never less than it was.', ({ validated }) => validated),
    trusts: true,
  },
  neverLess('P5-I11', 'What is applied is never less than it was.', ({ applied }) => applied),
  neverLess('P5-I11', 'What was received is never less than it was.', ({ receivedLsn }) => ({
    lsn: receivedLsn,
  })),
  rule('P5-I8', 'What is applied names the snapshot that this node began from, and no other.', {
    ofStep: ({ after }) => {
      const { applied, repair, installed } = after.context;
      if (!works(after) || applied === null) return null;
      const began = repair?.resume?.applied ?? installed?.checkpoint;
      return applied.snapshotCut === began?.snapshotCut
        ? null
        : `it began from ${String(began?.snapshotCut)}, and ${applied.snapshotCut} is named`;
    },
  }),
  rule('P5-I9', 'After a snapshot, WAL goes on exactly at its cut, as the primary itself said.', {
    ofStep: ({ before, after }) => {
      if (!is(before, 'bootstrapping') || !is(after, 'replicating')) return null;
      const { fetched, resume, applied, validated, receivedLsn } = after.context;
      const cut = fetched?.kind === 'fetched' ? fetched.snapshot.cut : null;
      const said = resume?.kind === 'probed' ? resume.header : null;
      const begins =
        cut !== null &&
        samePosition(cut, applied) &&
        samePosition(cut, validated) &&
        receivedLsn === cut.lsn &&
        said?.startLsn === cut.lsn &&
        said.historyHash === cut.historyHash &&
        said.firstCommitId === cut.commitId + 1;
      return begins ? null : `cut ${cut?.lsn ?? 'unknown'}, ${positionsOf(after.context)}`;
    },
  }),
  rule('P5-I11', 'A primary at work stands at the end of the WAL that its survey proved.', {
    ofStep: ({ after }) => {
      const { input, survey, applied } = after.context;
      if (input.role !== 'primary' || !is(after, 'disabled')) return null;
      return applied !== null && applied.lsn === survey?.tail.provenTo?.lsn
        ? null
        : positionsOf(after.context);
    },
  }),
];

function isPrefix({ applied, validated, receivedLsn }: NodeContext): boolean {
  return (
    applied !== null &&
    validated !== null &&
    applied.lsn <= validated.lsn &&
    validated.lsn <= (receivedLsn ?? -1)
  );
}

function samePosition(left: Position, right: Position | null): boolean {
  return (
    left.commitId === right?.commitId && left.lsn === right.lsn && left.historyHash === right.historyHash
  );
}

function isContiguous({ applied, inFlight, proven, validated }: NodeContext): boolean {
  if (applied === null || validated === null) return false;
  let lsn = applied.lsn;
  for (const { from, to } of [...(inFlight === null ? [] : [inFlight]), ...proven]) {
    if (from.lsn !== lsn || to.lsn < from.lsn) return false;
    lsn = to.lsn;
  }
  return lsn === validated.lsn;
}
