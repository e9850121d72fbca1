/** How a node halts and stops, and that it is never between two states: P5-I3, P5-I10, P5-I14 and P5-I15. */
import type { NodeContext } from '../../context.ts';
import { expectationOf } from '../expectations.ts';
import type { StateValue } from 'xstate';
import { runningIn, type Moment } from '../pure-chart.ts';
import { WAITING_BYTES_MAX } from './effects.ts';
import { always, is, rule, type Rule } from './rule.ts';

export const HALTING_RULES: readonly Rule[] = [
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
      return found === expected ? null : `expected ${expected ?? 'no halt'}, found ${found ?? 'no halt'}`;
    },
  }),
  always(
    'P5-I10',
    'A halted node knows why, and one that knows why does nothing else.',
    (moment) =>
      (is(moment, 'halted') && moment.context.halt === null) ||
      (moment.context.halt !== null && !is(moment, 'halted') && !is(moment, 'stopped')),
  ),
  rule(
    'P5-I10',
    'A refused start writes nothing, a recorded halt rests, and every other halt begins with draining.',
    {
      ofStep: ({ before, after, event }) => {
        if (is(before, 'halted') || !is(after, 'halted')) return null;
        const expected = event === 'storage.failed' ? 'draining' : beginningOf(before);
        return is(after, { halted: expected })
          ? null
          : `from ${JSON.stringify(before.value)} to ${JSON.stringify(after.value)}`;
      },
    },
  ),
  rule(
    'P5-I10',
    'A halt is drained, its bytes kept, and its record written, each once and in this order; a stop comes after.',
    {
      ofStep: ({ before, after }) => {
        const [was, now] = [endingOf(before), endingOf(after)];
        if (was === null || NEXT[was]?.includes(now ?? '') === true) return null;
        return `${was} led to ${String(now)}`;
      },
    },
  ),
  rule(
    'P5-I10',
    'What ends a step of a halt or a stop leads to the next, also where it failed; and a failure is kept.',
    {
      ofRest: ({ snapshot, steps }, move) => {
        const [effect = '', failed] = /^(\w+)(?:: .*|( fails))$/.exec(move)?.slice(1) ?? [];
        const next = AFTER[effect];
        const { halt, haltRecordFault, evidenceFile } = snapshot.context as NodeContext;
        if (failed !== undefined && next === undefined) {
          const isTold = steps[0]?.before.context.halt !== null || halt?.evidence['effect'] === effect;
          return isTold ? null : `the halt does not name ${effect}`;
        }
        if (next === undefined) return null;
        const now = endingOf({ value: snapshot.value as StateValue });
        if (now !== next) return `${move} led to ${String(now)}`;
        if (failed !== undefined && haltRecordFault?.effect !== effect)
          return `nothing says that ${effect} failed`;
        if (move !== 'keepEvidence: kept') return null;
        return evidenceFile !== null && halt?.evidence['bytes_kept_in'] === evidenceFile
          ? null
          : 'nobody is told where';
      },
    },
  ),
  rule('P5-I15', 'A halt says what was found and what is to be done, and by which rule or which effect.', {
    ofStep: ({ before, after }) => {
      const { halt, recordedHalt } = after.context;
      if (halt === null || before.context.halt !== null || halt === recordedHalt) return null;
      const isWhole =
        Object.keys(halt.evidence).length > 0 &&
        halt.message !== '' &&
        halt.action !== '' &&
        (halt.rule !== null || 'effect' in halt.evidence);
      return isWhole ? null : JSON.stringify(halt);
    },
  }),
  rule('P5-I10', 'Nothing stops a node but a word from outside.', {
    ofStep: ({ before, after, event }) =>
      !is(before, 'stopped') && is(after, 'stopped') && event !== 'node.stop' ? `it was ${event}` : null,
  }),
  rule('P5-I3', 'An answer is heard, and at rest a node waits for something, or has ended.', {
    ofRest: ({ snapshot, unheard, failure }) => {
      if (unheard !== null) return `the answer of ${unheard} leads nowhere`;
      if (failure !== null || snapshot.status !== 'active') return null;
      const running = runningIn(snapshot).map(({ id }) => id);
      const waits = snapshot.matches('replicating')
        ? waitsWhileReplicating(snapshot.context as NodeContext, snapshot.value as Replicating, running)
        : running.length === 1 || RESTING.some((state) => snapshot.matches(state));
      return waits ? null : `${JSON.stringify(snapshot.value)} runs ${running.join(', ') || 'nothing'}`;
    },
  }),
];

