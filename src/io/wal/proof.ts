import { setTimeout as wait } from 'node:timers/promises';
import { SEGMENT_HEADER_BYTES } from '../../core/limits.ts';
import type { ChainState } from '../../core/wal/chain.ts';
import type { Proof, ProofStop, ProvenUnit } from '../../core/wal/proof.ts';
import type { FileSystem } from '../file-system.ts';
import { WalFiles } from './files.ts';
import { WALK_BYTES, missingAt, proveNext } from './walk.ts';

/** How long a running node is given to finish what it was just writing. */
const SECOND_LOOK_MS = 100;

/** The segment files of a node that may be running: they can be listed a second time. */
export class WalReader {
  readonly #files: FileSystem;
  readonly #directory: string;
  #wal: WalFiles;

  private constructor(files: FileSystem, directory: string, wal: WalFiles) {
    this.#files = files;
    this.#directory = directory;
    this.#wal = wal;
  }

  static async open(files: FileSystem, directory: string): Promise<WalReader> {
    return new WalReader(files, directory, await WalFiles.openToRead(files, directory));
  }

  get wal(): WalFiles {
    return this.#wal;
  }

  async lookAgain(): Promise<void> {
    await wait(SECOND_LOOK_MS);
    await this.#wal.close();
    this.#wal = await WalFiles.openToRead(this.#files, this.#directory);
  }

  close(): Promise<void> {
    return this.#wal.close();
  }
}

/** A piece that was proved, or how the proof ended. */
export type ProofStep =
  { readonly kind: 'proved'; readonly units: readonly ProvenUnit[]; readonly to: ChainState } | ProofEnding;

/** `stop` is `null` where all that the files held at first, as far as they join, is proved. */
export interface ProofEnding {
  readonly kind: 'ended';
  readonly to: ChainState;
  readonly stop: ProofStop | null;
}

/**
 * Proves the WAL from the start of a segment up to where it ended when this began, or up to the first place where its
 * files do not join. The last step is the ending, and there is one always. Memory: one piece, or one frame where that
 * is larger.
 */
export async function* proveToEnd(reader: WalReader, start: ChainState): AsyncGenerator<ProofStep> {
  const { endLsn } = reader.wal;
  const joins = () => reader.wal.discontinuityFrom(start.lsn) === null;
  let { to, stop } = yield* walk(reader.wal, start.lsn, start, endLsn);
  if (stop?.kind === 'incomplete' && joins()) {
    // A node that runs may have been at work on this very unit.
    await reader.lookAgain();
    ({ to, stop } = yield* walk(reader.wal, start.lsn, to, endLsn));
    // Behind the end that was there at first, what is incomplete is not looked at.
    if (stop?.kind === 'incomplete' && to.lsn >= endLsn && reader.wal.endLsn > endLsn) stop = null;
  }
  yield { kind: 'ended', to, stop };
}

async function* walk(
  wal: WalFiles,
  startLsn: number,
  from: ChainState,
  endLsn: number,
): AsyncGenerator<ProofStep, Pick<ProofEnding, 'to' | 'stop'>> {
  const discontinuity = wal.discontinuityFrom(startLsn);
  // Up to the first place where the files do not join; there is no stream behind it.
  const joinedLsn =
    discontinuity === null ? wal.endLsn : Math.min(discontinuity.expectedLsn, discontinuity.foundLsn);
  let to = from;
  while (to.lsn < joinedLsn && to.lsn < endLsn) {
    const { batch, units, stop }: Proof = await proveNext(wal, to, joinedLsn, WALK_BYTES);
    const stands = batch.to.lsn === to.lsn;
    to = batch.to;
    yield { kind: 'proved', units, to };
    if (stop !== null) return { to, stop };
    // The file gives less than it had when it was listed.
    if (stands) return { to, stop: missingAt(to, 0, null) };
  }
  const ended = to.lsn === wal.endLsn && discontinuity === null;
  const begun = wal.segments.at(-1)?.bytes === 0;
  return { to, stop: ended && begun ? missingAt(to, 0, SEGMENT_HEADER_BYTES) : null };
}
