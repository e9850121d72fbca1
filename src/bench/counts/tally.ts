/** What a node did through its ports, and the steps of its chart. */
export interface Tally {
  fileWrites: number;
  fileWrittenBytes: number;
  fileSyncs: number;
  fileReads: number;
  fileReadBytes: number;
  indexBatches: number;
  indexEntries: number;
  indexBytes: number;
  chartSteps: number;
}

export function newTally(): Tally {
  return {
    fileWrites: 0,
    fileWrittenBytes: 0,
    fileSyncs: 0,
    fileReads: 0,
    fileReadBytes: 0,
    indexBatches: 0,
    indexEntries: 0,
    indexBytes: 0,
    chartSteps: 0,
  };
}

/** What came between two moments. */
export function between(before: Tally, after: Tally): Tally {
  const names = Object.keys(before) as (keyof Tally)[];
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as unknown as Tally;
}
