import { statesEntered } from '../../../src/core/state-line.ts';
import { statesOf } from '../model/moment.ts';
import type { Seen } from '../model/seen.ts';

const drawings = new Map<string, Promise<SVGSVGElement>>();
/** Taken out before it is parsed: even of a document that is nowhere shown the policy complains. */
const STYLE = /<style>([\s\S]*?)<\/style>/g;
let styled: CSSStyleSheet | null = null;

/**
 * A drawing of a chart, its own copy each time. Its style sheet becomes one of the page: the page's policy lets no style in
 * that was not in it, but for those that its own script makes.
 *
 * @throws Error where there is none, or what came is no drawing
 */
export async function drawingOf(name: string): Promise<SVGSVGElement> {
  let drawing = drawings.get(name);
  if (drawing === undefined) {
    drawing = fetched(name);
    drawings.set(name, drawing);
    drawing.catch(() => drawings.delete(name));
  }
  return (await drawing).cloneNode(true) as SVGSVGElement;
}

async function fetched(name: string): Promise<SVGSVGElement> {
  const response = await fetch(`page/charts/${encodeURIComponent(name)}`, { credentials: 'omit' });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const text = await response.text();
  const root = new DOMParser().parseFromString(text.replace(STYLE, ''), 'image/svg+xml').documentElement;
  if (!(root instanceof SVGSVGElement)) throw new Error('it is no SVG');
  if (styled === null) {
    styled = new CSSStyleSheet();
    styled.replaceSync([...text.matchAll(STYLE)].map(([, style]) => style).join('\n'));
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, styled];
  }
  return root;
}

/** Lights the drawing up as what is seen says: states that are active, transitions that may be or were taken. */
export function mark(svg: SVGSVGElement, { line, candidates, moment }: Seen): void {
  const entered = new Set(moment === null ? [] : statesEntered(moment.from, moment.to));
  const current = new Set(line === null ? [] : statesOf(line));
  const around = new Set([...current].flatMap(pathsAround));
  const allowed = new Set(
    (candidates ?? []).filter((one) => one.allowed).map(({ transition }) => transition),
  );
  const barred = new Set(
    (candidates ?? []).filter((one) => !one.allowed).map(({ transition }) => transition),
  );
  const taken = new Set(moment?.transitions ?? []);
  for (const state of svg.querySelectorAll<SVGElement>('[data-state]')) {
    const path = (state.dataset['state'] ?? '').replace(/^[^.]*\.?/, '');
    state.classList.toggle('is-current', path !== '' && current.has(path));
    state.classList.toggle('is-entered', current.has(path) && entered.has(path));
    state.classList.toggle('is-around', path !== '' && around.has(path));
  }
  for (const transition of svg.querySelectorAll<SVGElement>('[data-transition]')) {
    const id = transition.dataset['transition'] ?? '';
    transition.classList.toggle('is-allowed', allowed.has(id));
    transition.classList.toggle('is-barred', barred.has(id));
    transition.classList.toggle('is-taken', taken.has(id));
  }
}

function pathsAround(path: string): readonly string[] {
  const parts = path.split('.');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('.'));
}

/** The box around states of a kind, in coordinates of the window; `null` where there are none. */
export function lit(svg: SVGSVGElement, kind: '.is-current' | '.is-entered'): DOMRect | null {
  const boxes = [...svg.querySelectorAll(`${kind} > rect`)].map((rect) => rect.getBoundingClientRect());
  if (boxes.length === 0) return null;
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const right = Math.max(...boxes.map((box) => box.right));
  const bottom = Math.max(...boxes.map((box) => box.bottom));
  return new DOMRect(left, top, right - left, bottom - top);
}
