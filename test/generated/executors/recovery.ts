import { appendFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { recoveryActors } from '../../../machines/6-recovery.ts';
import { CHECKPOINT_KEY } from '../../../src/core/storage/index-entry.ts';
import { segmentFileName } from '../../../src/core/wal/segment-header.ts';
import { levelVersionIndex } from '../../../src/io/level/level-version-index.ts';
import { nodeFileSystem } from '../../../src/io/node-file-system.ts';
import { unitAt } from '../history.ts';
import type { World } from '../world.ts';
import { world, type EffectExecutors, type Executor } from './executor.ts';

/** The files of a node that stopped after the first unit, with nothing of its identity and its halts. */
async function place(one: World, from: string, what: readonly ('wal' | 'index' | 'base')[]): Promise<void> {
  for (const name of what) await cp(join(from, name), join(one.dataDir, name), { recursive: true });
}

const afterOne = ({ role, history }: World) =>
  (role === 'primary' ? history.alone : history.replica).afterOne;
const applied = (one: World) => place(one, afterOne(one), ['wal', 'index']);

const given = (prepare: (one: World) => Promise<void>): Executor => world(prepare);

/** Appends bytes of history, or such as are none, behind the first unit: a primary in its file, a replica in the next one. */
async function behind(one: World, bytes: Buffer): Promise<void> {
  const { lsn } = unitAt(one.units, 1);
  const start = one.role === 'primary' ? 0 : lsn;
  await appendFile(join(one.dataDir, 'wal', segmentFileName(start)), bytes);
}

const flipped = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  copy[copy.length - 100] = (copy[copy.length - 100] as number) ^ 1;
  return copy;
};

export async function damageCheckpoint(dataDir: string): Promise<void> {
  const index = await levelVersionIndex(nodeFileSystem, join(dataDir, 'index')).open();
  const value = await index.get(CHECKPOINT_KEY);
  if (value === undefined) throw new Error('there is no checkpoint to damage');
  await index.write([{ key: CHECKPOINT_KEY, value: flippedByte(value, 20) }], { durable: true });
  await index.close();
}

function flippedByte(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

/** What a disk may show to both roles. */
const onDisk = {
  'nothing yet': given(async () => undefined),
  'all applied': given(applied),
  'WAL behind the checkpoint': given(async (one) => {
    await applied(one);
    await behind(one, Buffer.concat([unitAt(one.units, 1).bytes, unitAt(one.units, 2).bytes]));
  }),
  'torn tail': given(async (one) => {
    await applied(one);
    const { lsn, bytes } = unitAt(one.units, 1);
    one.left.damagedFrom = lsn;
    await behind(one, bytes.subarray(0, 10));
  }),
  'base missing': given((one) => place(one, one.history.replica.onSnapshot, ['index'])),
  'base damaged': given(async (one) => {
    await place(one, one.history.replica.onSnapshot, ['index', 'base']);
    const path = join(one.dataDir, 'base', '1.base');
    await writeFile(path, flippedByte(await readFile(path), 20));
  }),
  'checkpoint damaged': given(async (one) => {
    await applied(one);
    await damageCheckpoint(one.dataDir);
  }),
  'WAL without a checkpoint': given((one) => place(one, afterOne(one), ['wal'])),
  'prefix broken': given(async (one) => {
    await applied(one);
    one.left.damagedFrom = 96;
    const path = join(one.dataDir, 'wal', segmentFileName(0));
    await writeFile(path, flippedByte(await readFile(path), 500));
  }),
  'hole between two files': given(async (one) => {
    await applied(one);
    const { lsn, bytes } = unitAt(one.units, 1);
    one.left.damagedFrom = lsn;
    await writeFile(join(one.dataDir, 'wal', segmentFileName(lsn + 1)), bytes);
  }),
} as const;

const surveyFails = world(async (one) => {
  await applied(one);
  one.disk.failNext('handle.read', /\.wal$/);
});

/** How each thing that recovery of a replica may find is caused. */
export const recoveryExecutors: Record<keyof typeof recoveryActors, EffectExecutors> = {
  surveyReplica: {
    outcomes: {
      ...onDisk,
      'tail that breaks a rule': given(async (one) => {
        await applied(one);
        const { lsn, bytes } = unitAt(one.units, 1);
        one.left.damagedFrom = lsn;
        await behind(one, flipped(bytes));
      }),
      'partial files': given(async (one) => {
        await applied(one);
        await mkdir(join(one.dataDir, 'incoming'));
        await writeFile(join(one.dataDir, 'incoming', '1.base'), 'half of a snapshot');
      }),
      'on a snapshot': given((one) => place(one, one.history.replica.onSnapshot, ['index', 'base'])),
    },
    fails: surveyFails,
  },
  repairReplica: {
    outcomes: { repaired: world() },
    fails: world(async ({ disk }) => disk.failNext('syncDirectory', /wal$/)),
  },
};

/** The same of a primary. */
export const primaryRecoveryExecutors = {
  surveyDisk: {
    outcomes: {
      ...onDisk,
      'corrupt in the middle': given(async (one) => {
        await applied(one);
        const { lsn, bytes } = unitAt(one.units, 1);
        one.left.damagedFrom = lsn;
        await behind(one, Buffer.concat([flipped(bytes), unitAt(one.units, 2).bytes]));
      }),
    },
    fails: surveyFails,
  },
  repairPrimary: {
    outcomes: { repaired: world() },
    fails: world(async ({ disk }) => disk.failNext('open', /\.wal$/)),
  },
} as const satisfies Readonly<Record<string, EffectExecutors>>;
