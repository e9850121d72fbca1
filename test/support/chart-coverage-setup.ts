// Runs in every test file: writes down which parts of the charts its nodes went through.
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, inject } from 'vitest';
import { recorded } from './chart-coverage.ts';

afterAll(() => {
  writeFileSync(join(inject('chartCoverageDirectory'), `${randomUUID()}.json`), JSON.stringify(recorded()));
});
