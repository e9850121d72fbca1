/** `replichart machine check`, behind its command line. */
import type { AnyStateMachine } from 'xstate';
import type { ChartName } from '../../../machines/charts.ts';
import {
  charts,
  checkChart,
  checkProduct,
  type ChartReport,
  type CheckOptions,
  type Counterexample,
  type ProductReport,
} from '../../testing/index.ts';
import { fieldsText } from '../output.ts';

export interface ModelChecks {
  readonly charts: readonly ChartName[];
  /** Left out: as many as take a few seconds. */
  readonly units?: number | undefined;
  readonly faults: number;
  readonly crashes: number;
}

export interface CheckedModel {
  readonly verdict: 'holds' | 'broken';
  readonly charts: readonly ({ readonly chart: ChartName } & ChartReport)[];
  readonly products: readonly ({ readonly chart: 'node' } & ProductReport)[];
}

const CHART_UNITS = 3;
const PRODUCT_UNITS = 1;

/** Figures on a terminal change so often that they can be read, and cost nothing. */
const SHOWN_EVERY = 250;

/**
 * Explores the charts, one after another.
 *
 * @param machines what stands in for the charts of this program: for those who look whether a fault is found.
 */
export function checkModel(
  { charts: names, units, faults, crashes }: ModelChecks,
  show: (text: string) => void,
  machines: Partial<Readonly<Record<ChartName, AnyStateMachine>>> = {},
): CheckedModel {
  const machineOf = (name: ChartName) => machines[name] ?? charts[name].machine;
  const shown = (what: string): CheckOptions => ({
    found: (states) => {
      if (states % SHOWN_EVERY === 0) show(`${what}: ${states} states found`);
    },
  });
  const explored = names.map((chart) => ({
    chart,
    ...checkChart(
      machineOf(chart),
      charts[chart].role,
      { units: units ?? CHART_UNITS },
      shown(`the ${chart} chart`),
    ),
  }));
  const bound = { units: units ?? PRODUCT_UNITS, faults, crashes };
  const beginnings = names.includes('node') ? (['wal', 'snapshot'] as const) : [];
  const products = beginnings.map((bootstrap) => ({
    chart: 'node' as const,
    ...checkProduct(
      machineOf('node'),
      { bound, bootstrap },
      shown(`a replica that begins from ${bootstrap}`),
    ),
  }));
  const isBroken = [...explored, ...products].some(({ counterexample }) => counterexample !== null);
  return { verdict: isBroken ? 'broken' : 'holds', charts: explored, products };
}

export function modelText({ verdict, charts: explored, products }: CheckedModel): string {
  return [...explored.map(chartText), ...products.map(productText), verdictText(verdict)].join('\n\n');
}

function chartText({
  chart,
  bound,
  states,
  steps,
  events,
  transitions,
  guards,
  counterexample,
}: CheckedModel['charts'][number]) {
  const asked = Object.entries(guards);
  const oneSided = asked.filter(([, { held, failed }]) => held === 0 || failed === 0).map(([name]) => name);
  return [
    `the ${chart} chart, among effects that may answer anything`,
    fieldsText({
      'units of WAL': bound.units,
      states,
      steps,
      events,
      transitions: `${transitions.taken} of ${transitions.all} taken`,
      guards: `${asked.length - oneSided.length} of ${asked.length} asked with both outcomes`,
    }),
    // An exploration ends at a counterexample: what it has not met by then says nothing.
    ...(counterexample === null ? leftOut(transitions.never, oneSided) : []),
    counterexampleText(counterexample),
  ].join('\n');
}

function leftOut(never: readonly string[], oneSided: readonly string[]): readonly string[] {
  return [
    ...never.map((id) => `never taken with so little WAL: ${id}`),
    ...oneSided.map((name) => `never asked with both outcomes with so little WAL: ${name}`),
  ];
}

function productText({ bootstrap, bound, states, steps, counterexample }: CheckedModel['products'][number]) {
  const { units, faults, crashes } = bound;
  return [
    `a replica that begins from ${bootstrap === 'wal' ? 'WAL' : 'a snapshot'}, among a primary, a network and a disk`,
    fieldsText({ 'units of WAL': units, faults, crashes, states, steps }),
    counterexampleText(counterexample),
  ].join('\n');
}

function counterexampleText(counterexample: Counterexample | null): string {
  if (counterexample === null) return 'no counterexample';
  const { what, transcript } = counterexample;
  return [`counterexample: ${what}`, ...transcript.map((line) => `  ${line}`)].join('\n');
}

function verdictText(verdict: CheckedModel['verdict']): string {
  return verdict === 'holds'
    ? 'verdict: holds. Within these bounds nothing breaks an invariant.'
    : 'verdict: broken. What the counterexample shows can happen to a node.';
}
