import { expect, test } from 'vitest';
import { PieceSize } from '../../src/actors/piece.ts';

test('pieces are short as long as somebody reads, and long again when nobody does', () => {
  const pieces = new PieceSize();
  const long = pieces.next();
  pieces.asked();
  pieces.asked();
  const short = pieces.next();
  expect(short).toBeLessThan(long);
  expect(pieces.next()).toBe(long);
});
