/** Points and boxes, and how what ELK says becomes them. */
import type { ElkNode } from 'elkjs/lib/elk.bundled.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Box extends Point, Size {}

/** Whole pixels are enough, and the same on every processor. */
export function moved<Shape extends Point>(shape: Shape, { x, y }: Point): Shape {
  return { ...shape, x: Math.round(shape.x + x), y: Math.round(shape.y + y) };
}

export function shapeBox({ x = 0, y = 0, width, height }: Partial<ElkNode>): Box {
  return {
    x,
    y,
    width: Math.ceil(found(width, 'a width')),
    height: Math.ceil(found(height, 'a height')),
  };
}

export function found<Thing>(thing: Thing | undefined, what: string): Thing {
  if (thing === undefined) throw new Error(`something of the chart was not laid out: ${what}`);
  return thing;
}
