import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { BenchFailure } from '../../src/bench/failure.ts';
import { POLL_MILLISECONDS } from './measure.ts';

const LOG_CHARACTERS_MAX = 2_000;
const STOP_MILLISECONDS_MAX = 60_000;
const SIGNAL_MILLISECONDS = 250;

/** Who runs a server: some refuse to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface ServerOptions {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly logFile: string;
  readonly account: Account | null;
  /** What ends it at once and together with the processes that it has made. */
  readonly endSignal: NodeJS.Signals;
}

/** A server of a peer; a child of this process that never outlives it. */
export class Server {
  readonly pid: number;
  readonly spawnedAt: number;
  readonly #child: ChildProcess;
  readonly #options: ServerOptions;
  readonly #exited: Promise<void>;

  constructor(options: ServerOptions) {
    const { program, args, directory, account, logFile } = options;
    const log = openSync(logFile, 'a');
    this.spawnedAt = performance.now();
    try {
      this.#child = spawn(program, args, {
        cwd: directory,
        stdio: ['ignore', log, log],
        env: environmentOf(),
        ...(account ?? {}),
      });
    } finally {
      closeSync(log);
    }
    this.#options = options;
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
    this.pid = this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.pid === 0 || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  signal(signal: NodeJS.Signals = this.#options.endSignal): void {
    if (!this.hasEnded) this.#child.kill(signal);
  }

  /**
   * Ends it. It is told again and again, because Redis forgets that it was told while it writes its first append-only file. Where it
   * does not end in time it is killed, and that is a failure.
   */
  async end(): Promise<void> {
    this.signal();
    const began = performance.now();
    let isLate = false;
    const telling = setInterval(() => {
      isLate ||= performance.now() - began > STOP_MILLISECONDS_MAX;
      this.signal(isLate ? 'SIGKILL' : undefined);
    }, SIGNAL_MILLISECONDS);
    await this.#exited;
    clearInterval(telling);
    if (isLate) throw await this.failure(`does not stop within ${STOP_MILLISECONDS_MAX} ms`);
  }

  /** What is wrong with it, with the end of its log. */
  async failure(what: string): Promise<BenchFailure> {
    const log = await readFile(this.#options.logFile, 'utf8');
    return new BenchFailure(`${this.#options.name} ${what}: ${log.slice(-LOG_CHARACTERS_MAX).trim()}`);
  }
}

/** Every server that a run has started; whoever makes it ends it, and with it all of them. */
export class Servers {
  readonly #running: Server[] = [];
  readonly #signal: AbortSignal;
  readonly #atExit = () => this.#signalAll();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    process.once('exit', this.#atExit);
  }

  start(options: ServerOptions): Server {
    this.#signal.throwIfAborted();
    const server = new Server(options);
    this.#running.push(server);
    return server;
  }

  /** Runs a program to its end; gives what it prints. */
  async run(program: string, args: readonly string[], account: Account | null, cwd = '/'): Promise<string> {
    try {
      const options = { cwd, signal: this.#signal, env: environmentOf(), ...(account ?? {}) };
      return (await promisify(execFile)(program, [...args], options)).stdout;
    } catch (error) {
      this.#signal.throwIfAborted();
      const { stderr = '', message } = error as Error & { stderr?: string };
      throw new BenchFailure(`${program} fails: ${stderr.trim() || message}`, { cause: error });
    }
  }

  async endAll(): Promise<void> {
    await Promise.all(this.#running.map((server) => server.end()));
    process.off('exit', this.#atExit);
  }

  #signalAll(): void {
    for (const server of this.#running) server.signal();
  }
}

/** The configuration of whoever runs the bench is not that of its servers. */
function environmentOf(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' };
}

/** A port of loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const START_MILLISECONDS_MAX = 60_000;

/** Asks a server that starts again and again for a connection, until there is one. */
export async function connected<Connection>(
  server: Server,
  open: () => Promise<Connection>,
): Promise<Connection> {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (server.hasEnded) throw await server.failure('does not start');
      if (performance.now() - server.spawnedAt > START_MILLISECONDS_MAX) {
        const failure = await server.failure('takes no connections');
        throw new BenchFailure(failure.message, { cause: error });
      }
    }
    await wait(POLL_MILLISECONDS);
  }
}
