import type { Table } from '../cli/table.ts';
import type { Processes } from '../demo/processes.ts';

/** What a workload is run with. */
export interface Surroundings {
  /** Its nodes; whoever runs the workload ends them. */
  readonly processes: Processes;
  /** How long one measured window lasts. */
  readonly seconds: number;
  readonly rounds: number;
  /** Aborted when the run is to end early. */
  readonly signal: AbortSignal;
  /** Says how far it is. */
  readonly say: (text: string) => void;
}

/** A goal of the project, and what was found of it in this run. */
export interface Goal {
  readonly id: string;
  readonly goal: string;
  readonly met: boolean;
  readonly found: string;
}

export interface TitledTable extends Table {
  readonly title: string;
}

/** What came of a workload: every figure for programs, and tables of them for people. */
export interface Measured {
  readonly goals: readonly Goal[];
  readonly figures: object;
  readonly tables: readonly TitledTable[];
}

export interface Workload {
  readonly name: string;
  readonly summary: string;
  /** What the figures do not say; recorded with them. */
  readonly limits: readonly string[];
  run(surroundings: Surroundings): Promise<Measured>;
}
