import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runProgram } from '../support/programs.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const DOCUMENTS = 1_000;

interface CaughtUp {
  readonly documents: number;
  readonly milliseconds: number;
  readonly milliseconds_from_start: number;
  readonly docs_per_second: number;
  readonly docs_per_second_from_start: number;
}

interface Size {
  readonly documents: number;
  readonly catch_up: readonly CaughtUp[];
  readonly restart: readonly { readonly milliseconds: number }[];
}

interface Figures {
  readonly rounds: readonly CaughtUp[];
  readonly proofs: readonly {
    readonly position: { readonly commit_id: number };
    readonly state_digest: { readonly versions: number };
    readonly wal_bytes_verified: number;
  }[];
  readonly profile: {
    readonly samples: number;
    readonly statechart_share: number;
    readonly groups: readonly { readonly side: string; readonly samples: number }[];
  };
  readonly small: Size;
  readonly large: Size;
  readonly crowds: readonly {
    readonly kind: string;
    readonly alone: { readonly replicas: number };
    readonly crowd: { readonly replicas: number; readonly wal_bytes_read: number };
  }[];
}

interface Shown {
  readonly goals: readonly { readonly id: string }[];
  readonly figures: { readonly workloads: readonly { workload: string; figures: Figures }[] };
}

test(
  'goals: every workload of a goal runs, one after another, and their figures add up',
  { timeout: 180_000 },
  async () => {
    const sizes = ['--seconds', '0.1', '--rounds', '1', '--documents', String(DOCUMENTS)];
    const { out, err, exit, left } = await runProgram(MAIN, ['bench', ...sizes, '--json']);
    expect({ exit, err, left }).toEqual({ exit: 0, err: '', left: [] });
    const { goals, figures } = JSON.parse(out) as Shown;
    expect(goals.map(({ id }) => id)).toEqual([
      'P1',
      'P2',
      'P3-p99',
      'P3-p99-every-5-ms',
      'P4',
      'P4-large',
      'P4-small',
      'P5-64-writers',
      'P5-one-writer',
      'P6-admitted',
      'P6-hot-set',
      'P6-p99',
      'P6-p99-each-ms',
      'P6-scan',
      'P7',
      'P8-growth',
      'P8-replicas',
      'P8-restart',
      'P8-restart-length',
    ]);
    const of = new Map(figures.workloads.map((one) => [one.workload, one.figures]));
    expect([...of.keys()]).toEqual(['catch-up', 'bootstrap', 'lag', 'commits', 'reads', 'growth']);
    expectCatchUp(of.get('catch-up') as Figures);
    expectProved(of.get('bootstrap') as Figures);
    expectGrowth(of.get('growth') as Figures);
  },
);

function expectCatchUp(figures: Figures): void {
  expectProved(figures);
  const { samples, groups, statechart_share: share } = figures.profile;
  const sumOf = (all: readonly { readonly samples: number }[]) =>
    all.reduce((sum, one) => sum + one.samples, 0);
  expect(sumOf(groups)).toBe(samples);
  expect(share).toBeCloseTo(sumOf(groups.filter(({ side }) => side === 'statechart')) / samples, 10);
  expect(new Set(groups.map(({ side }) => side))).toContain('effect');
  for (const { wal_bytes_verified: bytes } of figures.proofs) expect(bytes).toBeGreaterThan(279 * DOCUMENTS);
}

function expectProved({ rounds, proofs }: Figures): void {
  expect(rounds.map(({ documents }) => documents)).toEqual([DOCUMENTS]);
  rounds.forEach(expectPace);
  expect(proofs.map(({ position, state_digest: digest }) => [position.commit_id, digest.versions])).toEqual([
    [DOCUMENTS, DOCUMENTS],
  ]);
}

/** The time from the spawn holds that from the start, and the documents by a time are what is said of it. */
function expectPace(one: CaughtUp): void {
  expect(one.milliseconds).toBeGreaterThan(one.milliseconds_from_start);
  expect(one.docs_per_second).toBe(Math.round((one.documents / one.milliseconds) * 1_000));
  expect(one.docs_per_second_from_start).toBe(
    Math.round((one.documents / one.milliseconds_from_start) * 1_000),
  );
}

function expectGrowth({ small, large, crowds }: Figures): void {
  expect([small.documents, large.documents]).toEqual([DOCUMENTS, 10 * DOCUMENTS]);
  for (const { catch_up: caughtUp, restart } of [small, large]) {
    caughtUp.forEach(expectPace);
    expect([caughtUp.length, restart.length]).toEqual([1, 1]);
  }
  expect(crowds.map(({ kind, alone, crowd }) => [kind, alone.replicas, crowd.replicas])).toEqual([
    ['idle', 1, 50],
    ['catching_up', 1, 50],
    ['following', 1, 50],
  ]);
  expect(crowds.map(({ crowd }) => crowd.wal_bytes_read > 0)).toEqual([false, true, true]);
}
