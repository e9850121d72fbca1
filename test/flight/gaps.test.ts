/** Steps that are missing add up with those that are there, or the journal is another one than was written. */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventFromJson } from '../../src/core/flight/facts.ts';
import type { ChartPoint, StepRecord } from '../../src/core/flight/records.ts';
import { PRODUCTION_CHARTS } from '../../src/replay/charts.ts';
import { PureMachine } from '../../src/replay/pure-machine.ts';
import { fixturePath, forgedVerdict, recordsOf } from '../support/flights.ts';

/** A whole run; the gap stands behind so many of its steps, and takes away so many. */
const BEFORE = 9;
const LOST = 5;

interface Run {
  readonly header: { readonly point: ChartPoint };
  readonly steps: readonly StepRecord[];
  readonly end: object;
  /** Where the machine stands before the gap, and behind it. */
  readonly points: readonly [ChartPoint, ChartPoint];
}
let run: Run;

beforeAll(async () => {
  const records = recordsOf(await readFile(fixturePath('detach-attach')));
  const [header, ...rest] = records as unknown as [Run['header'], ...StepRecord[]];
  const steps = rest.filter(({ type }) => type === 'step');
  const machine = new PureMachine(PRODUCTION_CHARTS.node, header.point);
  const taken = (many: readonly StepRecord[]) => {
    for (const { event } of many) machine.take(eventFromJson(event));
    return machine.point;
  };
  const points = [taken(steps.slice(0, BEFORE)), taken(steps.slice(BEFORE, BEFORE + LOST))] as const;
  run = { header, steps, end: rest.at(-1) as object, points };
});

describe('a gap', () => {
  test('that adds up is gone over, and the replay goes on behind it', async () => {
    const { header, steps, end, points } = run;
    const gap = { type: 'gap', lost: LOST, point: points[1] };
    const records = [header, ...steps.slice(0, BEFORE), gap, ...steps.slice(BEFORE + LOST), end];
    const counts = { steps: steps.length - LOST, gaps: 1, lost: LOST, ended: 1 };
    expect(await forgedVerdict(records)).toMatchObject({ verdict: 'same', ...counts, difference: null });
  });

  /** The verdict where the gap takes away all that comes to the end. */
  const verdictOn = async (lost: number, change: Partial<ChartPoint> = {}, last?: object) => {
    const { header, steps, points } = run;
    const gap = { type: 'gap', lost, point: { ...points[1], ...change } };
    return forgedVerdict([header, ...steps.slice(0, BEFORE), gap, ...(last === undefined ? [] : [last])]);
  };

  test.each([
    ['one less than there are', LOST - 1],
    ['one more than there are', LOST + 1],
  ])('P5-I5: of which the steps do not add up: %s', async (_what, lost) => {
    expect(await verdictOn(lost)).toMatchObject({
      verdict: 'different',
      gaps: 0,
      lost: 0,
      difference: { record: BEFORE + 2, what: 'step', expected: BEFORE + lost, found: BEFORE + LOST },
      final: { step: BEFORE },
    });
  });

  test.each([
    ['no step', 0],
    ['less than none', -1],
  ])('P5-I5: in which %s is missing', async (_what, lost) => {
    expect(await verdictOn(lost, { step: BEFORE + lost })).toMatchObject({
      difference: { what: 'lost', expected: 'at least 1', found: lost },
    });
  });

  test('P5-I5: behind which the numbers of transitions would come again', async () => {
    const { sequence } = run.points[0];
    expect(await verdictOn(LOST, { sequence })).toMatchObject({ verdict: 'same' });
    expect(await verdictOn(LOST, { sequence: sequence - 1 })).toMatchObject({
      verdict: 'different',
      difference: { what: 'sequence', expected: `at least ${sequence}`, found: sequence - 1 },
      final: { step: BEFORE },
    });
  });

  test('P5-I5: an event at which the chart threw is the next one', async () => {
    const event = { type: 'node.stop' };
    const failed = { type: 'failed', event, error: { kind: 'bug', message: 'm' } };
    const step = BEFORE + LOST;
    expect(await verdictOn(LOST, {}, { ...failed, step: step + 1 })).toMatchObject({
      difference: { what: 'failure', found: null },
    });
    expect(await verdictOn(LOST, {}, { ...failed, step })).toMatchObject({
      difference: { what: 'step', expected: step + 1, found: step },
    });
  });
});
