import { join } from 'node:path';
import { flightFileName } from '../core/flight/file-name.ts';
import { ensureDirectory } from './durable-file.ts';
import type { FileHandle, FileSystem } from './file-system.ts';
import { keptFlightFiles, type KeptFlightFile } from './flight-files.ts';

/** A bound holds so many files, so that one that is full takes only a part of the past with it. */
const FILES_PER_BOUND = 8;

/** How large a file may become, for all of them to stay within a bound. */
export function flightFileBytesMax(bytesMax: number): number {
  return Math.floor(bytesMax / FILES_PER_BOUND);
}

/**
 * Appends to the files of a flight recorder. What they take together never exceeds the bound, also not while a new one
 * is begun or after a crash: the oldest are gone, durably, before the next one exists. Nothing but regular files with the
 * name of such a file is looked at or removed. Whoever appends sees to it that no file outgrows `flightFileBytesMax`.
 */
export class FlightWriter {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #bytesMax: number;
  #kept: Pick<KeptFlightFile, 'number' | 'bytes'>[] = [];
  /** The number of the newest file there ever was, as far as the names tell. */
  #newest = 0;
  #current: { readonly number: number; readonly handle: FileHandle; bytes: number } | null = null;

  private constructor(files: FileSystem, directory: string, bytesMax: number) {
    this.#files = files;
    this.#directory = directory;
    this.#bytesMax = bytesMax;
  }

  /** Looks at what earlier runs left. Nothing is removed before the first file is begun. */
  static async open(files: FileSystem, directory: string, bytesMax: number): Promise<FlightWriter> {
    const writer = new FlightWriter(files, directory, bytesMax);
    await ensureDirectory(files, directory);
    writer.#kept.push(...(await keptFlightFiles(files, directory)));
    writer.#newest = writer.#kept.at(-1)?.number ?? 0;
    return writer;
  }

  /** Ends the file at hand, durably, and begins the next one. */
  async begin(): Promise<void> {
    await this.#finish();
    await this.#makeRoom();
    const number = this.#newest + 1;
    const handle = await this.#files.open(join(this.#directory, flightFileName(number)), 'create');
    this.#newest = number;
    this.#current = { number, handle, bytes: 0 };
    await this.#files.syncDirectory(this.#directory);
  }

  async append(lines: readonly Uint8Array[]): Promise<void> {
    if (this.#current === null)
      throw new Error('a file of the flight recorder is begun before it is written');
    await this.#current.handle.append(lines);
    for (const line of lines) this.#current.bytes += line.length;
  }

  /** Makes durable what was appended. */
  async sync(): Promise<void> {
    await this.#current?.handle.datasync();
  }

  async close(): Promise<void> {
    await this.#finish();
  }

  /** Lets go of the file after a fault, whatever state it is in. */
  async abandon(): Promise<void> {
    const handle = this.#current?.handle;
    this.#current = null;
    await handle?.close();
  }

  async #finish(): Promise<void> {
    if (this.#current === null) return;
    const { number, handle, bytes } = this.#current;
    await handle.datasync();
    this.#current = null;
    await handle.close();
    this.#kept.push({ number, bytes });
  }

  async #makeRoom(): Promise<void> {
    const room = this.#bytesMax - flightFileBytesMax(this.#bytesMax);
    let total = this.#kept.reduce((sum, { bytes }) => sum + bytes, 0);
    let removed = 0;
    for (const { number, bytes } of this.#kept) {
      if (total <= room) break;
      await this.#files.remove(join(this.#directory, flightFileName(number)));
      total -= bytes;
      removed += 1;
    }
    if (removed === 0) return;
    await this.#files.syncDirectory(this.#directory);
    this.#kept = this.#kept.slice(removed);
  }
}
