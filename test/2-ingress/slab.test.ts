import { expect, test } from 'vitest';
import { Slab } from '../../src/actors/slab.ts';
import { FRAME_BYTES_MAX } from '../../src/core/limits.ts';

const piece = (byte: number, bytes: number) => Buffer.alloc(bytes, byte);

test('what was put in is there in one piece, until it is emptied', () => {
  const slab = new Slab();
  expect(slab.bytes.length).toBe(0);
  for (const [byte, bytes] of [
    [1, 10],
    [2, 100_000],
    [3, 70_000],
  ] as const)
    expect(slab.put(piece(byte, bytes)).length).toBe(0);
  expect(slab.bytes).toEqual(Buffer.concat([piece(1, 10), piece(2, 100_000), piece(3, 70_000)]));
  slab.empty();
  expect(slab.bytes.length).toBe(0);
  slab.put(piece(4, 3));
  expect(slab.bytes).toEqual(piece(4, 3));
});

test('it takes a unit of the largest size and gives back what has no room', () => {
  const slab = new Slab();
  slab.put(piece(1, FRAME_BYTES_MAX - 5));
  expect(slab.isFull).toBe(false);
  expect(slab.put(piece(2, 8))).toEqual(piece(2, 3));
  expect(slab.isFull).toBe(true);
  expect(slab.put(piece(3, 2))).toEqual(piece(3, 2));
  expect(slab.bytes.length).toBe(FRAME_BYTES_MAX);
  expect(slab.bytes.subarray(-6)).toEqual(Buffer.from([1, 2, 2, 2, 2, 2]));
});
