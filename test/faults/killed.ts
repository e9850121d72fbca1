import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Job, Said } from '../../scripts/simulate/killed-child.ts';

const CHILD = fileURLToPath(new URL('../../dist/scripts/simulate/killed-child.js', import.meta.url));

export interface Died {
  readonly said: readonly Said[];
  /** How many changes it made; `null` where it was killed before it could say so. */
  readonly changes: number | null;
}

/** Runs a node in a process of its own until it has killed itself or done all of its job. */
export async function runKilled(job: Job): Promise<Died> {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(job)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const { code, signal } = await new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('close', (exitCode, by) => resolve({ code: exitCode, signal: by })),
  );
  const said = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Said);
  const last = said.at(-1);
  if (signal === 'SIGKILL') return { said, changes: null };
  if (code !== 0 || last === undefined || !('done' in last))
    throw new Error(`the process ended with ${code ?? signal ?? 'nothing'}: ${errors}`);
  return { said, changes: last.changes };
}

/** A job for each change that it makes, until one is through without being killed. */
export async function killedEverywhere(
  jobOf: (killBefore: number) => Promise<Job>,
  look: (killBefore: number, died: Died) => Promise<void>,
  isTaken: (killBefore: number) => boolean,
): Promise<{ readonly changes: number; readonly kills: number }> {
  const changes = (await runKilled(await jobOf(0))).changes as number;
  let kills = 0;
  for (let k = 1; k <= changes; k += 1) {
    if (!isTaken(k)) continue;
    const died = await runKilled(await jobOf(k));
    if (died.changes !== null) continue;
    kills += 1;
    await look(k, died);
  }
  return { changes, kills };
}
