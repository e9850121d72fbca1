/** What the files of LevelDB have in common. Source: its `doc/log_format.md`, `doc/table_format.md`, `util/crc32c.h`. */
import { crc32c } from '../../core/bytes.ts';

/** What of the index store cannot be trusted, and where: the evidence of `INDEX_DAMAGED`. */
export interface LevelDamage {
  readonly file: string;
  readonly expected: string;
  readonly found: string;
  /** The first byte of what is damaged, where one can be named. */
  readonly byte?: number;
}

/** A checksum as LevelDB stores it. */
export function maskedCrc(...parts: readonly Uint8Array[]): number {
  const crc = crc32c(...parts);
  return (((crc >>> 15) | (crc << 17)) + 0xa282_ead8) >>> 0;
}

/** Reads the fields of a record one after another. @throws RangeError where one runs over the end. */
export class LevelFields {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes.readUInt8(this.#at);
      this.#at += 1;
      value += (byte & 0x7f) * factor;
      if (!Number.isSafeInteger(value)) throw new RangeError('a number beyond 53 bits');
      if (byte < 0x80) return value;
    }
  }

  bytes(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw new RangeError('a field beyond the end');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  string(): Buffer {
    return this.bytes(this.varint());
  }
}
