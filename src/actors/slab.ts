import { FRAME_BYTES_MAX } from '../core/limits.ts';

/** Any unit fits, behind nothing. */
const SLAB_BYTES_MAX = FRAME_BYTES_MAX;
const SLAB_BYTES_MIN = 64 * 1024;

/**
 * Memory for bytes that come in pieces and are wanted in one. It is used again and again: what was put into it is there until it
 * is emptied. It grows to what is needed, and never beyond a unit of the largest size.
 */
export class Slab {
  #memory: Buffer = Buffer.alloc(0);
  #filled = 0;

  /** All that is in it. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#filled);
  }

  get isFull(): boolean {
    return this.#filled >= SLAB_BYTES_MAX;
  }

  /** Takes as much of the bytes as there is room for; gives what is left of them. */
  put(bytes: Buffer): Buffer {
    const taken = bytes.subarray(0, SLAB_BYTES_MAX - this.#filled);
    this.#reserve(this.#filled + taken.length);
    taken.copy(this.#memory, this.#filled);
    this.#filled += taken.length;
    return bytes.subarray(taken.length);
  }

  empty(): void {
    this.#filled = 0;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#memory.length) return;
    const wanted = Math.max(bytes, 2 * this.#memory.length, SLAB_BYTES_MIN);
    const larger = Buffer.allocUnsafeSlow(Math.min(wanted, SLAB_BYTES_MAX));
    this.#memory.copy(larger, 0, 0, this.#filled);
    this.#memory = larger;
  }
}
