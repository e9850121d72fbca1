/** Reads a chart back from SCXML, and says what of W3C SCXML 1.0 a document breaks. */
import type { ChartState, ChartTransition } from '../../machines/chart.ts';
import type { Element } from './xml.ts';

/** Of the recommendation, the part that a chart can need: what each element may hold and say. */
const ELEMENTS: Readonly<
  Record<string, { readonly holds: readonly string[]; readonly says: readonly string[] }>
> = {
  scxml: {
    holds: ['state', 'parallel', 'final'],
    says: ['xmlns', 'xmlns:chart', 'version', 'datamodel', 'name', 'initial'],
  },
  state: { holds: ['initial', 'invoke', 'transition', 'state', 'parallel', 'final'], says: ['id'] },
  parallel: { holds: ['invoke', 'transition', 'state', 'parallel'], says: ['id'] },
  final: { holds: [], says: ['id'] },
  initial: { holds: ['transition'], says: [] },
  invoke: { holds: [], says: ['id', 'src'] },
  transition: { holds: [], says: ['event', 'cond', 'target', 'type'] },
};

/** `event` is a list of names with dots between their words; an id is a name as XML has them. */
const EVENTS = /^[\w-]+(\.[\w-]+)*$/;
const NAME = /^[A-Za-z_][\w.-]*$/;

export function faultsOfScxml(root: Element): readonly string[] {
  const all = elementsIn(root).map(({ element }) => element);
  const ids = all.filter(({ name }) => /^(state|parallel|final)$/.test(name)).map(idOf);
  const targets = (element: Element) =>
    (element.attributes['target'] ?? '').split(' ').filter((id) => id !== '');
  return [
    ...(root.name === 'scxml' && root.attributes['xmlns'] === 'http://www.w3.org/2005/07/scxml'
      ? []
      : ['no scxml']),
    ...(root.attributes['version'] === '1.0' && ids.includes(root.attributes['initial'] ?? '')
      ? []
      : ['its head']),
    ...ids.filter((id, at) => ids.indexOf(id) !== at || !NAME.test(id)).map((id) => `id ${id}`),
    ...all.flatMap((element) => {
      const { name, attributes, children } = element;
      if (name.startsWith('chart:')) return [];
      const rule = ELEMENTS[name];
      if (rule === undefined) return [`<${name}>`];
      const is = (allowed: readonly string[]) => (one: string) =>
        one.startsWith('chart:') || allowed.includes(one);
      return [
        ...Object.keys(attributes)
          .filter((one) => !is(rule.says)(one))
          .map((one) => `${name}: ${one}`),
        ...children.filter((one) => !is(rule.holds)(one.name)).map((one) => `${name} holds ${one.name}`),
        ...targets(element)
          .filter((id) => !ids.includes(id))
          .map((id) => `no target ${id}`),
      ];
    }),
    ...all.flatMap(faultsOfTransition),
    ...all
      .filter(
        ({ name, children }) => name === 'initial' && !(children.length === 1 && entersOnly(children[0])),
      )
      .map(() => 'an initial that is more than an entry'),
  ];
}

function faultsOfTransition({ name, attributes }: Element): readonly string[] {
  if (name !== 'transition') return [];
  const { event, cond, target, type } = attributes;
  return [
    ...((event ?? cond ?? target) === undefined ? ['a transition on nothing to nowhere'] : []),
    ...(event === undefined || EVENTS.test(event) ? [] : [`event ${event}`]),
    ...(type === undefined || type === 'internal' ? [] : [`type ${type}`]),
  ];
}

function entersOnly(transition: Element | undefined): boolean {
  const { event, cond, target } = transition?.attributes ?? {};
  return event === undefined && cond === undefined && target !== undefined;
}

/** What SCXML shows of a chart; `type` is the name of its element. */
export function chartInScxml(root: Element): {
  readonly states: readonly (Omit<ChartState, 'path' | 'initial' | 'type'> & { readonly type: string })[];
  readonly transitions: readonly Omit<ChartTransition, 'invariant'>[];
} {
  const states = elementsIn(root).filter(({ element: { name } }) => /^(state|parallel|final)$/.test(name));
  return {
    states: states.map(({ element, around }) => ({
      id: idOf(element),
      parent: around === null || around.name === 'scxml' ? null : idOf(around),
      type: element.name,
      description: descriptionOf(element) ?? '',
      invariants: invariantsOf(element),
      invokes: element.children
        .filter(({ name }) => name === 'invoke')
        .map((invoke) => ({ id: idOf(invoke), src: invoke.attributes['src'] ?? '' })),
    })),
    transitions: states.flatMap(({ element }) =>
      element.children.flatMap((child) => {
        if (child.name === 'initial')
          return child.children.map((transition) => transitionIn(element, transition, 'initial'));
        return child.name === 'transition' ? [transitionIn(element, child, 'always')] : [];
      }),
    ),
  };
}

function transitionIn(
  state: Element,
  transition: Element,
  eventless: string,
): Omit<ChartTransition, 'invariant'> {
  const { event, cond, target = '' } = transition.attributes;
  return {
    id: transition.attributes['chart:id'] ?? '',
    source: idOf(state),
    event: (event ?? eventless)
      .replace(/^done\.invoke\./, 'xstate.done.actor.')
      .replace(/^error\.platform\./, 'xstate.error.actor.'),
    guard: cond === undefined ? null : (/^guard\('(.*)'\)$/.exec(cond)?.[1] ?? cond).replace(/\\(.)/g, '$1'),
    targets: target === '' ? [] : target.split(' '),
    actions: transition.children
      .filter(({ name }) => name === 'chart:action')
      .map(({ attributes }) => attributes['name'] ?? ''),
    description: descriptionOf(transition),
    invariants: invariantsOf(transition),
  };
}

function elementsIn(
  element: Element,
  around: Element | null = null,
): readonly { readonly element: Element; readonly around: Element | null }[] {
  return [{ element, around }, ...element.children.flatMap((child) => elementsIn(child, element))];
}

function idOf({ attributes }: Element): string {
  return attributes['id'] ?? '';
}

function descriptionOf({ children }: Element): string | null {
  return children.find(({ name }) => name === 'chart:description')?.text ?? null;
}

function invariantsOf({ attributes }: Element): ChartState['invariants'] {
  return (attributes['chart:invariants'] ?? '')
    .split(' ')
    .filter((id) => id !== '') as ChartState['invariants'];
}
