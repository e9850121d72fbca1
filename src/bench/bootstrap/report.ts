import type { CatchUp } from '../catch-up/measure.ts';
import { pacesOf } from '../catch-up/pace.ts';
import { roundTable, seconds } from '../catch-up/report.ts';
import type { Proof } from '../prove.ts';
import { DOCUMENT_BYTES, KEY_BYTES, type WorkFacts } from '../w1.ts';
import type { Goal, Measured } from '../workload.ts';

export interface BootstrapFigures {
  readonly workload: WorkFacts;
  readonly snapshot: { readonly bytes: number; readonly milliseconds_to_make: number };
  readonly rounds: readonly CatchUp[];
  readonly proofs: readonly Proof[];
}

export function measuredOf(figures: BootstrapFigures): Measured {
  const { workload, snapshot, rounds } = figures;
  const summary = pacesOf(rounds, workload.documents * (KEY_BYTES + DOCUMENT_BYTES));
  const { median, min, max } = summary.milliseconds;
  const goal: Goal = {
    id: 'P2',
    goal: 'an empty replica that takes a snapshot is read-safe in at most 0.7 of the time of pg_basebackup and start',
    // PostgreSQL is measured by another runner: a ratio to it is not known here.
    met: null,
    found: `${seconds(median)} s (${seconds(min)} to ${seconds(max)}) with ${workload.documents} documents`,
  };
  return {
    goals: [goal],
    figures: { ...figures, summary },
    tables: [
      roundTable('round by round, from the spawn of the replica until it admits a read of the cut', rounds),
      {
        title: 'the snapshot',
        head: ['bytes', 's to make'],
        rows: [[snapshot.bytes, seconds(snapshot.milliseconds_to_make)]],
      },
    ],
  };
}
