import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { DemoFailure } from './failure.ts';

/** The unit in which a POSIX shell limits the size of files (`ulimit -f`). */
export const LIMIT_UNIT_BYTES = 512;

const MAIN = fileURLToPath(
  new URL(`../cli/main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 30_000;
const ERROR_CHARACTERS_MAX = 4_000;

const startedLine = z.object({
  event: z.literal('started'),
  url: z.string(),
  node_id: z.string().nullable(),
});

/** How a node is started beyond what every node of the demonstration has. */
export interface StartOptions {
  /** Flags of the command line of the node. */
  readonly flags?: readonly string[];
  /** Flags of node itself, such as those that profile it. */
  readonly nodeFlags?: readonly string[];
  /** Where it listens; a free port of its own otherwise. */
  readonly port?: number;
  /** No file that it writes may become larger, in bytes, a multiple of `LIMIT_UNIT_BYTES`; a POSIX shell sets the limit. */
  readonly fileBytesMax?: number;
}

/** A node of the demonstration: a process of its own, and where its files are. */
export interface DemoNode {
  readonly name: string;
  readonly url: string;
  readonly directory: string;
}

interface Running {
  readonly name: string;
  readonly child: ChildProcess;
  readonly exited: Promise<number | string>;
}

/**
 * The child processes of one demonstration. None of them outlives it: `kill` ends them all, and so does the end of this
 * process, however it comes about short of SIGKILL.
 */
export class Processes {
  readonly #root: string;
  readonly #running: Running[] = [];
  readonly #starts = new Map<string, number>();
  readonly #atExit = () => this.#signalAll('SIGKILL');
  #killed = false;

  constructor(root: string) {
    this.#root = root;
    process.once('exit', this.#atExit);
  }

  /** Whether any was started, so that there may be files to look into. */
  get hasStarted(): boolean {
    return this.#starts.size > 0;
  }

  /** Whether the demonstration was ended, so that nothing is started any more. */
  get isEnded(): boolean {
    return this.#killed;
  }

  /** Where a node has its files, or another directory of this demonstration. */
  directoryOf(name: string): string {
    return join(this.#root, name);
  }

  /** Starts the command line as a node on loopback; resolves when it says where. */
  async start(name: string, role: 'primary' | 'replica', options: StartOptions = {}): Promise<DemoNode> {
    if (this.#killed) throw new DemoFailure(`${name} is not started: the demonstration was ended`);
    if (this.isRunning(name)) throw new DemoFailure(`${name} runs already`);
    // One that ended by itself is still known, so that its end can be told.
    this.#forget(name);
    const directory = this.directoryOf(name);
    const listen = `127.0.0.1:${options.port ?? 0}`;
    const args = [MAIN, role, '--data', directory, '--listen', listen, '--json', ...(options.flags ?? [])];
    const command = [
      process.execPath,
      ...(options.nodeFlags ?? []),
      ...args,
      '--log-file',
      this.#logFile(name),
    ] as const;
    const [program, ...rest] = limited(command, options.fileBytesMax);
    const child = spawn(program, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: withoutConfiguration(process.env),
    });
    const exited = new Promise<number | string>((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
      child.once('error', (error) => resolve(error.message));
    });
    this.#running.push({ name, child, exited });
    let errors = '';
    child.stderr.on('data', (text: Buffer) => {
      errors = (errors + text.toString()).slice(-ERROR_CHARACTERS_MAX);
    });
    const line = await within(
      START_MS_MAX,
      Promise.race([
        new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve)),
        exited.then((how) => {
          throw new DemoFailure(`${name} ended (${how}) instead of starting: ${errors}`);
        }),
      ]),
      () => new DemoFailure(`${name} does not start within ${START_MS_MAX} ms: ${errors}`),
    );
    const started = startedLine.safeParse(parseLine(name, line));
    if (!started.success) throw new DemoFailure(`${name} does not start: ${line}`);
    return { name, url: started.data.url, directory };
  }

  /** The process of a node that runs. */
  pidOf(name: string): number | undefined {
    return this.#of(name)?.child.pid;
  }

  isRunning(name: string): boolean {
    const child = this.#of(name)?.child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Sends a signal to a node that runs. */
  signal(name: string, signal: NodeJS.Signals): void {
    if (this.isRunning(name)) this.#of(name)?.child.kill(signal);
  }

  /** Ends one node, and resolves with how it ended when it has; `null`: there was none. */
  async end(name: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | string | null> {
    const running = this.#of(name);
    if (running === undefined) return null;
    this.signal(name, signal);
    const how = await within(STOP_MS_MAX, running.exited, () => lateStop(name));
    this.#forget(name);
    return how;
  }

  /** Asks every node to stop, the youngest first; how each ended: an exit code, or what ended it instead. */
  async stop(): Promise<Readonly<Record<string, number | string>>> {
    const ends: Record<string, number | string> = {};
    for (const { name, child, exited } of [...this.#running].reverse()) {
      child.kill('SIGTERM');
      ends[name] = await within(STOP_MS_MAX, exited, () => lateStop(name));
    }
    return Object.fromEntries(this.#running.map(({ name }) => [name, ends[name] ?? 'unknown']));
  }

  /** Ends what still runs, at once; resolves when nothing does. */
  async kill(): Promise<void> {
    this.#killed = true;
    this.#signalAll('SIGKILL');
    await Promise.all(this.#running.map(({ exited }) => exited));
    process.off('exit', this.#atExit);
  }

  #of(name: string): Running | undefined {
    return this.#running.find((one) => one.name === name);
  }

  #forget(name: string): void {
    const index = this.#running.findIndex((one) => one.name === name);
    if (index !== -1) this.#running.splice(index, 1);
  }

  /** Each start of a node has a log of its own. */
  #logFile(name: string): string {
    const start = (this.#starts.get(name) ?? 0) + 1;
    this.#starts.set(name, start);
    return `${this.directoryOf(name)}${start === 1 ? '' : `.${start}`}.log`;
  }

  #signalAll(signal: NodeJS.Signals): void {
    for (const { child } of this.#running)
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  }
}

/** A command under a limit on the size of files. The shell becomes the command, so its process is that of the node. */
function limited(
  command: readonly [string, ...string[]],
  fileBytesMax: number | undefined,
): readonly [string, ...string[]] {
  if (fileBytesMax === undefined) return command;
  const blocks = Math.ceil(fileBytesMax / LIMIT_UNIT_BYTES);
  return ['sh', '-c', `ulimit -f ${blocks} && exec "$@"`, 'sh', ...command];
}

function lateStop(name: string): DemoFailure {
  return new DemoFailure(`${name} does not stop within ${STOP_MS_MAX} ms of SIGTERM`);
}

/** The configuration of whoever runs the demonstration is not that of its nodes. */
function withoutConfiguration(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('REPLICHART_')));
}

function parseLine(name: string, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new DemoFailure(`${name} prints no JSON: ${line}`, null, { cause: error });
  }
}

async function within<Result>(
  milliseconds: number,
  outcome: Promise<Result>,
  late: () => Error,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      outcome,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(late()), milliseconds);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
