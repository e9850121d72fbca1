import { expect, test } from 'vitest';
import { verifyWal } from '../../src/io/wal/verify.ts';
import { directoryOf } from '../../src/cli/directory.ts';
import { startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { commitTo } from '../support/histories.ts';
import { ownFiles, verdictOf, VERIFIED } from '../support/verifying.ts';
import { explainRecovery } from '../../src/node/explain-recovery.ts';

/** A primary that was just started on forty commits, with a snapshot every ten. */
async function startedAgain() {
  const dataDir = await temporaryDirectory();
  const before = await startPrimary({ dataDir });
  for (const n of [10, 20, 30, 40]) {
    await commitTo(before, n);
    await before.createSnapshot();
  }
  await before.stop();
  return { dataDir, primary: await startPrimary({ dataDir }) };
}

const walOf = async (dataDir: string) => {
  const { directory, identity } = await directoryOf(dataDir);
  return verifyWal(directory, identity);
};

test('P5-I14: what was explained before a prune is never called a lie afterwards, and what is explained then is verified', async () => {
  const { dataDir, primary } = await startedAgain();
  const explained = async () => [
    explainRecovery(primary.snapshot()),
    await primary.explain(),
    await primary.read((view) => view.explain('c', 'a')),
    await primary.read((view) => view.explain('c', 'a'), { at: 8 }),
  ];
  const kept = [await explained()];
  for (const cut of [10, 20, 30]) {
    expect((await primary.prune()).cut?.commitId).toBe(cut);
    kept.push(await explained());
    for (const explanations of kept)
      for (const explanation of explanations) {
        const { verdict, differences } = await verdictOf(explanation, await ownFiles(dataDir));
        expect(differences, explanation.explanation_type).toEqual([]);
        if (explanation === kept.at(-1)?.[3]) expect(verdict).toBe('verified');
      }
    await primary.removeSnapshot(String(cut));
  }
  expect(await walOf(dataDir)).toMatchObject({ verdict: 'clean', segments: 2, commits: 10 });
  await primary.stop();
  const again = await startPrimary({ dataDir });
  expect(await verdictOf(explainRecovery(again.snapshot()), await ownFiles(dataDir))).toEqual(VERIFIED);
});
