import { dx } from './dx/dx.ts';
import { flight } from './flight/flight.ts';
import type { Workload } from './workload.ts';

/** Every workload there is, by its name; a new one is a file or a directory beside the others, and a line here. */
const ALL: readonly Workload[] = [dx, flight];

export const WORKLOADS: ReadonlyMap<string, Workload> = new Map(ALL.map((one) => [one.name, one]));
