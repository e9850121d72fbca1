import { medianOf } from '../statistics.ts';
import type { Goal, Measured, TitledTable } from '../workload.ts';
import { IDLE_READS, type IdleReads, type IdleScan } from './idle.ts';
import { READINGS, type LoadedReads, type Reading } from './under-load.ts';

const P99_MILLISECONDS_MAX = 10;
const HOT_READS_PER_SECOND_MIN = 100_000;
const ROWS_PER_SECOND_MIN = 300_000;
const GOAL_IDS: Readonly<Record<Reading, string>> = {
  'without a pause': 'P6-p99',
  'one each millisecond': 'P6-p99-each-ms',
};

interface Taken {
  readonly loaded: readonly LoadedReads[];
  readonly idle: readonly IdleReads[];
  readonly scans: readonly IdleScan[];
}

export function measuredOf(workload: object, { loaded, idle, scans }: Taken): Measured {
  const rates = IDLE_READS.map(({ name }) => rateOf(name, idle));
  const rows = scans.map((one) => one.rows_per_second);
  const scanned = { median: medianOf(rows), rounds: rows };
  return {
    goals: [
      admissionGoal(loaded),
      ...READINGS.map((reading) => timeGoal(reading, loaded)),
      hotGoal(rates),
      scanGoal(scanned.median),
    ],
    figures: { workload, under_load: loaded, idle, scans, reads_per_second: rates, rows_per_second: scanned },
    tables: [loadTable(loaded), idleTable(rates, scanned)],
  };
}

function rateOf(name: string, idle: readonly IdleReads[]) {
  const each = idle.filter((one) => one.name === name).map((one) => one.reads_per_second);
  return { name, median: medianOf(each), rounds: each };
}

type Rate = ReturnType<typeof rateOf>;

function refusedIn(loaded: readonly LoadedReads[]): string {
  const refused = loaded.flatMap((one) => Object.entries(one.refused));
  const reasons = [...new Set(refused.map(([reason]) => reason))];
  return reasons
    .map((of) => `${refused.reduce((sum, [reason, count]) => sum + (reason === of ? count : 0), 0)} ${of}`)
    .join(', ');
}

function admissionGoal(loaded: readonly LoadedReads[]): Goal {
  const admitted = loaded.reduce((sum, one) => sum + one.admitted, 0);
  const refused = refusedIn(loaded);
  return {
    id: 'P6-admitted',
    goal: 'full catch-up load: every read admitted',
    met: admitted > 0 && refused === '',
    found: `${admitted} were admitted, ${refused === '' ? 'none refused' : `and refused: ${refused}`}`,
  };
}

function timeGoal(reading: Reading, loaded: readonly LoadedReads[]): Goal {
  const p99s = loaded.flatMap((one) =>
    one.reading === reading && one.read_ms !== null ? one.read_ms.p99 : [],
  );
  const median = medianOf(p99s);
  return {
    id: GOAL_IDS[reading],
    goal: `full catch-up load, reads ${reading}: p99 at most ${P99_MILLISECONDS_MAX} ms`,
    met: median !== null && median <= P99_MILLISECONDS_MAX,
    found: `${median ?? 'unknown'} ms (median of the rounds), at worst ${p99s.length === 0 ? 'unknown' : Math.max(...p99s)} ms`,
  };
}

function hotGoal(rates: readonly Rate[]): Goal {
  const best = rates
    .filter(({ name }) => name.startsWith('hot set') && name.includes('reader'))
    .sort((a, b) => (b.median ?? 0) - (a.median ?? 0))[0];
  return {
    id: 'P6-hot-set',
    goal: `idle: at least ${HOT_READS_PER_SECOND_MIN} point reads/s of a hot set, a view for each`,
    met: (best?.median ?? 0) >= HOT_READS_PER_SECOND_MIN,
    found: `${best?.median ?? 'unknown'}/s (${best?.name ?? 'nothing was read'}; median of the rounds)`,
  };
}

function scanGoal(median: number | null): Goal {
  return {
    id: 'P6-scan',
    goal: `idle: at least ${ROWS_PER_SECOND_MIN} rows/s scanned`,
    met: median !== null && median >= ROWS_PER_SECOND_MIN,
    found: `${median ?? 'unknown'}/s (median of the rounds)`,
  };
}

function loadTable(loaded: readonly LoadedReads[]): TitledTable {
  return {
    title: 'reads under full catch-up load, milliseconds',
    head: ['round', 'read', 'documents/s', 'reads/s', 'admitted', 'refused', 'median', 'p90', 'p99', 'max'],
    rows: loaded.map((one) => [
      one.round,
      one.reading,
      one.catch_up_documents_per_second,
      one.reads_per_second,
      one.admitted,
      Object.values(one.refused).reduce((sum, count) => sum + count, 0),
      one.read_ms?.median ?? null,
      one.read_ms?.p90 ?? null,
      one.read_ms?.p99 ?? null,
      one.read_ms?.max ?? null,
    ]),
  };
}

function idleTable(rates: readonly Rate[], scanned: Omit<Rate, 'name'>): TitledTable {
  return {
    title: 'idle, documents a second',
    head: ['read', 'median of the rounds', 'each round'],
    rows: [...rates, { name: 'scan of the collection', ...scanned }].map(({ name, median, rounds }) => [
      name,
      median,
      rounds.join(', '),
    ]),
  };
}
