import type { BaseSlot, IndexedPlace } from '../core/storage/index-entry.ts';
import type { BaseFile } from './base-file.ts';
import type { WalFiles } from './wal/files.ts';

/**
 * The append-only version log of a node: its WAL, and the base files that its index entries name by their slots. There are
 * two of them only while the versions of one are taken over into the next.
 */
export class VersionLog {
  readonly #wal: WalFiles;
  readonly #bases: [BaseFile | null, BaseFile | null] = [null, null];
  #isClosed = false;

  constructor(wal: WalFiles) {
    this.#wal = wal;
  }

  /** Takes up a base file in a slot, in place of the one that was there; `null`: none. */
  async use(slot: BaseSlot, base: BaseFile | null): Promise<void> {
    if (this.#isClosed && base !== null) return base.close();
    const before = this.#bases[slot];
    this.#bases[slot] = base;
    await before?.close();
  }

  /** The bytes that stand at a place; `null` where the files do not hold all of them. */
  read({ log, offset, bytes }: IndexedPlace): Promise<Buffer | null> {
    if (log === 'wal') return this.#wal.readRecord(offset, bytes);
    return Promise.resolve(this.#bases[log]?.readRecord(offset, bytes) ?? null);
  }

  /** The same at once; `undefined` where something has to be waited for. */
  readNow({ log, offset, bytes }: IndexedPlace): Buffer | null | undefined {
    if (log === 'wal') return this.#wal.readRecordNow(offset, bytes);
    return this.#bases[log]?.readRecord(offset, bytes) ?? null;
  }

  /** The same without holding up the thread. */
  async readAside({ log, offset, bytes }: IndexedPlace): Promise<Buffer | null> {
    const found =
      log === 'wal' ? await this.#wal.read(offset, bytes) : await this.#bases[log]?.read(offset, bytes);
    return found?.length === bytes ? found : null;
  }

  /** Closes the base files. The WAL has an owner of its own. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.use(0, null);
    await this.use(1, null);
  }
}
