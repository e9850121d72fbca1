/** Reads of a node that may be damaged: each is right, or refused with the place; nothing else is allowed. */
import { expect } from 'vitest';
import { ReplichartError } from '../../src/core/errors.ts';
import type { ReadView } from '../../src/node/read-view.ts';
import type { PrimaryNode } from '../../src/primary/primary.ts';
import { visible } from '../../scripts/simulate/visibility-oracle.ts';
import { KEYS, writtenBy } from './simulated-nodes.ts';

const COLLECTION = 'k';

/** Asks every view for every key and for all of them in one range; returns the refusals. */
export async function answersOf(
  { gate }: Pick<PrimaryNode, 'gate'>,
  commits: number,
  from = 0,
): Promise<readonly ReplichartError[]> {
  const all = writtenBy(commits);
  const refusals: ReplichartError[] = [];
  for (let bound = from; bound <= commits; bound += 1) {
    const expected = KEYS.flatMap(
      (key) => visible(all, bound, Buffer.from(COLLECTION), Buffer.from(key)) ?? [],
    );
    await gate.read(
      async (view: ReadView) => {
        for (const key of KEYS) {
          const due = expected.find(({ id }) => id.toString() === key);
          await answered(refusals, `${key} at ${bound}`, due && shownOf(due), async () => {
            const found = await view.get(COLLECTION, key);
            return found === null ? undefined : shownOf(found);
          });
        }
        await answered(refusals, `all at ${bound}`, expected.map(shownOf), async () => {
          const found: string[] = [];
          for await (const document of view.scan(COLLECTION)) found.push(shownOf(document));
          return found;
        });
      },
      { at: bound },
    );
  }
  return refusals;
}

const shownOf = (one: { readonly commitId: number; readonly id: Buffer; readonly document: Buffer | null }) =>
  `${one.commitId}: ${one.id.toString('latin1')} = ${one.document?.toString('latin1')}`;

async function answered(
  refusals: ReplichartError[],
  what: string,
  expected: unknown,
  read: () => Promise<unknown>,
): Promise<void> {
  let found: unknown;
  try {
    found = await read();
  } catch (error) {
    if (!(error instanceof ReplichartError)) throw error;
    refusals.push(error);
    return;
  }
  expect(found, `a wrong answer: ${what}`).toEqual(expected);
}
