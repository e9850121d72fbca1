import { basename, join } from 'node:path';
import { ReplichartError } from '../core/errors.ts';
import { flightFileNumber } from '../core/flight/file-name.ts';
import { FLIGHT_LINE_BYTES_MAX } from '../core/limits.ts';
import type { FileSystem } from './file-system.ts';
import { keptFlightFiles } from './flight-files.ts';

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** A file of a flight recorder. */
export interface FlightFile {
  readonly path: string;
  readonly name: string;
  /** `null` for one that was named, and whose name says nothing. */
  readonly number: number | null;
}

/**
 * The files that a path names, in the order in which they were written: one file, a directory of them, or the data
 * directory of a node.
 *
 * @throws ReplichartError `REQUEST_INVALID` where there is none.
 */
export async function flightFiles(files: FileSystem, path: string): Promise<readonly FlightFile[]> {
  const found = await files.stat(path);
  if (found === null) throw new ReplichartError('REQUEST_INVALID', `there is nothing at ${path}`);
  if (found.kind === 'file')
    return [{ path, name: basename(path), number: flightFileNumber(basename(path)) }];
  if (found.kind === 'other')
    throw new ReplichartError('REQUEST_INVALID', `${path} is neither a file nor a directory`);
  const inner = join(path, 'flight');
  if ((await files.stat(inner))?.kind === 'directory') return flightFiles(files, inner);
  const kept = await keptFlightFiles(files, path);
  if (kept.length === 0)
    throw new ReplichartError('REQUEST_INVALID', `${path} holds no file of a flight recorder`);
  return kept.map(({ name, number }) => ({ path: join(path, name), name, number }));
}

export interface FlightLine {
  /** The newline included, where there is one. */
  readonly bytes: Buffer;
  readonly offset: number;
  /** `rest`: the file ends before a newline. `endless`: no line is that long; nothing behind it is read. */
  readonly kind: 'line' | 'rest' | 'endless';
}

/** The lines of a file, one after the other; memory does not grow with the file. */
export async function* flightLines(files: FileSystem, path: string): AsyncGenerator<FlightLine> {
  const handle = await files.open(path, 'read');
  try {
    let held: Buffer = Buffer.alloc(0);
    let offset = 0;
    let at = 0;
    for (;;) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const bytes = await handle.read(chunk, at);
      if (bytes === 0) break;
      at += bytes;
      held = Buffer.concat([held, chunk.subarray(0, bytes)]);
      for (let end = held.indexOf(NEWLINE); end >= 0; end = held.indexOf(NEWLINE)) {
        yield { bytes: held.subarray(0, end + 1), offset, kind: 'line' };
        offset += end + 1;
        held = held.subarray(end + 1);
      }
      if (held.length > FLIGHT_LINE_BYTES_MAX) {
        yield { bytes: held, offset, kind: 'endless' };
        return;
      }
    }
    if (held.length > 0 || at === 0) yield { bytes: held, offset, kind: 'rest' };
  } finally {
    await handle.close();
  }
}
