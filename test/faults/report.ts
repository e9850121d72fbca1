import { appendFileSync } from 'node:fs';
import type { FaultRecord } from '../../scripts/faults-document.ts';

/** Writes down what was injected and what came of it, for docs/FAULTS.md, where the run asks for that. */
export function recordFaults(record: FaultRecord): void {
  const path = process.env['FAULTS_REPORT'];
  if (path !== undefined) appendFileSync(path, `${JSON.stringify(record)}\n`);
}

/** Outcomes by name, counted. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(outcome: string): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
  }

  get cases(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  get outcomes(): Record<string, number> {
    return sorted(Object.fromEntries(this.#counts));
  }
}

function sorted(outcomes: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(outcomes).sort(([left], [right]) => (left < right ? -1 : 1)));
}
