/**
 * What must hold in every state and of every step of a chart, in words of the invariants and not of its guards: each rule
 * looks at what the chart shows and at what happened, and knows no check. A guard that is wrong breaks one of them.
 */
import { matchesState } from 'xstate';
import type { InvariantId } from '../../src/core/invariants.ts';
import { UNBOUND_CLUSTER } from '../../src/core/identity.ts';
import type { Position } from '../../src/core/position.ts';
import type { NodeContext } from '../context.ts';
import { expectationOf } from './expectations.ts';
import type { Microstep, Moment, Settled } from './pure-chart.ts';

/** Looks at one step; says what is wrong with it, or `null`. */
export interface Rule {
  readonly invariant: InvariantId;
  readonly says: string;
  /** Holds only where effects answer what they were asked. */
  readonly trusts?: true;
  /** After every microstep. */
  readonly ofStep?: (step: Microstep) => string | null;
  /** When the chart has come to rest after what happened. */
  readonly ofRest?: (settled: Settled, move: string) => string | null;
}

const is = (moment: Moment, state: Parameters<typeof matchesState>[0]) => matchesState(state, moment.value);
const isReplaying = (moment: Moment) => is(moment, { recovering: 'replaying' });
const works = (moment: Moment) => is(moment, 'replicating') || isReplaying(moment);

const IN_FLIGHT = ['replaying', 'provingCheckpoint', 'finishing'] as const;

function isApplying(moment: Moment): boolean {
  return IN_FLIGHT.some(
    (state) =>
      is(moment, { replicating: { applying: state } }) || is(moment, { recovering: { replaying: state } }),
  );
}

const rule = (invariant: InvariantId, says: string, looks: Omit<Rule, 'invariant' | 'says'>): Rule => ({
  invariant,
  says,
  ...looks,
});

/** A rule of single states, wherever they come from. */
const always = (invariant: InvariantId, says: string, wrong: (moment: Moment) => boolean): Rule =>
  rule(invariant, says, { ofStep: ({ after }) => (wrong(after) ? positionsOf(after.context) : null) });