/** Before anything is known to be its own, and while the metadata are in doubt, a node writes not even a record. */
function beginningOf(before: Moment): 'refusing' | 'resting' | 'draining' {
  if (is(before, { recovering: 'provingNoHalt' })) return 'resting';
  const doubting =
    before.context.input.role === 'primary'
      ? ['surveying', 'provingCheckpoint', 'provingBase', 'provingPrefix', 'provingTail']
      : ['surveying', 'provingCheckpoint', 'provingBase'];
  const refuses = is(before, 'initializing') || doubting.some((state) => is(before, { recovering: state }));
  return refuses ? 'refusing' : 'draining';
}

/** `halted.draining`, `stopped.closed`; `null` for a state that is no ending. */
function endingOf({ value }: Pick<Moment, 'value'>): string | null {
  if (typeof value === 'string') return null;
  const [top = '', child] = Object.entries(value)[0] ?? [];
  return (top === 'halted' || top === 'stopped') && typeof child === 'string' ? `${top}.${child}` : null;
}

const NEXT: Readonly<Record<string, readonly string[]>> = {
  'halted.draining': ['halted.draining', 'halted.preserving'],
  'halted.preserving': ['halted.preserving', 'halted.recording'],
  'halted.recording': ['halted.recording', 'halted.resting'],
  'halted.resting': ['halted.resting', 'stopped.draining'],
  'halted.refusing': ['halted.refusing', 'stopped.draining'],
  'stopped.draining': ['stopped.draining', 'stopped.closed'],
  'stopped.closed': ['stopped.closed'],
};

const AFTER: Readonly<Record<string, string>> = {
  drain: 'halted.preserving',
  keepEvidence: 'halted.recording',
  writeHaltRecord: 'halted.resting',
  release: 'stopped.closed',
};

/** Where a node waits for nothing but a word from outside. */
const RESTING = [
  'disabled',
  { halted: 'resting' },
  { halted: 'refusing' },
  { stopped: 'closed' },
  { bootstrapping: 'detached' },
];

type Replicating = {
  readonly replicating: Readonly<Record<'ingesting' | 'validating' | 'applying', string>>;
};

/** Each region runs its effect, or has nothing to do. */
function waitsWhileReplicating(
  { receivedLsn, validated, applied, proven }: NodeContext,
  { replicating: { ingesting, validating, applying } }: Replicating,
  running: readonly string[],
): boolean {
  const behind = (receivedLsn ?? 0) - (validated?.lsn ?? 0);
  const waiting = (validated?.lsn ?? 0) - (applied?.lsn ?? 0);
  const effects: Readonly<Record<string, string>> = {
    attaching: 'attach',
    receiving: 'receive',
    persisting: 'persist',
    checking: 'validate',
    replaying: 'apply',
    pausing: 'boundary',
  };
  const runs = (state: string) => running.includes(effects[state] ?? 'no effect');
  return (
    (runs(ingesting) || ingesting === 'detached' || (ingesting === 'settling' && behind !== 0)) &&
    (runs(validating) || (validating === 'idle' && (behind <= 0 || waiting >= WAITING_BYTES_MAX))) &&
    (runs(applying) || (applying === 'idle' && proven.length === 0))
  );
}
