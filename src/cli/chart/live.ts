/** Where a node stands in its chart, drawn for a terminal. */
import type { AnswerOf } from '../../http/contract/endpoint.ts';
import type { getMachine } from '../../http/contract/why.ts';
import { ReplichartError } from '../../core/errors.ts';
import { oneLine } from '../table.ts';
import { shown } from './table.ts';

type Machine = AnswerOf<typeof getMachine>['data'];
type LiveChart = NonNullable<Machine['chart']>;
type LiveState = LiveChart['states'][number];
type Candidate = Machine['candidates'][number];

/** Marks of current states, on a terminal and elsewhere. */
export interface Marks {
  readonly current: string;
  readonly other: string;
  readonly lit: (text: string) => string;
}

export const TERMINAL_MARKS: Marks = {
  current: '▶ ',
  other: '  ',
  lit: (text) => `\u001b[1;32m${text}\u001b[0m`,
};
/** The same without colour: for those who ask for none. */
export const BARE_MARKS: Marks = { ...TERMINAL_MARKS, lit: (text) => text };
export const PLAIN_MARKS: Marks = { current: '* ', other: '  ', lit: (text) => text };

/**
 * The states as a tree with the current ones marked, then the transitions that are allowed now, and for each other
 * candidate why not. What a state holds that is not current is only counted.
 */
export function liveText(url: string, machine: Machine, marks: Marks): string {
  const chart = consistent(url, machine);
  const active = activeIn(url, machine, chart);
  const allowed = machine.candidates.filter((candidate) => candidate.allowed);
  const others = machine.candidates.filter((candidate) => !candidate.allowed);
  return [
    oneLine(`${url}: chart ${machine.chart_id}, ${machine.replica_state}, ${machine.status}`),
    '',
    ...treeLines(chart, active, marks),
    '',
    ...list(
      'allowed now',
      allowed.map((candidate) => [oneLine(transitionText(chart, candidate))]),
    ),
    '',
    ...list(
      'not now',
      others.map((candidate) => whyNot(chart, machine, candidate).map(oneLine)),
    ),
  ].join('\n');
}

function list(title: string, entries: readonly (readonly string[])[]): readonly string[] {
  if (entries.length === 0) return [`${title}: nothing`];
  return [
    `${title}:`,
    ...entries.flatMap(([first = '', ...rest]) => [`  ${first}`, ...rest.map((line) => `      ${line}`)]),
  ];
}

function treeLines(chart: LiveChart, active: ReadonlySet<string>, marks: Marks): readonly string[] {
  const lines = (state: LiveState, lead: string, below: string): readonly string[] => {
    const children = chart.states.filter(({ parent }) => parent === state.id);
    const isActive = active.has(state.id);
    const text = stateText(chart, state, isActive, children.length > 0);
    const line = isActive ? `${lead}${marks.lit(`${marks.current}${text}`)}` : `${lead}${marks.other}${text}`;
    if (!isActive) return [line];
    const inner = children.flatMap((child, at) =>
      at === children.length - 1
        ? lines(child, `${below}└─`, `${below}    `)
        : lines(child, `${below}├─`, `${below}│   `),
    );
    return [line, ...inner];
  };
  return chart.states.filter(({ parent }) => parent === null).flatMap((state) => lines(state, '', '  '));
}

function stateText(chart: LiveChart, state: LiveState, isActive: boolean, holdsOthers: boolean): string {
  const name = oneLine(state.id.slice(state.id.lastIndexOf('.') + 1));
  if (!isActive && !holdsOthers) return name;
  if (!isActive) {
    const inside = chart.states.filter(({ id }) => id.startsWith(`${state.id}.`)).length;
    return `${name} (${inside} ${inside === 1 ? 'state' : 'states'} inside)`;
  }
  if (holdsOthers) return name;
  const effects = state.invokes.map(({ src }) => `, doing ${src}`).join('');
  return oneLine(`${name}${effects}: ${state.description}`);
}

function transitionText(chart: LiveChart, { source, event, guard, targets }: Candidate): string {
  const to = targets.length === 0 ? '(stays)' : targets.map((id) => shown(chart, id)).join(' ');
  return `${shown(chart, source)}: ${event}${guard === null ? '' : ` [${guard}]`} -> ${to}`;
}

/** A guard that does not hold, with its evidence; or what is asked first; or that the chart takes nothing any more. */
function whyNot(chart: LiveChart, { status, candidates }: Machine, candidate: Candidate): readonly string[] {
  const { verdict, event, source } = candidate;
  const head = transitionText(chart, candidate);
  if (verdict !== null && verdict.evaluation !== 'holds')
    return [
      head,
      `${verdict.evaluation}: ${verdict.rule_id}: ${verdict.description}`,
      JSON.stringify(verdict.evidence),
    ];
  if (status !== 'active') return [head, `the chart takes nothing any more: it is ${status}`];
  const first = candidates.find(
    (one) =>
      one.allowed && one.event === event && (one.source === source || one.source.startsWith(`${source}.`)),
  );
  return [
    head,
    first === undefined ? 'the node does not say why' : `before it comes ${transitionText(chart, first)}`,
  ];
}

/** The ids of the current states and of those around them. */
function activeIn(url: string, { machine_state: line }: Machine, chart: LiveChart): ReadonlySet<string> {
  const active = new Set<string>([chart.id]);
  for (const path of line.split(' | '))
    path.split('.').reduce((around, name) => {
      const id = `${around}.${name}`;
      active.add(id);
      return id;
    }, chart.id);
  const strange = [...active].filter((id) => chart.states.every((state) => state.id !== id));
  if (strange.length > 0) throw notANode(url, `its chart has no state ${strange.join(', ')}`);
  return active;
}

/** The chart of the answer, once it is known that its states are a tree. */
function consistent(url: string, { chart }: Machine): LiveChart {
  if (chart === null) throw notANode(url, 'it leaves out its chart');
  const known = new Set<string>();
  for (const { id, parent } of chart.states) {
    if (known.has(id) || (parent === null ? id !== chart.id : !known.has(parent)))
      throw notANode(url, `its state ${id} stands nowhere in its chart`);
    known.add(id);
  }
  return chart;
}

function notANode(url: string, why: string): ReplichartError {
  return new ReplichartError('NODE_UNREACHABLE', `${url} does not answer as a node does: ${oneLine(why)}`, {
    evidence: { url },
  });
}
