/** How much room text takes: told by its characters, as no font is at hand where a picture is laid out. */

/** Sizes in pixels; the height of a line is relative to its size. */
export const FONT = { state: 12, label: 10, lineHeight: 1.35 } as const;

/** As of the widest common monospace face, relative to its size: text is never wider than the room that it was given. */
const CHARACTER_WIDTH = 0.62;

export function textWidth(text: string, fontSize: number): number {
  return Math.ceil([...text].length * fontSize * CHARACTER_WIDTH);
}

export function textHeight(lines: number, fontSize: number): number {
  return Math.ceil(lines * fontSize * FONT.lineHeight);
}

/** The base line of the first line in a box that begins at `top`: what hangs below a letter stays inside. */
export function baseLine(top: number, fontSize: number): number {
  return Math.round(top + fontSize);
}