function positionsOf({ receivedLsn, validated, applied, inFlight, proven }: NodeContext): string {
  const range = (one: { from: { lsn: number }; to: { lsn: number } }) => `${one.from.lsn}-${one.to.lsn}`;
  const at = (one: { readonly lsn: number } | null) => one?.lsn ?? 'unknown';
  return [
    `received ${receivedLsn ?? 'unknown'}`,
    `validated ${at(validated)}`,
    `applied ${at(applied)}`,
    `in flight ${inFlight === null ? 'nothing' : range(inFlight)}`,
    `proven ${proven.map(range).join(' ') || 'nothing'}`,
  ].join(', ');
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

export const RULES: readonly Rule[] = [
  rule('P5-I10', 'The chart itself never fails.', { ofRest: ({ failure }) => failure }),
  rule(
    'P5-I3',
    'Whatever may happen in a state has a transition, if only one that says that it is nothing.',
    {
      ofRest: ({ steps }) => (steps[0]?.transitions.length === 0 ? 'nothing answers the event' : null),
    },
  ),
  rule('P5-I10', 'What speaks against history halts, by the rule that it breaks; what does not, does not.', {
    trusts: true,
    ofRest: ({ snapshot, steps }, move) => {
      const before = steps[0]?.before ?? null;
      if (before === null) return null;
      const expected = expectationOf(move, before);
      const wasHalted = before.context.halt !== null;
      const { halt } = snapshot.context as NodeContext;
      if (wasHalted || expected === undefined) return null;
      const found = halt === null ? null : (halt.rule ?? halt.code);
      return found === expected ? null : `expected ${String(expected)}, found ${String(found)}`;
    },
  }),
  always(
    'P5-I10',
    'A halted node knows why, and one that knows why does nothing else.',
    (moment) =>
      (is(moment, 'halted') && moment.context.halt === null) ||
      (moment.context.halt !== null && !is(moment, 'halted') && !is(moment, 'stopped')),
  ),
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
  always(
    'P5-I1',
    'Only a node that knows who it is does anything.',
    (moment) =>
      moment.context.identity === null &&
      !['initializing', 'halted', 'stopped'].some((state) => is(moment, state)),
  ),
  rule(
    'P5-I12',
    'At rest, the gate is open exactly while applied is a proven prefix and nothing is in flight.',
    {
      ofRest: ({ snapshot }) => {
        if (!snapshot.matches('replicating')) return null;
        const isOpen = snapshot.matches({ replicating: { readGate: 'open' } });
        const context = snapshot.context as NodeContext;
        // Once open, it stays so until the next batch begins: what was applied has not changed since.
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
  rule('P5-I8', 'A node begins with a snapshot exactly where recovery found nothing and one was asked for.', {
    ofStep: ({ before, after }) => {
      if (!is(before, { recovering: 'routing' })) return null;
      const asked = before.context.plan?.outcome === 'bootstrap';
      return asked === is(after, 'bootstrapping')
        ? null
        : `the plan was ${String(before.context.plan?.outcome)}`;
    },
  }),
  rule('P5-I16', 'A node without replication does no replica work, and one with it does.', {
    ofStep: ({ before, after }) => {
      const { role, replication } = after.context.input;
      if (role === 'primary') return null;
      const wrong =
        replication === 'disabled'
          ? ['recovering', 'bootstrapping', 'replicating'].some((state) => is(after, state)) ||
            is(after, { initializing: 'meetingPrimary' })
          : is(after, 'disabled');
      return wrong ? `replication is ${replication}; from ${JSON.stringify(before.value)}` : null;
    },
  }),
  rule('P5-I1', 'A node never becomes another one.', {
    ofStep: ({ before, after }) => {
      const [was, now] = [before.context.identity, after.context.identity];
      if (was === null || was === now) return null;
      return now !== null && was.nodeId === now.nodeId && was.role === now.role
        ? null
        : `${was.nodeId} became ${String(now?.nodeId)}`;
    },
  }),
  rule(
    'P5-I1',
    'A directory is claimed once, and once more where a replica learns its cluster from a primary.',
    {
      ofStep: ({ before, after }) => {
        const claiming = { initializing: 'claiming' };
        const { identity, meeting } = after.context;
        if (is(before, claiming) || !is(after, claiming) || identity === null) return null;
        return identity.clusterId === UNBOUND_CLUSTER && meeting?.kind === 'met'
          ? null
          : `it belongs to ${identity.clusterId}`;
      },
    },
  ),
  rule(
    'P5-I6',
    'A replica that may follow a primary learns from it which cluster it is of, before it claims anything.',
    {
      ofStep: ({ before, after }) =>
        is(after, { initializing: 'claiming' }) &&
        after.context.input.role === 'replica' &&
        after.context.input.replication === 'enabled' &&
        after.context.meeting?.kind !== 'met'
          ? `claimed from ${JSON.stringify(before.value)}`
          : null,
    },
  ),
  {
    ...neverLess('P5-I11', 'What is proven is never less than it was.', ({ validated }) => validated),
    trusts: true,
  },
  neverLess('P5-I11', 'What is applied is never less than it was.', ({ applied }) => applied),
  neverLess('P5-I11', 'What was received is never less than it was.', ({ receivedLsn }) => ({
    lsn: receivedLsn,
  })),
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
];

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

/** As much as may wait in memory, proven and not applied, when another piece is begun. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;

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

/** The first rule that what happened breaks, in words. */
export function brokenRule(
  rules: readonly Rule[],
  settled: Settled,
  move: string,
  lied: boolean,
): string | null {
  for (const { invariant, says, trusts, ofStep, ofRest } of rules) {
    if (trusts === true && lied) continue;
    const found =
      ofRest?.(settled, move) ??
      settled.steps.reduce<string | null>((wrong, step) => wrong ?? ofStep?.(step) ?? null, null);
    if (found !== null) return `${invariant}: ${says} (${found})`;
  }
  return null;
}
