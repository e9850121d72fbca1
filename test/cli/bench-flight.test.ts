import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { afterTest, temporaryDirectory } from '../support/nodes.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const NUMBER = expect.any(Number) as number;

interface Shown {
  readonly goals: readonly { readonly id: string }[];
  readonly figures: {
    readonly windows: readonly {
      readonly recorder: string;
      readonly catch_up: { readonly commits: number };
      readonly following: { readonly commits: number };
      readonly journal_bytes: number | null;
    }[];
    readonly costs: readonly {
      readonly kind: string;
      readonly kept: { readonly rounds: readonly number[] };
    }[];
    readonly journal_bytes_per_commit: number;
  };
}

test('flight: each round has a window with and one without the recorder', { timeout: 120_000 }, async () => {
  const options = ['bench', 'flight', '--seconds', '0.2', '--rounds', '1', '--json'];
  const child = spawn(process.execPath, [MAIN, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: await temporaryDirectory() },
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  afterTest(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  const [out, err, exit] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  expect({ exit, err }).toEqual({ exit: 0, err: '' });
  const { goals, figures } = JSON.parse(out) as Shown;
  expect(goals.map(({ id }) => id)).toEqual(['flight-following', 'flight-catch_up']);
  const { windows, costs, journal_bytes_per_commit: bytes } = figures;
  expect(windows).toMatchObject([
    { round: 1, recorder: 'disabled', journal_bytes: null },
    { round: 1, recorder: 'enabled', journal_bytes: NUMBER },
  ]);
  for (const { catch_up: up, following } of windows) {
    expect(up.commits).toBeGreaterThanOrEqual(40_000);
    expect(following.commits).toBeGreaterThan(0);
  }
  expect(costs.map(({ kind, kept }) => [kind, kept.rounds.length])).toEqual([
    ['following', 1],
    ['catch_up', 1],
  ]);
  expect(bytes).toBeGreaterThan(1_000);
});
