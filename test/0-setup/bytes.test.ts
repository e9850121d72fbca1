import { describe, expect, test } from 'vitest';
import {
  crc32c,
  equalInConstantTime,
  hex,
  hex32,
  isUuid,
  keyJson,
  numberJson,
  readSafeU64,
  sha256,
  uuidFromBytes,
  uuidToBytes,
  writeU64,
} from '../../src/core/bytes.ts';

const UUID = '00112233-4455-6677-8899-aabbccddeeff';

describe('numbers as bytes and as text', () => {
  test.each([
    [0, '0000000000000000'],
    [0xffff_ffff, 'ffffffff00000000'],
    [0x1_0000_0000, '0000000001000000'],
    [Number.MAX_SAFE_INTEGER, 'ffffffffffff1f00'],
  ])('%d', (value, digits) => {
    const bytes = Buffer.alloc(9, 7);
    writeU64(bytes, value, 1);
    expect(bytes.toString('hex')).toBe(`07${digits}`);
    expect(readSafeU64(bytes, 1)).toBe(value);
  });

  test('P5-I5: one that is no safe integer is none', () => {
    expect(readSafeU64(Buffer.from('0000000000002000', 'hex'), 0)).toBeNull();
    expect(readSafeU64(Buffer.alloc(8, 0xff), 0)).toBeNull();
    expect(numberJson(Number.NaN)).toBeNull();
    expect(numberJson(0)).toBe(0);
  });

  test('a checksum has eight digits, and is the one of Castagnoli', () => {
    expect(hex32(0xab)).toBe('000000ab');
    expect(hex32(crc32c(Buffer.from('123456789')))).toBe('e3069283');
    expect(crc32c(Buffer.from('1234'), Buffer.from('56789'))).toBe(crc32c(Buffer.from('123456789')));
    expect(hex(sha256(Buffer.from('abc')))).toMatch(/^ba7816bf8f01cfea414140de5dae2223/);
    expect(hex(Buffer.from('xabcx').subarray(1, 4))).toBe('616263');
  });

  test('equal secrets are equal, others are not', () => {
    expect(equalInConstantTime('one', 'one')).toBe(true);
    expect(equalInConstantTime('one', 'ones')).toBe(false);
  });
});

describe('names', () => {
  test('P5-I1: a UUID is sixteen bytes, in lower case', () => {
    expect(uuidToBytes(UUID).toString('hex')).toBe(UUID.replaceAll('-', ''));
    expect(uuidFromBytes(uuidToBytes(UUID))).toBe(UUID);
    expect(isUuid(UUID)).toBe(true);
  });

  test.each([
    UUID.toUpperCase(),
    `0${UUID}`,
    `${UUID}0`,
    UUID.replaceAll('-', ''),
    UUID.replace('0011', '00g1'),
    UUID.replace('-44', '-4g'),
    UUID.replace('-66', '-6g'),
    UUID.replace('-88', '-8g'),
    UUID.replace('-aa', '-ga'),
    '',
  ])('P5-I1: %j is none', (text) => {
    expect(isUuid(text)).toBe(false);
  });

  test('P5-I7: a key that is no UTF-8 says so', () => {
    expect(keyJson('id', Buffer.from('ä'))).toEqual({ id: 'ä' });
    expect(keyJson('id', Buffer.alloc(0))).toEqual({ id: '' });
    expect(keyJson('id', Buffer.from([0xff]))).toEqual({ id_base64: '/w==' });
  });
});
