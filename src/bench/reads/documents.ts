import type { ReadDocument, ReadView } from '../../index.ts';
import { BenchFailure } from '../failure.ts';
import { COLLECTION, documentKey, documentText } from '../w1.ts';

/** A document that is read, and what must be found: the document of number n was put by commit n + 1, alone. */
export interface Pick {
  readonly n: number;
  readonly key: string;
  readonly document: Buffer;
}

export function pickOf(n: number): Pick {
  return { n, key: documentKey(n), document: Buffer.from(documentText(n)) };
}

export async function readPick(view: ReadView, pick: Pick): Promise<void> {
  proveDocument(pick, await view.get(COLLECTION, pick.key));
}

/** All of them at once. */
export async function readPicks(view: ReadView, picks: readonly Pick[]): Promise<void> {
  await Promise.all(picks.map((pick) => readPick(view, pick)));
}

export function proveDocument({ n, key, document }: Pick, found: ReadDocument | null): void {
  if (found?.commitId !== n + 1 || !found.document.equals(document))
    throw new BenchFailure(
      `${key} is ${found?.document.toString() ?? 'not there'}, of commit ${found?.commitId ?? 'none'}; it must be ${document.toString()}`,
    );
}
