import { addressWith, baseOf, nodesOf, type NamedNode } from './address.ts';
import { Changes } from './changes.ts';
import type { WrittenConfig } from './config.ts';
import { journalOf, type Journal } from './journal.ts';
import { WatchedNode } from './watched-node.ts';

export type Watched = WatchedNode | Journal;

/** All that the page shows: nodes that are asked, journals that were opened, and which of them is in view. */
export class PageModel {
  readonly changes = new Changes();
  readonly config: WrittenConfig;
  nodes: readonly WatchedNode[] = [];
  journals: readonly Journal[] = [];
  inView: Watched | null = null;
  /** What went wrong with what was asked of the page last. */
  complaint: string | null = null;
  /** Those that whoever looks has added; they stand in the address. */
  #added: readonly NamedNode[] = [];

  constructor(config: WrittenConfig) {
    this.config = config;
    for (const node of config.nodes) this.#watch(node);
    for (const node of nodesOf(location.href)) this.addNode(node);
    this.view(this.nodes[0] ?? null);
  }

  view(watched: Watched | null): void {
    this.inView = watched;
    for (const node of this.nodes) node.view(node === watched);
    this.changes.happened();
  }

  addNode(added: NamedNode): void {
    this.complaint = null;
    if (this.#watch(added)) {
      this.#added = [...this.#added, added];
      this.#writeAddress();
    } else this.complaint = `${added.url} is no http address, or the node is there already`;
    this.changes.happened();
  }

  isAdded({ base }: WatchedNode): boolean {
    return this.#added.some(({ url }) => baseOf(url, location.href) === base);
  }

  removeNode(node: WatchedNode): void {
    node.end();
    this.nodes = this.nodes.filter((one) => one !== node);
    this.#added = this.#added.filter(({ url }) => baseOf(url, location.href) !== node.base);
    this.#writeAddress();
    this.view(this.inView === node ? (this.nodes[0] ?? null) : this.inView);
  }

  async openJournal(file: File): Promise<void> {
    this.complaint = null;
    try {
      const journal = await journalOf(file);
      this.journals = [...this.journals.filter(({ name }) => name !== journal.name), journal];
      this.view(journal);
    } catch (error) {
      this.complaint = `${file.name} cannot be opened: ${error instanceof Error ? error.message : String(error)}`;
    }
    this.changes.happened();
  }

  closeJournal(journal: Journal): void {
    this.journals = this.journals.filter((one) => one !== journal);
    this.view(this.inView === journal ? (this.nodes[0] ?? null) : this.inView);
  }

  #watch({ name, url }: NamedNode): boolean {
    const base = baseOf(url, location.href);
    if (base === null || this.nodes.some((node) => node.base === base)) return false;
    this.nodes = [...this.nodes, new WatchedNode(name, base, this.changes)];
    return true;
  }

  #writeAddress(): void {
    history.replaceState(null, '', addressWith(location.href, this.#added));
  }
}
