/** Reads XML of elements, attributes and text, and refuses what is not well formed. */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

interface Open extends Element {
  readonly children: Element[];
  text: string;
}

/** The root of a document of elements, attributes and text: all that there is in ours. */
export function readXml(document: string): Element {
  const top: Open = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  const rest = document.replace(/^<\?xml [^>]*\?>\n/, '');
  for (const [piece] of rest.matchAll(/<[^>]*>|[^<]+/g)) {
    const around = open.at(-1);
    if (around === undefined) throw new Error(`behind the end: ${piece}`);
    const tag = /^<(\/?)([\w:]+)((?: [\w:]+="[^"<]*")*)(\/?)>$/.exec(piece);
    if (tag === null) {
      if (piece.startsWith('<')) throw new Error(`no tag: ${piece}`);
      around.text += decoded(piece);
      continue;
    }
    const [, closing, name = '', attributes = '', empty] = tag;
    if (closing === '/') {
      if (around.name !== name) throw new Error(`</${name}> ends <${around.name}>`);
      open.pop();
      continue;
    }
    const element: Open = { name, attributes: attributesIn(attributes), children: [], text: '' };
    around.children.push(element);
    if (empty === '') open.push(element);
  }
  const [root] = top.children;
  if (root === undefined || open.length !== 1 || top.children.length !== 1)
    throw new Error('a document has one root, and everything in it ends');
  return root;
}

function attributesIn(text: string): Record<string, string> {
  const found = [...text.matchAll(/ ([\w:]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [
    name,
    decoded(value),
  ]);
  if (new Set(found.map(([name]) => name)).size !== found.length) throw new Error(`twice in${text}`);
  return Object.fromEntries(found) as Record<string, string>;
}

function decoded(text: string): string {
  const raw = text.replace(/&#(\d+);/g, '');
  if (/[&<>]/.test(raw)) throw new Error(`not escaped: ${text}`);
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
}
