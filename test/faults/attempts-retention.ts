/** Nodes that are pruned on a disk that fails: whoever asked is told, and where the index cannot be written the node halts. */
import { expect } from 'vitest';
import { ReplichartError } from '../../src/core/errors.ts';
import type { HaltReason } from '../../src/core/halt.ts';
import type { NodeSnapshot } from '../../src/node/node-snapshot.ts';
import type { PrimaryNode } from '../../src/primary/primary.ts';
import type { ReplicaNode } from '../../src/replica/replica.ts';
import { inState, until } from '../support/replicas.ts';
import { refusesAll, restingNode, startedOr, type Attempt, type Ending } from './attempts.ts';
import type { FailingDisk } from './failing-disk.ts';
import { commitNext, primaryPrunes, pruned, replicaPrunes, type Told } from './scenarios-retention.ts';
import { expectHistory, primaryOn, replicaOn } from './simulated-nodes.ts';

/** Goes on asking where it is refused; says what it was first refused with. */
async function askedAll(failing: FailingDisk, asked: readonly (() => Promise<unknown>)[]): Promise<unknown> {
  let refusal: unknown = null;
  for (const ask of asked)
    try {
      await ask();
    } catch (error) {
      expect(error).toBeInstanceOf(ReplichartError);
      expect((error as ReplichartError).code).toMatch(/^(STORAGE_FAILED|NOT_WRITABLE|READS_BLOCKED)$/);
      expect(failing.failed.length, 'it is refused only where something failed').toBeGreaterThan(0);
      refusal ??= error;
    }
  return refusal;
}

/** A node that works on has lost nothing of what it shows; one that halts says why. */
async function ending(
  node: PrimaryNode | ReplicaNode,
  failing: FailingDisk,
  refusal: unknown,
  commits: number,
): Promise<Ending> {
  const isIndex = failing.failed.some(({ name }) => name.startsWith('index'));
  if (isIndex || inState('halted')(node.snapshot())) {
    await restingNode(node);
    await refusesAll(node);
    const { halt, haltRecordFault } = node.snapshot().context;
    await node.stop();
    return { kind: 'halted', halt: halt as HaltReason, recordFault: haltRecordFault };
  }
  await expectHistory(node, commits);
  await node.stop();
  return refusal === null ? { kind: 'whole' } : { kind: 'told', error: refusal };
}

export async function primaryIsPruned(): Promise<Attempt<Told>> {
  return {
    scenario: await primaryPrunes(),
    start: primaryOn,
    cleared: (told) => told,
    run: async (failing, told) => {
      const primary = await startedOr(primaryOn(failing.disk));
      if ('error' in primary) return primary;
      const refusal = await askedAll(failing, [
        () => pruned(primary, told),
        () => commitNext(primary, told),
        () => primary.removeSnapshot('2'),
        () => pruned(primary, told),
        () => commitNext(primary, told),
      ]);
      return ending(primary, failing, refusal, told.commits);
    },
  };
}

export async function replicaIsPruned(): Promise<Attempt<Told>> {
  const { still, scenario } = await replicaPrunes();
  return {
    scenario,
    start: (disk) => replicaOn({ disk }),
    cleared: (told) => told,
    run: async (failing, told) => {
      const replica = await startedOr(replicaOn({ disk: failing.disk, primary: () => still.primary }));
      if ('error' in replica) return replica;
      const refusal = await askedAll(failing, [
        async () => {
          const isThrough = (now: NodeSnapshot) =>
            now.context.applied?.commitId === still.commits && inState('replicating.readGate.open')(now);
          const end = await until(replica, (now) => inState('halted')(now) || isThrough(now), 'an end');
          if (isThrough(end)) await pruned(replica, told);
        },
      ]);
      return ending(replica, failing, refusal, still.commits);
    },
  };
}
