/** The charts as a document: every state with what it means, every transition with what decides it (P5-I1, P5-I3). */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { nodeMachine } from '../machines/node.ts';
import { primaryMachine } from '../machines/primary.ts';

export function chartDocument(): string {
  return [
    '# The charts, state by state',
    '',
    'Written by `npm run generate` from `machines/`; `npm run check:generated` fails when it is out of date.',
    'A list of transitions is tried from the top: the first whose guard holds is taken. `always` needs no event.',
    '',
    ...chart('Node chart (a replica)', nodeMachine),
    ...chart('Chart of a primary: the node chart with replication left out', primaryMachine),
  ].join('\n');
}

function chart(title: string, machine: AnyStateMachine): string[] {
  const nodes = statesOf(machine.root);
  return [
    `## ${title}`,
    '',
    '| state | what it means | invariants | on | if | to |',
    '|---|---|---|---|---|---|',
    ...nodes.flatMap((node) => rows(node)),
    '',
  ];
}

function statesOf(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(statesOf)];
}

function rows(node: AnyStateNode): string[] {
  const { invariants = [] } = (node.meta ?? {}) as { invariants?: readonly string[] };
  const transitions: AnyTransitionDefinition[] = [
    ...[...node.transitions.values()].flat(),
    ...(node.always ?? []),
  ];
  const lines = transitions.map((transition) => cells(transition));
  const [first = ['', '', ''], ...rest] = lines;
  return [
    row(`\`${node.id}\``, text(node.description ?? ''), invariants.join(' '), ...first),
    ...rest.map((line) => row('', '', '', ...line)),
  ];
}

function cells(transition: AnyTransitionDefinition): string[] {
  const event = transition.eventType as string;
  const { guard } = transition as { guard?: string | { readonly type?: string } };
  const name = typeof guard === 'string' ? guard : guard?.type;
  const target = transition.target?.map(({ id }) => `\`${id}\``).join(' ') ?? 'stays';
  return [event === '' ? 'always' : `\`${event}\``, name === undefined ? '' : `\`${name}\``, target];
}

function row(...values: string[]): string {
  return `| ${values.join(' | ')} |`;
}

function text(value: string): string {
  return value.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
