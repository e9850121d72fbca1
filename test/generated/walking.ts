import type { AnyMachineSnapshot } from 'xstate';
import { deepStrictEqual } from 'node:assert/strict';
import { join } from 'node:path';
import type { Walker } from '../../machines/model/walk.ts';
import type { NodeContext } from '../../machines/context.ts';
import { decodeHaltRecord } from '../../src/core/halt.ts';
import { positionOf } from '../../src/core/position.ts';
import { decodeCheckpoint } from '../../src/core/storage/checkpoint.ts';
import { CHECKPOINT_KEY } from '../../src/core/storage/index-entry.ts';
import { levelVersionIndex } from '../../src/io/level/level-version-index.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { agreeWith, namesIn, readBack, walAgrees } from './agreement.ts';
import type { Executors } from './executors/index.ts';
import type { RealHistory } from './history.ts';
import { contextOf, fileOf, removeWorld, startWorld, stopWorld, type World } from './world.ts';

/** Drives a real node along generated paths; `taken` gathers the transitions of its chart. */
export function walkerOf(
  role: World['role'],
  history: () => RealHistory,
  executors: Executors,
  taken: Set<string>,
): Walker<World> {
  return {
    start: (path) => startWorld(role, history(), path),
    cause: async (world, { move }) => {
      const { chart, gates } = world;
      if (move.effect === null) {
        // To a refused start it was said already, before its host stopped it.
        if (!chart.isRefused) chart.send(move.event);
      } else {
        const { outcomes, fails } = executors[move.effect] ?? {};
        const executor = move.outcome === null ? fails : outcomes?.[move.outcome];
        if (executor === undefined) throw new Error(`nobody causes "${move.name}"`);
        const instead = await executor.cause(world, contextOf(world));
        gates.open(move.effect, instead ?? undefined);
      }
      await chart.settledAfter(move.event.type);
    },
    agree: (world, expected, step) => agreeWith(world, expected, step?.move.name ?? null),
    end: async (world, isWalked) => {
      const last = contextOf(world);
      const { rested } = world.chart;
      const walked = new Set(world.chart.taken);
      await stopWorld(world);
      for (const id of walked) taken.add(id);
      if (isWalked) await secondLook(world, rested, last.applied && positionOf(last.applied));
      await removeWorld(world);
    },
  };
}

/** What the files show once the node is gone: nothing of it remembers, so only what is durable is there. */
async function secondLook(
  world: World,
  rested: AnyMachineSnapshot,
  applied: ReturnType<typeof positionOf> | null,
): Promise<void> {
  const { dataDir, left, units } = world;
  await walAgrees(world);
  const isRecording = ['draining', 'preserving', 'recording'].some((state) =>
    rested.matches({ halted: state }),
  );
  const record = await fileOf(world, 'halt');
  const [found, due] = [record === null ? 'absent' : 'present', isRecording ? 'present' : left.haltRecord];
  if (found !== due) throw new Error(`the halt record is ${found} in the end, and must be ${due}`);
  const { halt } = world.chart.now.context as NodeContext;
  if (record !== null && isRecording)
    deepStrictEqual(decodeHaltRecord(record), readBack(halt), 'the halt record is all of the halt');
  if ((await namesIn(join(dataDir, 'index'))).length === 0) return;
  const beyond = left.appliedBeyond === 0 ? applied : nextAfter(world, applied?.lsn ?? null);
  if (beyond === null) return;
  const index = await levelVersionIndex(nodeFileSystem, join(dataDir, 'index')).open();
  const bytes = await index.get(CHECKPOINT_KEY);
  await index.close();
  const checkpoint = bytes === undefined ? null : decodeCheckpoint(bytes);
  if (checkpoint?.lsn !== beyond.lsn || checkpoint.historyHash !== beyond.historyHash)
    throw new Error(
      `the checkpoint of the index is at ${String(checkpoint?.lsn)}, and must be at ${beyond.lsn} of ${units.wal.length}`,
    );
}

function nextAfter({ units: { chains } }: World, lsn: number | null) {
  const chain = chains[lsn === null ? 1 : chains.findIndex((one) => one.lsn === lsn) + 1];
  return chain === undefined ? null : positionOf(chain);
}
