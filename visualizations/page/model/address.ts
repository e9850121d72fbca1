/** Nodes that whoever looks has added stand in the address of the page, so that a view can be kept and passed on. */
export interface NamedNode {
  readonly name: string;
  readonly url: string;
}

/** The base of a node's addresses, with a slash at its end; `null` for what is no http address. */
export function baseOf(url: string, page: string): string | null {
  const slashed = url.endsWith('/') ? url : `${url}/`;
  if (!URL.canParse(slashed, page)) return null;
  const { protocol, origin, pathname } = new URL(slashed, page);
  return protocol === 'http:' || protocol === 'https:' ? `${origin}${pathname}` : null;
}

/** The nodes of an address: `?node=NAME=URL`, any number of times; what is none is left out. */
export function nodesOf(address: string): readonly NamedNode[] {
  return new URL(address).searchParams.getAll('node').flatMap((text) => {
    const at = text.indexOf('=');
    const [name, url] = [text.slice(0, at), text.slice(at + 1)];
    return at > 0 && baseOf(url, address) !== null ? [{ name, url }] : [];
  });
}

/** The same address with these nodes in it. */
export function addressWith(address: string, nodes: readonly NamedNode[]): string {
  const changed = new URL(address);
  changed.searchParams.delete('node');
  for (const { name, url } of nodes) changed.searchParams.append('node', `${name}=${url}`);
  return changed.href;
}
