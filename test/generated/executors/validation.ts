import { open, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { validationActors } from '../../../machines/3-validation.ts';
import type { ChainState } from '../../../src/core/wal/chain.ts';
import { segmentFileName } from '../../../src/core/wal/segment-header.ts';
import { indexOf } from '../history.ts';
import { forged, unitsOf } from '../../support/wal-forge.ts';
import type { World } from '../world.ts';
import { seamAnswers, world, type EffectExecutors, type Executor } from './executor.ts';

type Change = (unit: Buffer) => void;
type Unit = 'header' | 'commits';

/** Changes a unit of the next stretch on disk, between its receipt and its proof; everything else of it stays good. */
const damaged = (kind: Unit, change: Change, seal = true): Executor =>
  world(async (one, { validated }) => {
    const { wal } = one.units;
    const unit = unitsOf(wal).find((each) => each.kind === kind && each.lsn >= (validated?.lsn ?? 0));
    if (unit === undefined) throw new Error(`no ${kind} stands behind what is proven`);
    one.left.damagedFrom = unit.lsn;
    const copy = Buffer.from(wal);
    change(copy.subarray(unit.lsn, unit.lsn + unit.bytes));
    const whole = seal ? forged(wal, unit.lsn, change) : copy;
    await writeAt(one, unit.lsn, whole.subarray(unit.lsn, unit.lsn + unit.bytes));
  });

export async function writeAt(one: World, lsn: number, bytes: Buffer): Promise<void> {
  const start = segmentStartOf(one, lsn);
  const handle = await open(join(one.dataDir, 'wal', segmentFileName(start)), 'r+');
  await handle.write(bytes, 0, bytes.length, lsn - start);
  await handle.close();
}

export function segmentStartOf({ units: { wal } }: World, lsn: number): number {
  const starts = unitsOf(wal).filter(({ kind, lsn: start }) => kind === 'header' && start <= lsn);
  return starts.at(-1)?.lsn ?? 0;
}

const chainAt = ({ units }: World, from: ChainState | null, ahead: number): ChainState => {
  const index = indexOf(units, from?.lsn) + ahead;
  const chain = units.chains[index];
  if (chain === undefined) throw new Error(`no unit ends at ${index}`);
  return chain;
};

const addTo =
  (offset: number): Change =>
  (unit) =>
    unit.writeBigUInt64LE(unit.readBigUInt64LE(offset) + 1n, offset);

/** How each verdict on a stretch of WAL is caused. */
export const validationExecutors: Record<keyof typeof validationActors, EffectExecutors> = {
  validate: {
    outcomes: {
      proven: world(),
      'units are gone': world(async (one, { validated }) => {
        const lsn = validated?.lsn ?? 0;
        const start = segmentStartOf(one, lsn);
        one.left.damagedFrom = lsn;
        await truncate(join(one.dataDir, 'wal', segmentFileName(start)), lsn - start);
      }),
      'not framed': damaged('commits', (frame) => frame.writeUInt32LE(9, 28)),
      'checksum does not match': damaged(
        'commits',
        (frame) => frame.writeUInt8(frame.readUInt8(500) ^ 1, 500),
        false,
      ),
      'of another cluster': damaged('header', (header) => header.writeUInt8(header.readUInt8(20) ^ 1, 20)),
      'at another place': damaged('commits', addTo(8)),
      'of another history': damaged('commits', (frame) => frame.writeUInt8(frame.readUInt8(40) ^ 1, 40)),
      'commit ids are not dense': damaged('commits', addTo(16)),
      'payload is malformed': damaged('commits', (frame) => frame.writeUInt32LE(2, 72 + 12)),
      'a piece that does not follow': seamAnswers(
        'a lie: another piece than was asked for',
        (one, { validated }) => ({
          from: chainAt(one, validated, 1),
          to: chainAt(one, validated, 2),
          suspect: null,
          incompleteLsn: null,
        }),
      ),
      'an end before what was proven': seamAnswers(
        'a lie: an end before its beginning',
        (one, { validated }) => ({
          from: validated,
          to: chainAt(one, validated, -1),
          suspect: null,
          incompleteLsn: null,
        }),
      ),
    },
    fails: world(async ({ disk }) => disk.failNext('handle.read', /\.wal$/)),
  },
};
