import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recovering, recoveryActions, recoveryClaims, recoveryRoutes } from '../../machines/6-recovery.ts';
import type { NodeContext } from '../../machines/context.ts';
import type { RecoveryFacts } from '../../src/core/checks/recovery.ts';
import {
  decideRecovery,
  RECOVERY_ANSWERS,
  recoveryInputs,
  type RecoveryInputs,
  type RecoveryPlan,
} from '../../src/core/recovery/decision.ts';
import { recoveryFacts } from './facts.ts';
import { runs } from './runs.ts';

/** Answers that a rule speaks of; of the others it says nothing. */
type When = { readonly [Question in keyof RecoveryInputs]?: readonly RecoveryInputs[Question][] };
interface Rule {
  readonly source: string;
  readonly when: When;
  readonly then: Pick<RecoveryPlan, 'outcome' | 'rule'>;
}

const halts = (rule: RecoveryPlan['rule']) => ({ outcome: 'halt', rule }) as const;
const INTACT = { halt: ['none'], checkpoint: ['intact'] } as const;

/**
 * What DESIGN 2, 3 and 6, the invariants and the failure matrix say of a replica's start, each rule on its own: none
 * leans on the order in which they stand, and exactly one of them speaks of each combination.
 */
const RULES: readonly Rule[] = [
  {
    source: 'DESIGN 6: a restart stays halted until an operator clears it',
    when: { halt: ['recorded'] },
    then: { outcome: 'stay halted', rule: 'P5-I10 noHaltIsRecorded' },
  },
  {
    source: 'F-RC2: metadata corrupt: the replica refuses to start',
    when: { halt: ['none'], checkpoint: ['damaged'] },
    then: halts('P5-I11 checkpointIsIntact'),
  },
  {
    source: 'DESIGN 3: index and checkpoint cannot part, so WAL without a checkpoint has lost one',
    when: { halt: ['none'], checkpoint: ['absent'], wal: ['present'] },
    then: halts('P5-I11 checkpointIsIntact'),
  },
  {
    source: 'P5-I8: what a checkpoint stands on is there, or nothing goes on',
    when: { ...INTACT, base: ['missing', 'damaged'] },
    then: halts('P5-I8 baseIsInPlace'),
  },
  {
    source: 'DESIGN 2: anything below the checkpoint that fails is corruption: halt',
    when: { ...INTACT, base: ['not needed', 'intact'], prefix: ['broken'] },
    then: halts('P5-I4 prefixIsProven'),
  },
  {
    source: 'the chart proves base and prefix before it plans: where they do not hold nothing is planned',
    when: { halt: ['none'], checkpoint: ['absent'], wal: ['empty'], base: ['missing', 'damaged'] },
    then: halts('P5-I8 baseIsInPlace'),
  },
  {
    source: 'the same of files that do not begin where this history does',
    when: {
      halt: ['none'],
      checkpoint: ['absent'],
      wal: ['empty'],
      base: ['not needed', 'intact'],
      prefix: ['broken'],
    },
    then: halts('P5-I4 prefixIsProven'),
  },
  {
    source: 'F-S1, F-S2: bootstrap starts again',
    when: {
      halt: ['none'],
      checkpoint: ['absent'],
      wal: ['empty'],
      base: ['not needed', 'intact'],
      prefix: ['proven'],
      bootstrap: ['snapshot'],
    },
    then: { outcome: 'bootstrap', rule: null },
  },
  {
    source: 'a replica that follows from LSN 0 begins with nothing',
    when: {
      halt: ['none'],
      checkpoint: ['absent'],
      wal: ['empty'],
      base: ['not needed', 'intact'],
      prefix: ['proven'],
      bootstrap: ['wal'],
    },
    then: { outcome: 'replicate', rule: null },
  },
  {
    source: 'F-R2, F-A1: replay resumes deterministically',
    when: { ...INTACT, base: ['not needed', 'intact'], prefix: ['proven'] },
    then: { outcome: 'replicate', rule: null },
  },
];

