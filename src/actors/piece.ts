const MEBIBYTE = 1024 * 1024;
/** Nobody reads: each piece costs steps of the chart and ways to other threads, and few large ones cost the least. */
const LONG_BYTES = 2 * MEBIBYTE;
/** Somebody reads: a read waits for the batch in flight and for whatever runs before it, so both are to be short. */
const SHORT_BYTES = MEBIBYTE / 2;

/** How much WAL is proved and applied at a time. It changes how soon reads are answered, and nothing of what they see. */
export class PieceSize {
  #isRead = false;

  /** Somebody wants to read. */
  asked(): void {
    this.#isRead = true;
  }

  /** For the next piece, by whether anybody has asked since the last one. */
  next(): number {
    const bytes = this.#isRead ? SHORT_BYTES : LONG_BYTES;
    this.#isRead = false;
    return bytes;
  }
}
