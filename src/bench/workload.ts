import type { Table } from '../cli/table.ts';
import type { Processes } from '../demo/processes.ts';

/** How large a run is. */
export interface Sizes {
  /** How long one measured window lasts. */
  readonly seconds: number;
  readonly rounds: number;
  /** The documents that are there before anything is measured. */
  readonly documents: number;
}

/** What a workload is run with. */
export interface Surroundings extends Sizes {
  /** Its nodes; whoever runs the workload ends them. */
  readonly processes: Processes;
  /** Aborted when the run is to end early. */
  readonly signal: AbortSignal;
  /** Says how far it is. */
  readonly say: (text: string) => void;
}

/** A goal of the project, and what was found of it in this run. */
export interface Goal {
  readonly id: string;
  readonly goal: string;
  /** `null` where this run cannot tell, because the goal is a ratio to something that it does not measure. */
  readonly met: boolean | null;
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
  /** Where the command line says nothing else. */
  readonly defaults: Sizes;
  run(surroundings: Surroundings): Promise<Measured>;
}
