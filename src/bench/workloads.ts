import { dx } from './dx/dx.ts';
import type { Workload } from './workload.ts';

/** Every workload there is, by its name; a new one is a file or a directory beside `dx`, and a line here. */
const ALL: readonly Workload[] = [dx];

export const WORKLOADS: ReadonlyMap<string, Workload> = new Map(ALL.map((one) => [one.name, one]));
