/**
 * What must hold in every state and of every step of a chart, in words of the invariants and not of its guards: each rule
 * looks at what the chart shows and at what happened, and knows no check. A guard that is wrong breaks one of them.
 */
import type { Settled } from './pure-chart.ts';
import { ASKED_RULES } from './rules/asked.ts';
import { EFFECT_RULES } from './rules/effects.ts';
import { HALTING_RULES } from './rules/halting.ts';
import { HISTORY_RULES } from './rules/history.ts';
import { ROLE_RULES } from './rules/role.ts';
import type { Rule } from './rules/rule.ts';

export type { Rule } from './rules/rule.ts';

/** The rules of this project; each was seen to be broken by a chart that is wrong in one place. */
export const RULES: readonly Rule[] = [
  ...HALTING_RULES,
  ...HISTORY_RULES,
  ...ROLE_RULES,
  ...EFFECT_RULES,
  ...ASKED_RULES,
];

/**
 * The invariants checker: the first rule that what happened breaks, in words; `null` where all hold.
 *
 * @param lied an effect has answered something that it was not asked: rules that trust the effects are left out.
 */
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
