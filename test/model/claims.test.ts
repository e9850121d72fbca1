import { describe, expect, test } from 'vitest';
import { nodeClaims } from '../../machines/node.ts';
import { broken, contextOf } from '../support/broken-contexts.ts';

const CASES = Object.entries(nodeClaims).filter(([rule]) => rule in broken);

describe('P5-I3, P5-I10: a claim of the chart looks at the facts of its own rule', () => {
  test('there is a context for every rule in which it does not hold', () => {
    // A rule of primaries only.
    expect(Object.keys(broken).filter((rule) => !(rule in nodeClaims))).toEqual(['P5-I11 tailIsTornAtMost']);
    expect(CASES.length).toBeGreaterThan(25);
  });

  test.each(CASES)('%s', (rule, claim) => {
    const context = contextOf(broken[rule] ?? {});
    expect(claim.verdict(context)).toMatchObject({ rule, evaluation: 'violated' });
    const { evidence } = claim.verdict(context);
    expect(claim.halt(context)).toMatchObject({ rule, evidence });
  });
});
