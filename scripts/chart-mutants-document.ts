/** What became of every chart that is wrong in one place, as a document. */
import type { AnyStateMachine } from 'xstate';
import { chartMutants, type ChartMutantFate } from '../machines/model/mutants.ts';
import { nodeMachine } from '../machines/node.ts';
import { primaryMachine } from '../machines/primary.ts';
import { table } from './markdown.ts';

export type Fates = readonly (ChartMutantFate & { readonly chart: string })[];

export function chartMutantFates(): Fates {
  const fates = (chart: string, machine: AnyStateMachine, role: 'primary' | 'replica') =>
    [...chartMutants(machine, role)].map((fate) => ({ chart, ...fate }));
  return [
    ...fates('primary', primaryMachine as AnyStateMachine, 'primary'),
    ...fates('node', nodeMachine as AnyStateMachine, 'replica'),
  ];
}

export function chartMutantsDocument(fates: Fates): string {
  const ways = ['exploration', 'product', 'coverage', 'refused', null] as const;
  const charts = [...new Set(fates.map(({ chart }) => chart))];
  const count = (chart: string, way: (typeof ways)[number]) =>
    fates.filter((fate) => fate.chart === chart && fate.by === way).length;
  return [
    '# Charts that are wrong in one place',
    '',
    'Made by `npm run generate docs/generated/CHART-MUTANTS.md`, which takes minutes, and compared by `npm run test:deep`.',
    '',
    'Each way out of a state was led elsewhere (to the two states that follow its target), nowhere, left without its actions,',
    'and taken away; each field that an action records, or that an effect is asked, was forgotten. *exploration* and *product*:',
    'a rule was broken. *coverage*: no rule was, and a transition could not be taken any more, which `npm test` counts. *refused*: XState does not',
    'take the chart, or an event of the payload table has no place in it.',
    '',
    table(
      ['chart', 'mutants', 'exploration', 'product', 'coverage', 'refused', 'not noticed'],
      charts.map((chart) => [
        chart,
        fates.filter((fate) => fate.chart === chart).length,
        ...ways.map((way) => count(chart, way)),
      ]),
    ),
    table(
      ['chart', 'what was changed', 'noticed by', 'what it broke'],
      fates.map(({ chart, name, by, what }) => [chart, name, by ?? '**nothing**', what]),
    ),
  ].join('\n');
}
