import { appendFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/core/bytes.ts';
import { ReplichartError } from '../../src/core/errors.ts';
import type { EvidenceSource } from '../../src/verify/evidence.ts';
import {
  copyOf,
  documentAnswer,
  rangeAnswer,
  recoveryOf,
  replicaAtWork,
  replicaHalted,
  replicaThatDiscarded,
  replicationOf,
  type Honest,
} from '../support/explained.ts';
import { OTHER_CLUSTER, put, rejection, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { filesOfPrimary, ownFiles, segmentsOf, verified } from '../support/verifying.ts';
import { flipped } from '../support/wal-forge.ts';

const explanationsOf = async ({ node }: Honest): Promise<Json[]> => [
  replicationOf(node),
  recoveryOf(node),
  await documentAnswer(node, 'a'),
  await rangeAnswer(node, null, 9),
];

/** The verdict, or the code of the error; never a bug. */
async function outcome(explanation: Json, source: EvidenceSource): Promise<string> {
  try {
    return (await verified(explanation, source)).verdict;
  } catch (error) {
    if (!(error instanceof ReplichartError)) throw error;
    return error.code;
  }
}

const walFiles = async (dataDir: string) =>
  (await readdir(join(dataDir, 'wal'))).sort().map((name) => join(dataDir, 'wal', name));

const sourcesOf = async (dataDir: string) => [await ownFiles(dataDir), segmentsOf(dataDir)];

describe('P5-I5, P5-I15: damaged files verify nothing', () => {
  test('a flipped bit anywhere in the WAL', async () => {
    const honest = await replicaAtWork();
    const explanations = await explanationsOf(honest);
    for (const [index, path] of (await walFiles(honest.dataDir)).entries()) {
      const good = await readFile(path);
      for (let byte = index; byte < good.length; byte += 37) {
        const copy = await copyOf(honest.dataDir);
        await writeFile((await walFiles(copy))[index] as string, flipped(good, byte * 8 + (byte % 8)));
        for (const source of await sourcesOf(copy))
          for (const one of [explanations[0], explanations[2]] as Json[])
            expect(['differs', 'undetermined'], `byte ${byte}`).toContain(await outcome(one, source));
        await rm(copy, { recursive: true });
      }
    }
  });

  test('a WAL that was cut off anywhere', async () => {
    const honest = await replicaAtWork();
    const [first, second] = await explanationsOf(honest);
    const path = (await walFiles(honest.dataDir)).at(-1) as string;
    const { length } = await readFile(path);
    for (let left = 0; left < length; left += 61) {
      const copy = await copyOf(honest.dataDir);
      await truncate((await walFiles(copy)).at(-1) as string, left);
      expect(await outcome(first as Json, await ownFiles(copy)), `${left} bytes`).toBe('differs');
      expect(await outcome(first as Json, segmentsOf(copy)), `${left} bytes`).toBe('undetermined');
      // The first start of this node found nothing, and that is so with any files.
      expect(await outcome(second as Json, await ownFiles(copy))).toBe('verified');
    }
  });

  test('no WAL, a missing segment, and what is no segment', async () => {
    const honest = await replicaAtWork();
    const explanations = await explanationsOf(honest);
    const changes: Record<string, (dir: string) => Promise<void>> = {
      'no wal': (dir) => rm(join(dir, 'wal'), { recursive: true }),
      'no first segment': async (dir) => rm((await walFiles(dir))[0] as string),
      'no last segment': async (dir) => rm((await walFiles(dir)).at(-1) as string),
      'a directory': async (dir) => void (await mkdir(join(dir, 'wal', '99999999999999999999.wal'))),
      'another name': (dir) => writeFile(join(dir, 'wal', 'x.wal'), ''),
      'more behind it': async (dir) => appendFile((await walFiles(dir)).at(-1) as string, 'RWF1'),
      'a base file': async (dir) => {
        await mkdir(join(dir, 'base'));
        await writeFile(join(dir, 'base', '3.base'), 'no base file');
      },
    };
    const found: Record<string, string[]> = {};
    for (const [what, change] of Object.entries(changes)) {
      const copy = await copyOf(honest.dataDir);
      await change(copy);
      found[what] = [];
      for (const source of await sourcesOf(copy))
        found[what].push(
          await outcome(explanations[0] as Json, source),
          await outcome(explanations[2] as Json, source),
        );
    }
    const all = (code: string) => [code, code, code, code];
    expect(found).toEqual({
      'no wal': ['differs', 'differs', 'REQUEST_INVALID', 'REQUEST_INVALID'],
      // Positions follow from bare segments wherever they begin; documents do not.
      'no first segment': ['undetermined', 'undetermined', 'verified', 'undetermined'],
      'no last segment': ['differs', 'differs', 'undetermined', 'undetermined'],
      'a directory': all('WAL_CORRUPT'),
      'another name': all('WAL_CORRUPT'),
      // Neither is looked at: history reaches all that is cited, from the first byte on.
      'more behind it': all('verified'),
      'a base file': all('verified'),
    });
  });

  test('the files of another cluster, and of another history of the same one', async () => {
    const honest = await replicaAtWork();
    for (const clusterId of [OTHER_CLUSTER, undefined]) {
      const dataDir = await temporaryDirectory();
      const primary = await startPrimary({ dataDir, ...(clusterId === undefined ? {} : { clusterId }) });
      for (let n = 1; n <= 30; n += 1) await primary.commit([put('a', `{"x":${n}}`)]);
      await primary.stop();
      for (const source of [await ownFiles(dataDir), await filesOfPrimary(dataDir), segmentsOf(dataDir)])
        for (const [index, one] of (await explanationsOf(honest)).entries())
          expect(await outcome(one, source), `${index} ${source.kind}`).toBe('differs');
    }
  });

  test('P5-I10: a damaged halt record, and evidence that is gone or was changed', async () => {
    const halted = await replicaHalted();
    const copy = await copyOf(halted.dataDir);
    await writeFile(join(copy, 'halt'), 'x');
    expect(await outcome(replicationOf(halted.node), await ownFiles(copy))).toBe('differs');
    await rm(join(copy, 'halt'));
    await mkdir(join(copy, 'halt'));
    expect(await outcome(replicationOf(halted.node), await ownFiles(copy))).toBe('REQUEST_INVALID');
    const kept = await replicaThatDiscarded();
    const explanation = recoveryOf(kept.node);
    expect(await outcome(explanation, await ownFiles(kept.dataDir))).toBe('verified');
    const [name] = (await readdir(join(kept.dataDir, 'evidence'))) as [string];
    const path = join(await copyOf(kept.dataDir), 'evidence', name);
    const source = await ownFiles(join(path, '..', '..'));
    await writeFile(path, flipped(await readFile(path), 100));
    expect(await outcome(explanation, source)).toBe('differs');
    await rm(path);
    expect(await outcome(explanation, source)).toBe('undetermined');
  });

  test('what is no data directory of a primary', async () => {
    const honest = await replicaAtWork();
    const source = await filesOfPrimary(honest.dataDir);
    expect(await rejection(verified(replicationOf(honest.node), source))).toMatchObject({
      code: 'REQUEST_INVALID',
    });
  });
});
