/** Rot in the files of the real index store: each bit, each truncation, each file that is gone. */
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ReplichartError } from '../../src/core/errors.ts';
import { levelVersionIndex } from '../../src/io/level/level-version-index.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import type { VersionIndex } from '../../src/io/version-index.ts';
import { temporaryDirectory } from '../support/nodes.ts';
import { depth, WHOLE_TIMEOUT_MS } from './depth.ts';
import { recordFaults, Tally } from './report.ts';
import { flipped } from './rot.ts';

const CHECKPOINT = Buffer.from('checkpoint');
const [FIRST, LAST] = [Buffer.from([0x01]), Buffer.from([0xff])];

/** The n-th batch: a version of its own, one that it replaces, and the checkpoint that says that both are there. */
const entriesOf = (batch: number) => [
  {
    key: Buffer.from(`version ${String(batch).padStart(3, '0')}`),
    value: Buffer.from(`${batch}`.repeat(20)),
  },
  { key: Buffer.from(`latest ${batch % 2}`), value: Buffer.from(`${batch}`) },
  { key: CHECKPOINT, value: Buffer.from(`${batch}`) },
];

/** All that so many batches left, as one text. */
function stateAfter(batches: number): string {
  const state = new Map<string, string>();
  for (let batch = 1; batch <= batches; batch += 1)
    for (const { key, value } of entriesOf(batch)) state.set(key.toString(), value.toString());
  return textOf(state);
}

const textOf = (state: ReadonlyMap<string, string>) => JSON.stringify([...state].sort());

async function stateOf(
  index: VersionIndex,
): Promise<{ readonly checkpoint: number; readonly state: string }> {
  const state = new Map<string, string>();
  for await (const page of index.pages(FIRST, LAST))
    for (const { key, value } of page) state.set(key.toString('latin1'), value.toString('latin1'));
  const checkpoint = Number((await index.get(CHECKPOINT)) ?? 0);
  // What is asked for one by one is found as well.
  for (let batch = 1; batch <= checkpoint; batch += 1)
    for (const { key } of entriesOf(batch)) expect(await index.get(key), key.toString()).toBeDefined();
  return { checkpoint, state: textOf(state) };
}

/** Opened again and again: tables on two levels, a manifest with several edits, and a log with batches of its own. */
async function grown(openings: number, batchesEach: number): Promise<string> {
  const directory = join(await temporaryDirectory(), 'index');
  for (let opening = 0; opening < openings; opening += 1) {
    const index = await levelVersionIndex(nodeFileSystem, directory).open();
    for (let batch = 1; batch <= batchesEach; batch += 1)
      await index.write(entriesOf(opening * batchesEach + batch), { durable: true });
    await index.close();
  }
  return directory;
}

/** What a store makes of its files: nothing that is wrong, and only what the last log held may be gone, batch by batch. */
async function opened(directory: string, all: number, mayLose: number): Promise<string> {
  try {
    const index = await levelVersionIndex(nodeFileSystem, directory).open();
    try {
      const { checkpoint, state } = await stateOf(index);
      expect(state, `after ${checkpoint} batches`).toBe(stateAfter(checkpoint));
      expect(checkpoint, 'what is in tables and older logs').toBeGreaterThanOrEqual(all - mayLose);
      return checkpoint === all
        ? 'as if nothing happened'
        : 'older, with its checkpoint: the WAL is applied again';
    } finally {
      await index.close();
    }
  } catch (error) {
    if (!(error instanceof ReplichartError)) throw error;
    return `refused, ${error.code}`;
  }
}

/** Of a file that was not synced a power cut may leave what was written later, and not what was written before it. */
const HOLE_BYTES = 64;

function* changesOf(bytes: Buffer): Generator<readonly [what: string, bytes: Buffer]> {
  for (let bit = 0; bit < bytes.length * 8; bit += 1) yield [`bit ${bit}`, flipped(bytes, bit)];
  for (let at = 0; at < bytes.length; at += 1) {
    yield [`cut at ${at}`, bytes.subarray(0, at)];
    yield [`zeros from ${at}`, Buffer.concat([bytes.subarray(0, at), Buffer.alloc(bytes.length - at)])];
    yield [`a hole at ${at}`, Buffer.from(bytes).fill(0, at, Math.min(at + HOLE_BYTES, bytes.length))];
  }
}

