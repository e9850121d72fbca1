import { appendFileSync } from 'node:fs';
import type { FaultRecord } from '../../scripts/faults-document.ts';

/** Writes down what was injected and what came of it, for docs/FAULTS.md, where the run asks for that. */
export function recordFaults(record: FaultRecord): void {
  const path = process.env['FAULTS_REPORT'];
  if (path !== undefined) appendFileSync(path, `${JSON.stringify(record)}\n`);
}
