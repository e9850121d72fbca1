import type { InvariantId } from '../src/core/invariants.ts';
import { holds, verdictOf, type Check, type RuleId, type Verdict } from '../src/core/checks/check.ts';
import { haltByCheck, type HaltReason } from '../src/core/halt.ts';
import type { NodeContext } from './context.ts';

/** A check bound to the facts that a node has for it. */
export interface Claim {
  readonly rule: RuleId;
  readonly description: string;
  readonly holds: (context: NodeContext) => boolean;
  readonly verdict: (context: NodeContext) => Verdict;
  readonly halt: (context: NodeContext) => HaltReason;
}

export function claim<Facts>(check: Check<Facts>, facts: (context: NodeContext) => Facts): Claim {
  return {
    rule: check.rule,
    description: check.description,
    holds: (context) => holds(check, facts(context)),
    verdict: (context) => verdictOf(check, facts(context)),
    halt: (context) => haltByCheck(check, facts(context)),
  };
}

/** A guard that only shows the way: no invariant is decided by it. */
export interface Route {
  readonly description: string;
  readonly holds: (context: NodeContext) => boolean;
}

export function route(description: string, holds: Route['holds']): Route {
  return { description, holds };
}

type Guard = (args: { readonly context: NodeContext }) => boolean;

/** One guard a claim or route, under its own name. */
export function guardsOf<const Named extends Record<string, Pick<Claim, 'holds'>>>(
  named: Named,
): { [Name in keyof Named]: Guard } {
  return Object.fromEntries(
    Object.entries(named).map(([name, { holds: isTrue }]) => [
      name,
      ({ context }: { context: NodeContext }) => isTrue(context),
    ]),
  ) as { [Name in keyof Named]: Guard };
}

/**
 * A state that lets history pass only where one invariant holds: the claim leads on, anything else halts. One
 * invariant a state, so that the chart shows each decision on its own.
 */
export function prove<const Rule extends RuleId, const Next extends string, const Halt extends string>(
  rule: Rule,
  next: Next,
  halt: Halt,
  description: string,
) {
  const invariants = [rule.slice(0, rule.indexOf(' ')) as InvariantId];
  return {
    description,
    meta: { invariants },
    always: [
      { guard: rule, target: next, meta: { invariants }, description: `${rule} holds` },
      {
        target: halt,
        actions: { type: 'recordHalt' as const, params: { rule } },
        meta: { invariants },
        description: `${rule} does not hold`,
      },
    ],
  };
}
