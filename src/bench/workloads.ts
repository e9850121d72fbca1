import { bootstrap } from './bootstrap/bootstrap.ts';
import { catchUp } from './catch-up/catch-up.ts';
import { commits } from './commits/commits.ts';
import { counts } from './counts/counts.ts';
import { dx } from './dx/dx.ts';
import { flight } from './flight/flight.ts';
import { goals } from './goals/goals.ts';
import { growth } from './growth/growth.ts';
import { lag } from './lag/lag.ts';
import { reads } from './reads/reads.ts';
import { scaling } from './scaling/scaling.ts';
import type { Workload } from './workload.ts';

/**
 * Every workload there is, by its name, the first one where no name is given. A new one is a file or a directory beside
 * the others and a line here; one that measures a goal P1 to P8 has a line in `goals/goals.ts` too.
 */
const ALL: readonly Workload[] = [
  goals,
  catchUp,
  bootstrap,
  lag,
  commits,
  reads,
  growth,
  scaling,
  counts,
  dx,
  flight,
];

export const WORKLOADS: ReadonlyMap<string, Workload> = new Map(ALL.map((one) => [one.name, one]));
