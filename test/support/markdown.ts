/** What a document in Markdown has for those who try it: blocks of code, commands, links. */

export interface Block {
  /** What stands behind the fence; empty for none. */
  readonly language: string;
  readonly body: string;
}

const FENCED = /^```(.*)\n([^]*?)^```$/gm;

/** The fenced blocks, in their order. */
export function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(FENCED)].map(([, language = '', body = '']) => ({ language, body }));
}

/** The lines of a block that are commands, without what is said about them. */
export function commandsOf({ body }: Block): readonly string[] {
  return body
    .split('\n')
    .map((line) => line.replace(/(?:^|\s+)#\s.*$/, '').trim())
    .filter((line) => line !== '');
}

/** What stands between backticks in prose, on one line or over its end. */
export function inlineCodeOf(markdown: string): readonly string[] {
  return [...proseOf(markdown).matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replace(/\s+/g, ' '));
}

/** Where its links and pictures lead. */
export function linksOf(markdown: string): readonly string[] {
  const prose = proseOf(markdown).replace(/`[^`]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** What a link may name within it: its headings, as they become anchors. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = [...proseOf(markdown).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function proseOf(markdown: string): string {
  return markdown.replace(FENCED, '');
}
