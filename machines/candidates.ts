/**
 * What a chart could do next, and why it may or may not: every transition out of the current states with the verdict of
 * its guard (P5-I3, P5-I14). A verdict is the claim's own, the one that the guard is made of; nothing is decided twice.
 */
import type { StateValue } from 'xstate';
import type { JsonObject } from '../src/core/bytes.ts';
import { assertThat } from '../src/core/errors.ts';
import { ruleJson, type Explanation } from '../src/core/explain/explanation.ts';
import { statePaths } from '../src/core/state-line.ts';
import type { Chart, ChartState, ChartTransition } from './chart.ts';
import type { Claim, Route } from './claims.ts';
import type { NodeContext } from './context.ts';

export type CandidateVerdict = Explanation['rules_applied'][number];

export interface Candidate {
  /** Its id in the chart. */
  readonly transition: string;
  readonly source: string;
  readonly event: string;
  readonly targets: readonly string[];
  readonly guard: string | null;
  /** `null` where there is no guard. */
  readonly verdict: CandidateVerdict | null;
  /** Whether this is the one that would be taken if its event came now. */
  readonly allowed: boolean;
}

/** One moment of a chart. */
export interface ChartMoment {
  readonly status: string;
  readonly value: StateValue;
  readonly context: NodeContext;
}

/**
 * The candidates of a moment: inner states before the states around them, regions in document order, and of one state
 * in the order in which they are tried. A chart that has ended or failed takes nothing, so nothing is allowed.
 */
export function candidatesOf(
  chart: Chart,
  { status, value, context }: ChartMoment,
  claims: Readonly<Record<string, Claim>>,
  routes: Readonly<Record<string, Route>>,
): readonly Candidate[] {
  const candidates: Candidate[] = [];
  for (const transition of activeStates(chart, value).flatMap((state) => leaving(chart, state))) {
    const { id, source, event, targets, guard } = transition;
    const verdict = guard === null ? null : verdictOf(guard, context, claims, routes);
    const holds = verdict === null || verdict.evaluation === 'holds';
    const isTaken = candidates.some((other) => other.allowed && goesBefore(other, transition));
    const allowed = status === 'active' && holds && !isTaken;
    candidates.push({ transition: id, source, event, targets, guard, verdict, allowed });
  }
  return candidates;
}

/** Of one event, a state is asked after the states inside it, and its list from the top. */
function goesBefore(other: Candidate, { source, event }: ChartTransition): boolean {
  return other.event === event && (other.source === source || other.source.startsWith(`${source}.`));
}

function leaving(chart: Chart, { id }: ChartState): readonly ChartTransition[] {
  return chart.transitions.filter(({ source, event }) => source === id && event !== 'initial');
}

/** The states of a configuration, each one behind those inside it. */
function activeStates(chart: Chart, value: StateValue): readonly ChartState[] {
  const active = new Set(['', ...statePaths(value)]);
  const inside = (state: ChartState): readonly ChartState[] => [
    ...chart.states.filter(({ parent, path }) => parent === state.id && active.has(path)).flatMap(inside),
    state,
  ];
  const found = chart.states.filter(({ parent }) => parent === null).flatMap(inside);
  assertThat(found.length === active.size, `every state of ${JSON.stringify(value)} is of the chart`);
  return found;
}

/**
 * What routes of a resting node look at, raw. What tells of the past of this run only, such as the last receipt, is left
 * out: the same state is shown in the same way after a restart.
 */
function routeEvidence(context: NodeContext): JsonObject {
  const { input, identity, receivedLsn, validated, applied, proven, inFlight, attachment } = context;
  return {
    role: input.role,
    replication: input.replication,
    cluster_id: identity?.clusterId ?? null,
    wal_received_lsn: receivedLsn,
    wal_validated_lsn: validated?.lsn ?? null,
    wal_applied_lsn: applied?.lsn ?? null,
    proven_batches: proven.length,
    in_flight_to_lsn: inFlight?.to.lsn ?? null,
    stream: attachment?.answer.kind ?? null,
  };
}

function verdictOf(
  guard: string,
  context: NodeContext,
  claims: Readonly<Record<string, Claim>>,
  routes: Readonly<Record<string, Route>>,
): CandidateVerdict {
  const claim = claims[guard];
  if (claim !== undefined) return ruleJson(claim.verdict(context));
  const route = routes[guard];
  assertThat(route !== undefined, `the guard ${guard} is a claim or a route`);
  const evaluation = route.holds(context) ? 'holds' : 'violated';
  return { rule_id: guard, description: route.description, evaluation, evidence: routeEvidence(context) };
}