/** When each step is due, where the node goes on at all. */
const STEPS: Readonly<Record<RecoveryPlan['steps'][number], (row: RecoveryInputs) => boolean>> = {
  'discard partials': ({ checkpoint, partials }) => checkpoint === 'absent' || partials === 'present',
  'discard index': ({ checkpoint }) => checkpoint === 'absent',
  'write first checkpoint': ({ checkpoint, bootstrap }) => checkpoint === 'absent' && bootstrap === 'wal',
  'discard tail': ({ checkpoint, end }) => checkpoint === 'intact' && end !== 'clean',
  replay: ({ checkpoint, proven }) => checkpoint === 'intact' && proven === 'something',
};

const QUESTIONS = Object.keys(RECOVERY_ANSWERS) as (keyof RecoveryInputs)[];
const rows = QUESTIONS.reduce<Partial<RecoveryInputs>[]>(
  (all, question) =>
    all.flatMap((row) => RECOVERY_ANSWERS[question].map((said) => ({ ...row, [question]: said }))),
  [{}],
) as RecoveryInputs[];

const isOf = (row: RecoveryInputs, when: When) =>
  QUESTIONS.every(
    (question) => (when[question] as readonly string[] | undefined)?.includes(row[question]) ?? true,
  );

const row = fc.constantFrom(...rows);

describe('P5-I11, F-RC1: the decision table of recovery', () => {
  test('every combination has the outcome, the rule and the steps of the one rule that speaks of it', () => {
    for (const inputs of rows) {
      const speaking = RULES.filter(({ when }) => isOf(inputs, when));
      expect(
        speaking.map(({ source }) => source),
        JSON.stringify(inputs),
      ).toHaveLength(1);
      const { outcome, rule, steps } = decideRecovery(inputs);
      expect({ outcome, rule }, JSON.stringify(inputs)).toEqual(speaking[0]?.then);
      const due = Object.entries(STEPS).filter(([, isDue]) => rule === null && isDue(inputs));
      expect(steps, JSON.stringify(inputs)).toEqual(due.map(([step]) => step));
    }
    for (const { when, source } of RULES)
      expect(
        rows.some((inputs) => isOf(inputs, when)),
        source,
      ).toBe(true);
  });

  test('it is a function of the answers: neither their order nor an earlier question changes what it says', () => {
    fc.assert(
      fc.property(
        row,
        row,
        fc.shuffledSubarray(QUESTIONS, { minLength: QUESTIONS.length }),
        (inputs, other, order) => {
          const before = decideRecovery(inputs);
          decideRecovery(other);
          const shuffled = Object.fromEntries(order.map((question) => [question, inputs[question]]));
          expect(decideRecovery(Object.freeze(shuffled) as unknown as RecoveryInputs)).toEqual(before);
        },
      ),
      runs(300),
    );
  });

  /** The same combination with one answer changed. */
  const changed = <Question extends keyof RecoveryInputs>(question: Question, to: RecoveryInputs[Question]) =>
    row.map((inputs) => ({ before: inputs, after: { ...inputs, [question]: to } }));
  const isThrough = ({ outcome }: RecoveryPlan) => outcome === 'replicate' || outcome === 'bootstrap';

  test('P5-I10: a recorded halt wins over everything, and nothing is touched under it', () => {
    fc.assert(
      fc.property(changed('halt', 'recorded'), ({ after }) => {
        expect(decideRecovery(after)).toEqual({
          outcome: 'stay halted',
          rule: 'P5-I10 noHaltIsRecorded',
          steps: [],
        });
      }),
      runs(300),
    );
  });

  test('P5-I10: an answer that is worse never lets a node go on that did not', () => {
    const worse = fc.oneof(
      changed('halt', 'recorded'),
      changed('checkpoint', 'damaged'),
      changed('base', 'missing'),
      changed('base', 'damaged'),
      changed('prefix', 'broken'),
    );
    fc.assert(
      fc.property(worse, ({ before, after }) => {
        if (isThrough(decideRecovery(after))) expect(isThrough(decideRecovery(before))).toBe(true);
      }),
      runs(1000),
    );
  });

  test('P5-I10: where a node does not go on nothing is discarded, and a rule says why; where it does, no rule does', () => {
    for (const inputs of rows) {
      const plan = decideRecovery(inputs);
      expect(plan.rule === null).toBe(isThrough(plan));
      if (!isThrough(plan)) expect(plan.steps).toEqual([]);
      else expect([inputs.checkpoint, inputs.base, inputs.prefix]).not.toContain('damaged');
    }
  });

  test('P5-I4: how the tail ends, and what is proved of it, decides steps and never whether a node goes on', () => {
    const tail = fc.record({
      end: fc.constantFrom(...RECOVERY_ANSWERS.end),
      proven: fc.constantFrom(...RECOVERY_ANSWERS.proven),
      partials: fc.constantFrom(...RECOVERY_ANSWERS.partials),
    });
    fc.assert(
      fc.property(row, tail, (inputs, other) => {
        const { outcome, rule } = decideRecovery({ ...inputs, ...other });
        expect({ outcome, rule }).toEqual({
          outcome: decideRecovery(inputs).outcome,
          rule: decideRecovery(inputs).rule,
        });
        const { steps } = decideRecovery({ ...inputs, end: 'clean' });
        expect(steps).not.toContain('discard tail');
      }),
      runs(500),
    );
  });
});

