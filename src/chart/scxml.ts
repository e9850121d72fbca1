import type { Chart, ChartState, ChartTransition } from '../../machines/chart.ts';
import { isWithin } from './part.ts';

/** Where SCXML has no word for something, it is said in attributes and elements of this namespace. */
const OWN_NAMESPACE = 'urn:replichart:chart';

/**
 * A chart as W3C SCXML 1.0. The end of an effect is the end of an invocation (`done.invoke.ID`, `error.platform.ID`), and
 * a guard is a call `guard('NAME')` that whoever runs the document provides. Descriptions, invariants, the ids of
 * transitions and the names of actions stand in a namespace of their own.
 */
export function scxmlOf(chart: Chart): string {
  const top = chart.states.filter(({ parent }) => parent === null);
  const initial = top.map(({ id }) => id).join(' ');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<scxml xmlns="http://www.w3.org/2005/07/scxml" xmlns:chart="${OWN_NAMESPACE}" version="1.0" datamodel="ecmascript"${attribute('name', chart.id)}${attribute('initial', initial)}>`,
    ...top.flatMap((state) => stateLines(chart, state)).map(indented),
    '</scxml>',
    '',
  ].join('\n');
}

/** The name of an event in SCXML. */
export function scxmlEvent(event: string): string {
  return event
    .replace(/^xstate\.done\.actor\./, 'done.invoke.')
    .replace(/^xstate\.error\.actor\./, 'error.platform.');
}

function stateLines(chart: Chart, state: ChartState): readonly string[] {
  const { id, invariants, description, invokes } = state;
  const tag = tagOf(state);
  const own = chart.transitions.filter(({ source }) => source === id);
  const children = chart.states.filter(({ parent }) => parent === id);
  return [
    `<${tag}${attribute('id', id)}${attribute('chart:invariants', invariants.join(' '))}>`,
    ...[
      ...(description === '' ? [] : [`<chart:description>${escaped(description)}</chart:description>`]),
      ...own.filter(({ event }) => event === 'initial').flatMap(initialLines),
      ...invokes.map((one) => `<invoke${attribute('id', one.id)}${attribute('src', one.src)}/>`),
      ...own.filter(({ event }) => event !== 'initial').flatMap(transitionLines),
      ...children.flatMap((child) => stateLines(chart, child)),
    ].map(indented),
    `</${tag}>`,
  ];
}

function tagOf({ type }: ChartState): string {
  return type === 'parallel' || type === 'final' ? type : 'state';
}

function initialLines(transition: ChartTransition): readonly string[] {
  return ['<initial>', ...transitionLines(transition).map(indented), '</initial>'];
}

function transitionLines(transition: ChartTransition): readonly string[] {
  const { id, source, event, guard, targets, actions, description, invariants } = transition;
  const isEventless = event === 'always' || event === 'initial';
  const isInside = event !== 'initial' && targets.length > 0 && targets.every((to) => isWithin(to, source));
  const attributes = [
    isEventless ? '' : attribute('event', scxmlEvent(event)),
    guard === null ? '' : attribute('cond', `guard('${guard.replace(/['\\]/g, '\\$&')}')`),
    attribute('target', targets.join(' ')),
    // Within the chart's own rules a state is not left by a transition to what it holds.
    isInside ? attribute('type', 'internal') : '',
    attribute('chart:id', id),
    attribute('chart:invariants', invariants.join(' ')),
  ].join('');
  const inner = [
    ...(description === null ? [] : [`<chart:description>${escaped(description)}</chart:description>`]),
    ...actions.map((name) => `<chart:action${attribute('name', name)}/>`),
  ];
  return inner.length === 0
    ? [`<transition${attributes}/>`]
    : [`<transition${attributes}>`, ...inner.map(indented), '</transition>'];
}

/** Nothing where there is nothing to say: SCXML takes no empty lists. */
function attribute(name: string, value: string): string {
  return value === '' ? '' : ` ${name}="${escaped(value)}"`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"\n]/g, (character) => `&#${character.codePointAt(0)};`);
}

function indented(line: string): string {
  return `  ${line}`;
}
