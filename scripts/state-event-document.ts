/** Every state with every event: what comes of it, and what decides that (P5-I3). Nothing is left open. */
import type { Chart, ChartState } from '../machines/chart.ts';
import { CHARTS } from '../machines/charts.ts';
import { answersTo, eventsOf, type Answer } from '../src/chart/answers.ts';
import { pathName } from '../src/chart/labels.ts';
import { isWithin } from '../src/chart/part.ts';
import { table } from './markdown.ts';

const NOTHING = '—';

export function stateEventDocument(): string {
  return [
    '# State × event',
    '',
    'Written by `npm run generate` from `machines/`; `npm run check:generated` fails when it is out of date.',
    '',
    'A cell says what comes of an event in a state: where it leads, or *stays*, or — where it changes nothing. Of several',
    'lines the first whose guard holds is taken, and a line without a guard always holds. ↑ marks what a state around it',
    'answers. *done* and *failed* are the ends of the effect that runs in a state. Of the regions of a parallel state each',
    'is asked by itself; what a region answers, the states around the regions are not asked.',
    '',
    ...section('Node chart (a replica)', CHARTS.node),
    ...section('Chart of a primary', CHARTS.primary),
  ].join('\n');
}

function section(title: string, chart: Chart): string[] {
  const parts = chart.states.filter(({ parent }) => parent === chart.id);
  return [
    `## ${title}`,
    '',
    ...partTable(chart, chart.id, [chart.states[0]]),
    ...parts.flatMap(({ id }) =>
      partTable(
        chart,
        pathName(chart, id),
        chart.states.filter((state) => isWithin(state.id, id)),
      ),
    ),
  ];
}

function partTable(chart: Chart, title: string, states: readonly (ChartState | undefined)[]): string[] {
  const events = eventsOf(chart);
  const [always, ...others] = events;
  const rows = states
    .filter((state) => state !== undefined)
    .map((state) => {
      const cell = (event: string) => answersText(chart, answersTo(chart, state.id, event));
      const ends = (kind: 'done' | 'error') =>
        state.invokes.map(({ id }) => cell(`xstate.${kind}.actor.${id}`)).join('<br>') || NOTHING;
      return [
        `\`${pathName(chart, state.id)}\``,
        cell(always ?? 'always'),
        state.invokes.map(({ src }) => `\`${src}\``).join('<br>') || NOTHING,
        ends('done'),
        ends('error'),
        ...others.map(cell),
      ];
    });
  const head = ['state', 'always', 'effect', 'done', 'failed', ...others.map((event) => `\`${event}\``)];
  return [`### ${title}`, '', table(head, rows)];
}

function answersText(chart: Chart, answers: readonly Answer[]): string {
  return answers.map((answer) => answerText(chart, answer)).join('<br>') || NOTHING;
}

function answerText(chart: Chart, { transition: { guard, targets }, inheritedFrom }: Answer): string {
  const goesTo = targets.map((id) => `\`${pathName(chart, id)}\``).join(' ') || '*stays*';
  const outcome = guard === null ? goesTo : `\`${guard}\` → ${goesTo}`;
  return inheritedFrom === null ? outcome : `↑ ${outcome}`;
}