describe('P5-I15: the table and the chart say the same', () => {
  const contextOf = (facts: RecoveryFacts, bootstrap: RecoveryInputs['bootstrap']) =>
    ({ ...facts, input: { bootstrap } }) as unknown as NodeContext;

  /** The claims in the order in which the chart proves them on its way to planning, read off the chart itself. */
  function claimsOnTheWay(): (keyof typeof recoveryClaims)[] {
    const rules: (keyof typeof recoveryClaims)[] = ['P5-I10 noHaltIsRecorded'];
    let state: string = recovering.states.surveying.invoke.onDone.target;
    while (state !== 'planning') {
      const branches = recovering.states[state as 'provingCheckpoint'].always;
      const [pass, fail] = branches as unknown as readonly [
        { readonly guard: keyof typeof recoveryClaims; readonly target: string },
        { readonly target: string },
      ];
      expect(fail.target).toMatch(/^#node\.halted/);
      rules.push(pass.guard);
      state = pass.target;
    }
    return rules;
  }

  test('whatever the disk shows: the plan halts by a rule exactly when that is the first claim that does not hold', () => {
    const rules = claimsOnTheWay();
    expect([...rules].sort()).toEqual(Object.keys(recoveryClaims).sort());
    const bootstrap = fc.constantFrom('wal' as const, 'snapshot' as const);
    fc.assert(
      fc.property(recoveryFacts, bootstrap, (facts, begin) => {
        const context = contextOf(facts, begin);
        const against = rules.find((rule) => !recoveryClaims[rule].holds(context)) ?? null;
        const inputs = recoveryInputs(facts, begin);
        if (inputs === null) {
          expect(facts.survey).toBeNull();
          expect(against).not.toBeNull();
          return;
        }
        for (const question of QUESTIONS) expect(RECOVERY_ANSWERS[question]).toContain(inputs[question]);
        const plan = decideRecovery(inputs);
        expect(plan.rule).toBe(against);
        expect(recoveryRoutes['route planIsToBootstrap'].holds({ ...context, plan })).toBe(
          plan.outcome === 'bootstrap',
        );
      }),
      runs(1500),
    );
    expect(Object.keys(recoveryActions)).toContain('recordPlan');
  });

  test('each answer is that of the survey, and no other fact has a part in it', () => {
    fc.assert(
      fc.property(recoveryFacts, (facts) => {
        const { survey, recordedHalt } = facts;
        if (survey === null) return;
        const { checkpoint, wal, base, prefix, tail, partials } = survey;
        const applied = checkpoint.state === 'intact' ? checkpoint.value.lsn : 0;
        expect(recoveryInputs(facts, 'wal')).toEqual({
          halt: recordedHalt === null ? 'none' : 'recorded',
          checkpoint: checkpoint.state,
          wal: wal.startLsn < wal.endLsn ? 'present' : 'empty',
          base: base.state,
          prefix: wal.discontinuity === null && prefix.state === 'proven' ? 'proven' : 'broken',
          proven: tail.provenTo !== null && tail.provenTo.lsn > applied ? 'something' : 'nothing',
          end: tail.stop === null ? 'clean' : tail.stop.kind,
          partials: partials.length === 0 ? 'none' : 'present',
          bootstrap: 'wal',
        });
      }),
      runs(500),
    );
  });
});
