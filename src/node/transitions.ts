import type { AnyTransitionDefinition, InspectionEvent } from 'xstate';
import { transitionId } from '../../machines/chart.ts';
import type { Claim } from '../../machines/claims.ts';
import type { NodeContext } from '../../machines/context.ts';
import type { JsonObject } from '../core/bytes.ts';
import type { Evaluation, RuleId } from '../core/checks/check.ts';
import { haltToJson } from '../core/halt.ts';
import type { InvariantId } from '../core/invariants.ts';
import { positionToJson, type Position } from '../core/position.ts';
import type { NodeSnapshot } from './node-snapshot.ts';
import { stateLine } from '../core/state-line.ts';

/** What an invariant said when the chart asked it on its way from one state to the next. */
export interface TransitionVerdict {
  readonly rule_id: RuleId;
  readonly invariant: InvariantId;
  readonly evaluation: Evaluation;
  /** The raw state that it was decided on; empty where the rule holds, which is nearly always. */
  readonly evidence: JsonObject;
}

type PositionJson = ReturnType<typeof positionToJson>;

/** Where the node stood after a transition, as far as its chart knows; `null` where it does not. */
export interface TransitionPositions {
  readonly received_lsn: number | null;
  readonly validated: PositionJson | null;
  readonly applied: PositionJson | null;
  readonly primary_durable: PositionJson | null;
}

/**
 * One step of a node's chart: plain, immutable, and without a clock. Each begins in the state in which the one before
 * it ended. An event that nothing answers to is a step as well: `from` and `to` are the same, and no rule was asked.
 */
export interface Transition {
  /** 1, 2, …: counted anew by every run of the node. */
  readonly sequence: number;
  readonly from: string;
  readonly to: string;
  readonly event: string;
  /** The ids that the transitions which were taken have in the chart; none where nothing answers to the event. */
  readonly transitions: readonly string[];
  /** The invariants that were asked, in order, up to the candidate that was taken. */
  readonly verdicts: readonly TransitionVerdict[];
  readonly positions: TransitionPositions;
  /** Why the node is halted, from the halting transition on. */
  readonly halt: ReturnType<typeof haltToJson> | null;
}

/** Whether this is the step that halts the node. */
export function isHalting({ from, to }: Transition): boolean {
  return isHalted(to) && !isHalted(from);
}

function isHalted(line: string): boolean {
  return line.startsWith('halted.');
}

/** Reads the transitions of one chart from its inspection events. */
export class TransitionReader {
  readonly #verdicts: (transition: AnyTransitionDefinition, context: NodeContext) => TransitionVerdict[];
  #before: NodeSnapshot | null = null;
  #line = 'none';
  #sequence = 0;

  constructor(claims: Readonly<Record<string, Claim>>) {
    this.#verdicts = verdictsBy(claims);
  }

  /** Whose transitions these are; `null` as long as the node does not know it. */
  get nodeId(): string | null {
    return this.#before?.context.identity?.nodeId ?? null;
  }

  /** Goes on from a moment, so many transitions into a run. */
  startAt(snapshot: NodeSnapshot, sequence: number): void {
    this.#moveTo(snapshot);
    this.#sequence = sequence;
  }

  /** `null` for an inspection event that is no step of the chart. */
  read(inspection: InspectionEvent): Transition | null {
    if (inspection.type !== '@xstate.microstep' && inspection.type !== '@xstate.snapshot') return null;
    if (!isOfChart(inspection.snapshot)) return null;
    if (inspection.type === '@xstate.microstep') return this.#step(inspection, inspection.snapshot);
    // The start is no step; what it shows is the state that the first step begins in.
    if (this.#before === null) this.#moveTo(inspection.snapshot);
    return null;
  }

  #step(
    { event, _transitions: taken }: Extract<InspectionEvent, { type: '@xstate.microstep' }>,
    after: NodeSnapshot,
  ): Transition {
    const before = this.#before;
    const from = this.#line;
    // Counted and moved on before anything can fail: a step that cannot be told leaves a gap that can be seen.
    this.#sequence += 1;
    this.#moveTo(after);
    const { context } = after;
    return {
      sequence: this.#sequence,
      from,
      to: this.#line,
      event: event.type,
      transitions: taken.map(takenId),
      // The guards were evaluated on the context before: the actions of this step have already changed the new one.
      verdicts: before === null ? [] : taken.flatMap((one) => this.#verdicts(one, before.context)),
      positions: positionsOf(context),
      halt: context.halt && haltToJson(context.halt),
    };
  }

  #moveTo(snapshot: NodeSnapshot): void {
    this.#before = snapshot;
    this.#line = stateLine(snapshot.value);
  }
}

/** Effects are actors too; only the chart has a machine. */
export function isOfChart(snapshot: unknown): snapshot is NodeSnapshot {
  return typeof snapshot === 'object' && snapshot !== null && 'machine' in snapshot;
}

function newer(primaryDurable: Position | null, validated: Position | null): PositionJson | null {
  if (primaryDurable === null) return null;
  return positionToJson(
    validated !== null && validated.lsn > primaryDurable.lsn ? validated : primaryDurable,
  );
}

function positionsOf({ receivedLsn, validated, applied, primaryDurable }: NodeContext): TransitionPositions {
  return {
    received_lsn: receivedLsn,
    validated: validated && positionToJson(validated),
    applied: applied && positionToJson(applied),
    // What was proved is the primary's: it stands at least there, whatever it last said of itself.
    primary_durable: newer(primaryDurable, validated),
  };
}

/** The verdicts that led to a transition, by the very claims that are its guards. */
function verdictsBy(claims: Readonly<Record<string, Claim>>) {
  const askedFor = new Map<AnyTransitionDefinition, readonly Claim[]>();
  return (transition: AnyTransitionDefinition, context: NodeContext): TransitionVerdict[] => {
    let asked = askedFor.get(transition);
    if (asked === undefined) askedFor.set(transition, (asked = claimsAsked(transition, claims)));
    return asked.map((claim) => verdictOn(claim, context));
  };
}

/** The claims among the guards that XState evaluates, in this order, until it takes the transition. */
function claimsAsked(
  transition: AnyTransitionDefinition,
  claims: Readonly<Record<string, Claim>>,
): readonly Claim[] {
  const { source } = transition;
  const event = transition.eventType as string;
  const candidates = (event === '' ? source.always : source.transitions.get(event)) ?? [];
  return candidates.slice(0, candidates.indexOf(transition) + 1).flatMap(({ guard }) => {
    const claim = typeof guard === 'string' ? claims[guard] : undefined;
    return claim === undefined ? [] : [claim];
  });
}

/** To name a transition, its source is searched; each is named once. */
const ids = new WeakMap<AnyTransitionDefinition, string>();
function takenId(transition: AnyTransitionDefinition): string {
  let id = ids.get(transition);
  if (id === undefined) ids.set(transition, (id = transitionId(transition)));
  return id;
}

const HOLDS: JsonObject = Object.freeze({});

/** Evidence is put together only against a rule: all the steps of a run that goes well have none. */
function verdictOn(claim: Claim, context: NodeContext): TransitionVerdict {
  const { rule } = claim;
  const invariant = rule.slice(0, rule.indexOf(' ')) as InvariantId;
  if (claim.holds(context)) return { rule_id: rule, invariant, evaluation: 'holds', evidence: HOLDS };
  const { evaluation, evidence } = claim.verdict(context);
  return { rule_id: rule, invariant, evaluation, evidence };
}
