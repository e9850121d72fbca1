import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterTest } from './nodes.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface RunningProcess {
  readonly child: ChildProcess;
  /** The first line on standard output, as JSON. */
  readonly started: Promise<Record<string, unknown>>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  readonly stderr: () => string;
}

/** Runs the built command line as a process of its own. */
export function runProcess(args: readonly string[]): RunningProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  const started = new Promise<Record<string, unknown>>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) =>
      resolve(JSON.parse(line) as Record<string, unknown>),
    );
    void exited.then(({ code }) => reject(new Error(`it exited with ${code}: ${stderr}`)));
  });
  started.catch((error: unknown) => (stderr += `\n${String(error)}`));
  afterTest(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { child, started, exited, stderr: () => stderr };
}
