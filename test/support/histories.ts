/** Nodes with a history that is known without them, and how to ask for all of it. */
import { expect } from 'vitest';
import type { Primary, Replica } from '../../src/index.ts';
import { del, put, startReplica, temporaryDirectory } from './nodes.ts';

type Node = Pick<Primary, 'read' | 'position'>;

const KEYS = ['a', 'b', 'c', 'd', 'e'];

/** Puts that overwrite each other, deletions, and commits that write a document twice. */
export const operationsOf = (n: number) => [
  put(KEYS[n % KEYS.length] as string, `first ${n}`),
  put(KEYS[n % KEYS.length] as string, `${KEYS[n % KEYS.length]} of commit ${n}`),
  ...(n % 4 === 3 ? [del(KEYS[(n + 2) % KEYS.length] as string)] : []),
];

/** Makes commits up to the n-th. */
export async function commitTo(primary: Primary, n: number): Promise<void> {
  for (let next = (primary.position()?.commitId ?? 0) + 1; next <= n; next += 1)
    await primary.commit(operationsOf(next));
}

/** What a view at a commit shows of every document. */
export function shownAt(commitId: number): Record<string, string | null> {
  const shown: Record<string, string | null> = Object.fromEntries(KEYS.map((key) => [key, null]));
  for (let n = 1; n <= commitId; n += 1)
    for (const operation of operationsOf(n))
      shown[operation.id] = operation.op === 'put' ? operation.document : null;
  return shown;
}

/** Every view from a commit on shows what history says. */
export async function expectViews(node: Node, from: number, to: number): Promise<void> {
  for (let at = from; at <= to; at += 1) {
    const found = await node.read(async (view) => view.getMany('c', KEYS), { at });
    const shown = Object.fromEntries(KEYS.map((key, n) => [key, found[n]?.document.toString() ?? null]));
    expect(shown, `the view at ${at}`).toEqual(shownAt(at));
  }
}

/** The digest of all the state at a commit. */
export async function digestOf(node: Node, at: number): Promise<string> {
  return (await node.read((view) => view.stateDigest(), { at })).sha256;
}

export function replicaOf(
  primary: Primary,
  dataDir: string | null = null,
  bootstrap: 'wal' | 'snapshot' = 'wal',
): Promise<Replica> {
  return (async () =>
    startReplica({
      dataDir: dataDir ?? (await temporaryDirectory()),
      primaryUrl: primary.url as string,
      replication: 'enabled',
      bootstrap,
    }))();
}
