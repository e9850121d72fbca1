import { test } from 'vitest';
import { WHOLE_TIMEOUT_MS } from '../faults/depth.ts';
import { seedsHold } from './seeds.ts';

test(
  'P5-I4 P5-I6 P5-I7 P5-I10 P5-I11 P5-I12: what is acknowledged stays, and what is read is true: more seeds',
  { timeout: WHOLE_TIMEOUT_MS },
  () => seedsHold(2),
);
