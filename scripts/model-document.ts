/** What the exploration of the charts found, as a document: sizes, outcomes of guards, and what each guard is there for. */
import type { AnyStateMachine } from 'xstate';
import { checkChart, checkProduct, type ChartReport, type ProductReport } from '../machines/model/check.ts';
import { guardMutants, type GuardMutant } from '../machines/model/mutants.ts';
import type { ProductBound } from '../machines/model/product/world.ts';
import { nodeMachine } from '../machines/node.ts';
import { primaryMachine } from '../machines/primary.ts';
import { table } from './markdown.ts';

const CHARTS = [
  { name: 'node', role: 'replica', machine: nodeMachine as AnyStateMachine, units: 3 },
  { name: 'primary', role: 'primary', machine: primaryMachine as AnyStateMachine, units: 2 },
] as const;

const BOUND: ProductBound = { units: 2, faults: 1, crashes: 1 };

export interface ModelReport {
  readonly charts: readonly (ChartReport & { readonly name: string })[];
  readonly products: readonly ProductReport[];
  readonly mutants: readonly (GuardMutant & { readonly chart: string })[];
}

export function modelReport(): ModelReport {
  return {
    charts: CHARTS.map(({ name, role, machine, units }) => ({
      name,
      ...checkChart(machine, role, { units }),
    })),
    products: (['wal', 'snapshot'] as const).map((bootstrap) =>
      checkProduct(CHARTS[0].machine, { bound: BOUND, bootstrap }),
    ),
    mutants: CHARTS.flatMap(({ name, role, machine }) =>
      [...guardMutants(machine, role)].map((mutant) => ({ chart: name, ...mutant })),
    ),
  };
}

export function modelDocument({ charts, products, mutants }: ModelReport): string {
  return [
    '# The machine as a model',
    '',
    'Made by `npm run generate docs/generated/MODEL.md`, and compared by `npm test`, which explores the charts anyway.',
    '[What is explored, and what that shows](../MODEL.md).',
    '',
    '## The charts among effects that may answer anything',
    '',
    table(
      ['chart', 'units of WAL', 'states', 'steps', 'events', 'transitions taken', 'counterexample'],
      charts.map((chart) => [
        chart.name,
        chart.bound.units,
        chart.states,
        chart.steps,
        chart.events,
        `${chart.transitions.taken} of ${chart.transitions.all}`,
        chart.counterexample?.what ?? 'none',
      ]),
    ),
    '## A replica among a primary, a network and a disk',
    '',
    table(
      ['bootstrap', 'units of WAL', 'faults', 'crashes', 'states', 'steps', 'counterexample'],
      products.map(({ bootstrap, bound, states, steps, counterexample }) => [
        bootstrap,
        bound.units,
        bound.faults,
        bound.crashes,
        states,
        steps,
        counterexample?.what ?? 'none',
      ]),
    ),
    '## What the guards said',
    '',
    'How often each guard was asked in the exploration of its chart, and with which outcome.',
    '',
    table(
      ['chart', 'guard', 'held', 'did not hold'],
      charts.flatMap(({ name, guards }) =>
        Object.entries(guards).map(([guard, { held, failed }]) => [name, `\`${guard}\``, held, failed]),
      ),
    ),
    '## What the guards are there for',
    '',
    'Each guard was replaced by one that always holds, and by one that never does. This is the shortest way to what must',
    'never happen then, as the exploration of that chart or of its product found it. The last column is what the product of the',
    'node chart finds by the state of the world alone, with one unit of WAL and one fault, and no rule of the chart asked: where',
    'nothing stands there, another guard behind this one keeps the world right, or the world does not come to where it counts.',
    '',
    table(
      [
        'chart',
        'guard',
        'turned to',
        'invariant',
        'what breaks',
        'counterexample',
        'found by',
        'in the world',
      ],
      mutants.map(({ chart, guard, says, by, counterexample, inTheWorld }) => [
        chart,
        `\`${guard}\``,
        says ? 'always holds' : 'never holds',
        ...invariantAndRest(counterexample?.what ?? ': **nothing**'),
        counterexample?.transcript.map((line) => moveOf(line)).join(' → ') ?? '',
        by ?? '',
        inTheWorld ?? '',
      ]),
    ),
  ].join('\n');
}

function invariantAndRest(what: string): readonly [string, string] {
  const end = what.indexOf(': ');
  return [what.slice(0, end), what.slice(end + 2)];
}

/** `3. readHaltRecord: none  → recovering.surveying` without its number and its end. */
function moveOf(line: string): string {
  return line.replace(/^\d+\. /, '').replace(/ {2}→ .*$/, '');
}
