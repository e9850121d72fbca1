import { lit } from './chart-drawing.ts';

const SCALE_MIN = 0.05;
const SCALE_MAX = 4;
const PAN_PART = 0.5;
/** At this scale the labels have their own size; below that one nobody reads them. */
const SCALE_READ = 1;
const SCALE_LEGIBLE = 0.6;
const MARGIN = 16;

/** A drawing in a pane that scrolls: zoomed, panned, and brought to a place. */
export class Viewport {
  readonly svg: SVGSVGElement;
  readonly #pane: HTMLElement;
  readonly #width: number;
  readonly #height: number;
  #scale = 1;

  constructor(pane: HTMLElement, svg: SVGSVGElement) {
    this.svg = svg;
    this.#pane = pane;
    const { width, height } = svg.viewBox.baseVal;
    this.#width = width;
    this.#height = height;
    svg.removeAttribute('width');
    svg.removeAttribute('height');
    this.#setScale(1);
    // Preact listens passively to the wheel; here the browser must not zoom the page instead.
    pane.onwheel = (event) => this.#wheel(event);
  }

  /** Zooms about the middle of what is seen. */
  zoom(factor: number): void {
    const { clientWidth, clientHeight } = this.#pane;
    this.#zoomAt(factor, clientWidth / 2, clientHeight / 2);
  }

  /** The whole drawing at once. */
  fit(): void {
    const { clientWidth, clientHeight } = this.#pane;
    this.#setScale(Math.min(clientWidth / this.#width, clientHeight / this.#height));
  }

  /** By parts of what is seen. */
  pan(right: number, down: number): void {
    const { clientWidth, clientHeight } = this.#pane;
    this.#pane.scrollBy(right * clientWidth * PAN_PART, down * clientHeight * PAN_PART);
  }

  /** Brings what is lit into view, all of it where it can be read then; else the part that was entered last. */
  show(): void {
    const all = lit(this.svg, '.is-current');
    if (all === null) return;
    const fitting = this.#scale * Math.min(this.#fitOf(all), SCALE_READ / this.#scale);
    if (fitting >= SCALE_LEGIBLE) this.#setScale(fitting);
    else this.#setScale(SCALE_READ);
    this.follow();
  }

  /** The same without another zoom. */
  follow(): void {
    const all = lit(this.svg, '.is-current');
    const last = this.#fitOf(all) < 1 ? lit(this.svg, '.is-entered') : null;
    this.#center(last ?? all ?? null);
  }

  #fitOf(box: DOMRect | null): number {
    const { clientWidth, clientHeight } = this.#pane;
    return box === null
      ? 1
      : Math.min((clientWidth - 2 * MARGIN) / box.width, (clientHeight - 2 * MARGIN) / box.height);
  }

  /** Of a box that is too large, its beginning. */
  #center(box: DOMRect | null): void {
    if (box === null) return;
    const pane = this.#pane;
    const seen = pane.getBoundingClientRect();
    const left = box.left - seen.left - Math.max(MARGIN, (pane.clientWidth - box.width) / 2);
    const top = box.top - seen.top - Math.max(MARGIN, (pane.clientHeight - box.height) / 2);
    pane.scrollBy(left, top);
  }

  key(event: KeyboardEvent): void {
    const run = this.#keys[event.key];
    if (run === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    run();
  }

  readonly #keys: Readonly<Record<string, () => void>> = {
    '+': () => this.zoom(1.25),
    '=': () => this.zoom(1.25),
    '-': () => this.zoom(0.8),
    '0': () => this.fit(),
    '.': () => this.show(),
  };

  drag({ pointerType, button, clientX, clientY }: PointerEvent): void {
    // A finger scrolls by itself.
    if (pointerType !== 'mouse' || button !== 0) return;
    const pane = this.#pane;
    const [left, top] = [pane.scrollLeft + clientX, pane.scrollTop + clientY];
    const move = (moved: PointerEvent) => pane.scrollTo(left - moved.clientX, top - moved.clientY);
    const drop = () => {
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', drop);
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', drop);
  }

  #wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const { left, top } = this.#pane.getBoundingClientRect();
    this.#zoomAt(event.deltaY < 0 ? 1.1 : 1 / 1.1, event.clientX - left, event.clientY - top);
  }

  #zoomAt(factor: number, x: number, y: number): void {
    const pane = this.#pane;
    const before = this.#scale;
    const [left, top] = [pane.scrollLeft + x, pane.scrollTop + y];
    this.#setScale(before * factor);
    const grown = this.#scale / before;
    pane.scrollTo(left * grown - x, top * grown - y);
  }

  #setScale(scale: number): void {
    this.#scale = Math.min(SCALE_MAX, Math.max(SCALE_MIN, scale));
    this.svg.style.width = `${this.#width * this.#scale}px`;
    this.svg.style.height = `${this.#height * this.#scale}px`;
  }
}
