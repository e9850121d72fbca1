/** Rot: every way in which the bytes of a file, or of an entry of an index, are changed behind everybody's back. */
import { basename } from 'node:path';
import type { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { EVERYTHING } from '../../scripts/simulate/survivors.ts';
import { segmentStartLsn } from '../../src/core/wal/segment-header.ts';
import { depth } from './depth.ts';
import { HOME } from './simulated-nodes.ts';

export type RotKind = 'a bit is flipped' | 'truncated' | 'zeroed from there on' | 'a byte is zeroed' | 'gone';

export interface Rot {
  readonly kind: RotKind;
  readonly path: string;
  /** The key of the entry, where the path is that of an index. */
  readonly key: string | null;
  /** The first byte that is another one, or gone. */
  readonly at: number;
  readonly apply: (disk: SimulatedDisk) => void;
}

export const INDEX = `${HOME}/index`;
/** Coprime to eight, so that over many bytes every bit of a byte has its turn. */
const QUICK_EVERY = 61;

export const rotText = ({ kind, path, key, at }: Rot): string =>
  `${kind} at byte ${at} of ${path}${key === null ? '' : ` ${Buffer.from(key, 'latin1').toString('hex')}`}`;

/** The LSN of the byte that rotted; `null` where it is not WAL. */
export function lsnOf({ path, at }: Rot): number | null {
  const startLsn = segmentStartLsn(basename(path));
  return startLsn === null ? null : startLsn + at;
}

/** Every file of a disk with all that can befall it, then every entry of its index. */
export function rotsOf(prepared: SimulatedDisk, isRotten: (path: string) => boolean = () => true): Rot[] {
  const files = [...prepared.contents().keys()].filter((path) => path !== INDEX && isRotten(path));
  const ofFiles = files.flatMap((path) => rotsOfFile(path, prepared.bytesOf(path) as Buffer));
  const entries = isRotten(INDEX) ? [...prepared.indexEntries(INDEX)] : [];
  const all = [...ofFiles, ...entries.flatMap(([key, value]) => rotsOfEntry(key, value))];
  return all.filter(({ kind }, number) => depth === 'all' || kind === 'gone' || number % QUICK_EVERY === 0);
}

type Change = readonly [kind: RotKind, at: number, change: (bytes: Buffer) => Buffer];

function* changesOf(bytes: Buffer): Generator<Change> {
  for (let bit = 0; bit < bytes.length * 8; bit += 1)
    yield ['a bit is flipped', bit >> 3, (found) => flipped(found, bit)];
  for (let at = 0; at < bytes.length; at += 1) {
    yield ['truncated', at, (found) => found.subarray(0, at)];
    // Bytes that are zero anyway do not rot in this way.
    const first = bytes.subarray(at).findIndex((byte) => byte !== 0);
    if (first >= 0) yield ['zeroed from there on', at + first, (found) => Buffer.from(found).fill(0, at)];
    if (bytes[at] !== 0) yield ['a byte is zeroed', at, (found) => Buffer.from(found).fill(0, at, at + 1)];
  }
}

export function flipped(bytes: Buffer, bit: number): Buffer {
  const rotten = Buffer.from(bytes);
  rotten[bit >> 3] = (rotten[bit >> 3] as number) ^ (1 << (bit & 7));
  return rotten;
}

function rotsOfFile(path: string, bytes: Buffer): Rot[] {
  const changed = [...changesOf(bytes)].map(([kind, at, change]): Rot => ({
    kind,
    path,
    key: null,
    at,
    apply: (disk) => disk.damage(path, change),
  }));
  // Nothing tells that there was a halt but its record.
  if (path === `${HOME}/halt`) return changed;
  return [
    ...changed,
    { kind: 'gone', path, key: null, at: 0, apply: (disk) => void disk.files.remove(path) },
  ];
}

function rotsOfEntry(key: string, value: Buffer): Rot[] {
  return [...changesOf(value)].map(([kind, at, change]) => ({
    kind,
    path: INDEX,
    key,
    at,
    apply: (disk) => disk.damageIndex(INDEX, key, change),
  }));
}

export function rotten(prepared: SimulatedDisk, rot: Rot): SimulatedDisk {
  const disk = prepared.after(EVERYTHING);
  rot.apply(disk);
  return disk.after(EVERYTHING);
}
