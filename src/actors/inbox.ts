import { firstViolation } from '../core/checks/check.ts';
import { FRAMING_CHECKS } from '../core/checks/wal.ts';
import { errorText } from '../core/errors.ts';
import type { ReceiptFacts } from '../core/ingress.ts';
import { FRAME_BYTES_MAX } from '../core/limits.ts';
import { samePosition, type Position } from '../core/position.ts';
import { advance, observeUnit, unitBytes, type ChainState, type UnitFacts } from '../core/wal/chain.ts';
import type { WalStream } from '../io/wal-source.ts';
import { Slab } from './slab.ts';

/** A unit of the batch at hand; its bytes are there until the next one is received. */
export interface ReceivedUnit {
  readonly unit: UnitFacts['unit'];
  readonly bytes: Buffer;
}

/**
 * The bytes of a stream between socket and disk. Bytes never enter the chart: `receive` says what came, `batch` holds
 * it until it is persisted. Reading goes on while a batch is persisted. Memory: two slabs, and the chunk at hand.
 */
export class Inbox {
  readonly #stream: WalStream;
  #chain: ChainState;
  /** What came, from the first byte on that no batch has held yet. */
  #filling = new Slab();
  /** What the batch at hand lies in. */
  #lent = new Slab();
  /** How many bytes the unit that is not whole yet takes by its own account. */
  #needed = 0;
  #batch: readonly ReceivedUnit[] = [];
  #suspectBytes: Buffer | null = null;
  #chunkGap: ReceiptFacts['chunkGap'] = null;
  #primary: Position | null;
  /** What of it was said in a receipt: a notice may come while nobody is receiving. */
  #reported: Position | null;
  #ended: string | null = null;
  #wake: (() => void) | null = null;
  #resume: (() => void) | null = null;

  /** `chain`: where the received WAL ends. */
  constructor(stream: WalStream, chain: ChainState) {
    this.#stream = stream;
    this.#chain = chain;
    this.#primary = stream.durable;
    this.#reported = stream.durable;
    void this.#pump();
  }

  /** Where the framing of what was handed out leads to. */
  get chain(): ChainState {
    return this.#chain;
  }

  /** The units that the last receipt spoke of. */
  get batch(): readonly ReceivedUnit[] {
    return this.#batch;
  }

  /** The bytes of the unit that stopped the reading. */
  get suspectBytes(): Buffer | null {
    return this.#suspectBytes;
  }

  close(): void {
    this.#ended ??= 'closed';
    this.#stream.close();
    this.#wake?.();
    this.#resume?.();
  }

  /** Resolves as soon as there is something to say: whole units, a suspect one, a notice, or the end. */
  async receive(expectedLsn: number): Promise<ReceiptFacts> {
    for (;;) {
      const fromLsn = this.#chain.lsn;
      const { units, suspect } = this.#takeUnits();
      if (units.length === 0 && suspect === null) this.#chunkGap ??= this.#unfinishedAtTheEnd();
      const isNews =
        units.length > 0 || suspect !== null || this.#chunkGap !== null || this.#primary !== this.#reported;
      if (isNews || this.#ended !== null) {
        this.#batch = units;
        this.#reported = this.#primary;
        return {
          expectedLsn,
          fromLsn,
          toLsn: this.#chain.lsn,
          units: units.length,
          suspect,
          chunkGap: units.length > 0 ? null : this.#chunkGap,
          primary: this.#primary,
          ended: isNews ? null : this.#ended,
        };
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = null;
    }
  }

  /** Cuts what waits into whole units, up to the first that the framing checks do not let pass. */
  #takeUnits(): { units: ReceivedUnit[]; suspect: UnitFacts | null } {
    const { bytes: waiting } = this.#filling;
    if (waiting.length < this.#needed) return { units: [], suspect: null };
    this.#needed = 0;
    const units: ReceivedUnit[] = [];
    let offset = 0;
    for (;;) {
      const bytes = unitBytes(this.#chain, waiting, offset);
      if (bytes === null || offset + bytes > waiting.length) {
        this.#needed = bytes ?? 0;
        break;
      }
      const facts = observeUnit(this.#chain, waiting, offset, 'framing');
      if (firstViolation(FRAMING_CHECKS, facts) !== undefined) {
        // The good units go first; the suspect is reported alone, next time.
        if (units.length > 0) break;
        this.#suspectBytes = Buffer.from(waiting.subarray(0, FRAME_BYTES_MAX));
        return { units, suspect: facts };
      }
      units.push({ unit: facts.unit, bytes: waiting.subarray(offset, offset + bytes) });
      this.#chain = advance(facts);
      offset += bytes;
    }
    if (units.length > 0) this.#lend(waiting.subarray(offset));
    return { units, suspect: null };
  }

  /** The slab with the units is lent to the batch; the other one, whose batch is done with, goes on with the rest. */
  #lend(rest: Buffer): void {
    [this.#filling, this.#lent] = [this.#lent, this.#filling];
    this.#filling.empty();
    this.#filling.put(rest);
    this.#resume?.();
  }

  /**
   * The primary's durable history ends with a whole unit. One that goes on behind that end by its own account is none of that
   * history, and waiting for the rest of it would be waiting for ever.
   */
  #unfinishedAtTheEnd(): ReceiptFacts['chunkGap'] {
    const { bytes } = this.#filling;
    if (bytes.length === 0 || this.#primary?.lsn !== this.#chain.lsn + bytes.length) return null;
    this.#suspectBytes = Buffer.from(bytes.subarray(0, FRAME_BYTES_MAX));
    return {
      expectedLsn: this.#chain.lsn + Math.max(this.#needed, bytes.length + 1),
      foundLsn: this.#primary.lsn,
    };
  }

  /** Resolves when there is room for more. */
  async #hold(bytes: Buffer): Promise<void> {
    for (let rest = this.#filling.put(bytes); ; rest = this.#filling.put(rest)) {
      if (!this.#filling.isFull || this.#ended !== null) return;
      this.#wake?.();
      await new Promise<void>((resolve) => (this.#resume = resolve));
    }
  }

  /** Moves chunks from the stream into memory, and no faster than they are taken out of it. */
  async #pump(): Promise<void> {
    let nextLsn = this.#stream.startLsn;
    try {
      for await (const chunk of this.#stream.chunks) {
        if (chunk.kind === 'notice') {
          // An idle primary says the same again and again: that it lives, and nothing new.
          if (this.#primary === null || !samePosition(this.#primary, chunk.position))
            this.#primary = chunk.position;
        } else if (chunk.lsn !== nextLsn) {
          this.#chunkGap = { expectedLsn: nextLsn, foundLsn: chunk.lsn };
          this.#suspectBytes = Buffer.from(chunk.bytes.subarray(0, FRAME_BYTES_MAX));
          this.#wake?.();
          return;
        } else {
          nextLsn += chunk.bytes.length;
          await this.#hold(chunk.bytes);
        }
        this.#wake?.();
      }
      this.#ended ??= 'the stream has ended';
    } catch (error) {
      this.#ended ??= `connection lost: ${errorText(error)}`;
    }
    this.#wake?.();
  }
}