/** Coprime to eight, so that over many bytes every bit of a byte has its turn. */
const EVERY = depth === 'all' ? 1 : 211;
const [OPENINGS, EACH] = [6, 5];

describe('P5-I10, P5-I12: rot in the files of the index store', { timeout: WHOLE_TIMEOUT_MS }, () => {
  test('every entry is there and right, or the store is refused, or it stands at an older checkpoint', async () => {
    const directory = await grown(OPENINGS, EACH);
    const all = OPENINGS * EACH;
    const names = (await readdir(directory)).filter((name) =>
      /^(CURRENT|MANIFEST-\d+|\d+\.(log|ldb))$/.test(name),
    );
    expect(names.filter((name) => name.endsWith('.ldb')).length).toBeGreaterThan(1);
    const copy = join(await temporaryDirectory(), 'copy');
    const tallies = new Map<string, Tally>();
    let number = 0;
    for (const name of names) {
      const bytes = await readFile(join(directory, name));
      const kind = name.replace(/\d+/, '#');
      const tally = tallies.get(kind) ?? new Tally();
      tallies.set(kind, tally);
      const changes = [...changesOf(bytes)].filter(() => number++ % EVERY === 0);
      for (const [what, rotten] of [...changes, ['gone', null] as const]) {
        await rm(copy, { recursive: true, force: true });
        await cp(directory, copy, { recursive: true });
        await (rotten === null ? rm(join(copy, name)) : writeFile(join(copy, name), rotten));
        const mayLose = name.endsWith('.log') ? EACH : 0;
        tally.add(
          await opened(copy, all, mayLose).catch((error: unknown) => {
            throw new Error(`${name}, ${what}: ${String(error)}`, { cause: error });
          }),
        );
      }
    }
    for (const [kind, { cases, outcomes }] of tallies)
      recordFaults({
        faultClass: `rot: index/${kind}`,
        injectedBy: 'altered copy of the real store',
        cases,
        outcomes,
      });
  });

  test('two logs follow each other, or the second is left out with all that is missing between them', async () => {
    const directory = await grown(2, EACH);
    const all = 2 * EACH;
    const name = (await readdir(directory)).find((one) => one.endsWith('.log')) as string;
    const bytes = await readFile(join(directory, name));
    // A small batch is one record in one block: its header ends with its length and its kind.
    const ends: number[] = [];
    for (let at = 0; at < bytes.length; ends.push(at)) at += 7 + bytes.readUInt16LE(at + 4);
    expect(ends.length).toBe(EACH);
    const second = name.replace(/\d+/, (digits) => String(Number(digits) + 50).padStart(6, '0'));
    const split = async (from: number, to: number) => {
      const copy = join(await temporaryDirectory(), 'copy');
      await cp(directory, copy, { recursive: true });
      await writeFile(join(copy, name), bytes.subarray(0, from));
      await writeFile(join(copy, second), bytes.subarray(to));
      const outcome = await opened(copy, all, EACH);
      // What was cut is gone for good: it does not come back.
      expect(await opened(copy, all, EACH)).toBe(outcome);
      return outcome;
    };
    const [, afterTwo, afterThree] = ends as [number, number, number];
    expect(await split(afterTwo, afterTwo)).toBe('as if nothing happened');
    const older = 'older, with its checkpoint: the WAL is applied again';
    expect(await split(afterTwo, afterThree)).toBe(older);
    expect(await split(afterTwo - 1, afterTwo)).toBe(older);
    expect(await split(0, afterTwo)).toBe(older);
    // What is obsolete may be torn: nothing of it is read.
    await writeFile(join(directory, '000001.log'), bytes.subarray(0, 30));
    expect(await opened(directory, all, 0)).toBe('as if nothing happened');
  });
});
