import { crc32c } from '../../src/core/bytes.ts';
import { frameCrc } from '../../src/core/wal/frame.ts';

/** Where the units of a WAL stand, found by their own sizes. */
export function unitsOf(
  wal: Buffer,
): { readonly lsn: number; readonly bytes: number; readonly kind: string }[] {
  const units = [];
  for (let lsn = 0; lsn < wal.length;) {
    const isHeader = wal.toString('latin1', lsn, lsn + 8) === 'RPLCHRT1';
    const bytes = isHeader ? 96 : wal.readUInt32LE(lsn + 4);
    units.push({
      lsn,
      bytes,
      kind: isHeader ? 'header' : (['', 'commits', 'seal', 'cut'][wal.readUInt32LE(lsn + 28)] as string),
    });
    lsn += bytes;
  }
  return units;
}

/** Changes a unit and gives it the checksum that its new bytes call for, as a lying primary would. */
export function forged(wal: Buffer, lsn: number, change: (unit: Buffer) => void): Buffer {
  const copy = Buffer.from(wal);
  const unit = unitsOf(wal).find((one) => one.lsn === lsn);
  if (unit === undefined) throw new Error(`there is no unit at ${lsn}`);
  const bytes = copy.subarray(lsn, lsn + unit.bytes);
  change(bytes);
  if (unit.kind === 'header') bytes.writeUInt32LE(crc32c(bytes.subarray(0, 92)), 92);
  else bytes.writeUInt32LE(frameCrc(bytes), 64);
  return copy;
}

export function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}
