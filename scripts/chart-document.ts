/** The charts as a document: every state with what it means, every transition with what decides it (P5-I1, P5-I3). */
import { chartOf, type Chart, type ChartState, type ChartTransition } from '../machines/chart.ts';
import { nodeMachine } from '../machines/node.ts';
import { primaryMachine } from '../machines/primary.ts';

export function chartDocument(): string {
  return [
    '# The charts, state by state',
    '',
    'Written by `npm run generate` from `machines/`; `npm run check:generated` fails when it is out of date.',
    'A list of transitions is tried from the top: the first whose guard holds is taken. `always` needs no event.',
    '',
    ...section('Node chart (a replica)', chartOf(nodeMachine)),
    ...section('Chart of a primary: the node chart with replication left out', chartOf(primaryMachine)),
  ].join('\n');
}

function section(title: string, { states, transitions }: Chart): string[] {
  return [
    `## ${title}`,
    '',
    '| state | what it means | invariants | on | if | to |',
    '|---|---|---|---|---|---|',
    ...states.flatMap((state) =>
      rows(
        state,
        transitions.filter(({ source, event }) => source === state.id && event !== 'initial'),
      ),
    ),
    '',
  ];
}

function rows(
  { id, description, invariants }: ChartState,
  transitions: readonly ChartTransition[],
): string[] {
  const [first = ['', '', ''], ...rest] = transitions.map(cells);
  return [
    row(`\`${id}\``, text(description), invariants.join(' '), ...first),
    ...rest.map((line) => row('', '', '', ...line)),
  ];
}

function cells({ event, guard, targets }: ChartTransition): string[] {
  return [
    event === 'always' ? event : `\`${event}\``,
    guard === null ? '' : `\`${guard}\``,
    targets.length === 0 ? 'stays' : targets.map((id) => `\`${id}\``).join(' '),
  ];
}

function row(...values: string[]): string {
  return `| ${values.join(' | ')} |`;
}

function text(value: string): string {
  return value.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
