import type { Chart, ChartState, ChartTransition } from '../../machines/chart.ts';
import { labelOf, shortName } from './labels.ts';

/** A chart in Mermaid's language of state diagrams; each state is declared once, and each transition is on one arrow. */
export function mermaidOf(chart: Chart): string {
  const [root, ...states] = chart.states;
  const top = states.filter(({ parent }) => parent === root?.id);
  return [
    'stateDiagram-v2',
    // Mermaid draws no arrow from a state to one inside it, so the root stands beside the states that it holds.
    ...(root === undefined ? [] : [`  ${declared(root, `${shortName(root)}: in every state`)}`]),
    ...entries(chart, root),
    ...top.flatMap((state) => stateLines(chart, state)).map(indented),
    ...chart.transitions
      .filter(({ event }) => event !== 'initial')
      .flatMap((transition) => arrows(chart, transition)),
    '',
  ].join('\n');
}

/** The name of a state in Mermaid, which knows no dots. */
export function mermaidId(id: string): string {
  return id.replaceAll('.', '_');
}

/** The text beside an arrow, with everything that means something to Mermaid as a character code. */
export function mermaidText(text: string): string {
  return text.replace(/[^\w .\-[\]()]/gu, (character) => `#${character.codePointAt(0)};`);
}

function stateLines(chart: Chart, state: ChartState): readonly string[] {
  const children = chart.states.filter(({ parent }) => parent === state.id);
  if (children.length === 0) return [declared(state, shortName(state))];
  const inner = children.map((child) => stateLines(chart, child));
  const body =
    state.type === 'parallel'
      ? inner.flatMap((lines, at) => (at === 0 ? lines : ['--', ...lines]))
      : inner.flat();
  return [`${declared(state, shortName(state))} {`, ...entries(chart, state), ...body.map(indented), '}'];
}

function declared({ id }: ChartState, text: string): string {
  return `state "${mermaidText(text)}" as ${mermaidId(id)}`;
}

function entries({ transitions }: Chart, state: ChartState | undefined): readonly string[] {
  return transitions
    .filter(({ source, event }) => source === state?.id && event === 'initial')
    .flatMap(({ targets }) => targets.map((target) => `  [*] --> ${mermaidId(target)}`));
}

function arrows(chart: Chart, transition: ChartTransition): readonly string[] {
  return endsOf(transition).flatMap((end) => {
    const together = end === transition.source ? loopsOf(chart, end) : [transition];
    // Mermaid draws one loop a state and drops the others, so all of them share one arrow.
    if (together[0] !== transition) return [];
    const text = together.map((one) => mermaidText(labelOf(one).join(' '))).join(', ');
    return [`  ${mermaidId(transition.source)} --> ${mermaidId(end)} : ${text}`];
  });
}

function loopsOf({ transitions }: Chart, state: string): readonly ChartTransition[] {
  return transitions.filter((one) => one.source === state && endsOf(one).includes(state));
}

/** A transition that leaves no state is drawn as a loop. */
function endsOf({ source, targets }: ChartTransition): readonly string[] {
  return targets.length === 0 ? [source] : targets;
}

function indented(line: string): string {
  return `  ${line}`;
}
