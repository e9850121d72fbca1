import { crc32c as crc32cNative } from '@node-rs/crc32';
import { isUtf8 } from 'node:buffer';
import { createHash, timingSafeEqual } from 'node:crypto';

/** CRC32C (Castagnoli) of the parts, in order, as if they were one buffer. */
export function crc32c(...parts: readonly Uint8Array[]): number {
  let crc = 0;
  for (const part of parts) crc = crc32cNative(part, crc);
  return crc >>> 0;
}

/** CRC32C of bytes as the continuation of those whose CRC32C is `crc`: 0 for nothing before. */
export function crc32cAfter(crc: number, bytes: Uint8Array): number {
  return crc32cNative(bytes, crc) >>> 0;
}

/** The table of the reflected polynomial of CRC32C. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  return crc;
});

/** The same for the first `count` of a few dozen bytes: a call out of JavaScript takes longer than they do. */
export function crc32cOfFew(bytes: Uint8Array, count = bytes.length, before = 0): number {
  let crc = ~before;
  for (let at = 0; at < count; at += 1)
    crc = (CRC_TABLE[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** A checksum as it is shown to people: eight hexadecimal digits. */
export function hex32(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/** Compares secrets without telling by timing where they part. */
export function equalInConstantTime(left: string, right: string): boolean {
  return timingSafeEqual(sha256(Buffer.from(left)), sha256(Buffer.from(right)));
}

/**
 * Reads an unsigned 64-bit little-endian integer that must be a safe integer. Returns `null` where it is not, so that
 * the caller can say which field of which file holds it.
 */
export function readSafeU64(buffer: Buffer, offset: number): number | null {
  const value = buffer.readUInt32LE(offset + 4) * 0x1_0000_0000 + buffer.readUInt32LE(offset);
  // Above the largest safe integer a sum may be rounded, and never to one that is safe.
  return Number.isSafeInteger(value) ? value : null;
}

export function writeU64(buffer: Buffer, value: number, offset: number): void {
  buffer.writeUInt32LE(value % 0x1_0000_0000, offset);
  buffer.writeUInt32LE(Math.floor(value / 0x1_0000_0000), offset + 4);
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}

export function uuidToBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

export function uuidFromBytes(bytes: Uint8Array): string {
  const digits = hex(bytes);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20, 32),
  ].join('-');
}

/** A value that JSON can carry without loss: what facts, evidence and halt records are made of. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = Readonly<Record<string, Json>>;

/** A number as JSON, which has no NaN: a field that is no safe integer is read as one, and shown as `null`. */
export function numberJson(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** Keys are bytes: as a field of JSON, text where they are UTF-8, else base64 under a name that says so. */
export function keyJson<const Name extends string>(name: Name, bytes: Buffer): KeyJson<Name> {
  const field = isUtf8(bytes)
    ? { [name]: bytes.toString('utf8') }
    : { [`${name}_base64`]: bytes.toString('base64') };
  return field as KeyJson<Name>;
}

type KeyJson<Name extends string> = { readonly [Field in Name | `${Name}_base64`]?: string };
