import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { afterTest, temporaryDirectory } from './nodes.ts';

/** A program of node in a process of its own, to its end: what it printed, how it ended, what it left in its temporary directory. */
export async function runProgram(main: string, options: readonly string[], cwd = process.cwd()) {
  const temporary = await temporaryDirectory();
  const child = spawn(process.execPath, [main, ...options], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  afterTest(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  const [out, err, exit] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { out, err, exit, left: await readdir(temporary) };
}
