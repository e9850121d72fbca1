import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
/** Few, so that it is proved soon; enough for two segments, changes and deletions. */
const ROWS = '500';

/** A demonstration that runs and is watched, as a process of its own. */
export interface Watched {
  readonly child: ChildProcess;
  /** Where its page is; ends with a slash. */
  readonly url: string;
  /** The nodes by their names, and where each of them serves itself. */
  readonly nodes: Readonly<Record<string, string>>;
  /** What it has printed on standard output, whole, once it has ended. */
  readonly out: Promise<string>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  err(): string;
  /** Types a line. */
  type(line: string): void;
  /** Resolves when standard error has this, behind where it was when `type` was called last. */
  says(wanted: string): Promise<string>;
  /** The processes of all nodes that were ever started. */
  pids(): Promise<readonly number[]>;
  /** What stands in the directory for temporary files. */
  leftBehind(): Promise<readonly string[]>;
  /** Ends it, if it still runs, and removes what it may have left. */
  end(): Promise<void>;
}

/** Starts a demonstration with `--watch`; resolves when it has proved everything and shows its menu. `onServed` is called before, when its page is served. */
export async function watchDemo(
  options: readonly string[] = [],
  onServed = async (_url: string) => {},
): Promise<Watched> {
  const temporary = await mkdtemp(join(tmpdir(), 'replichart-test-'));
  const args = [MAIN, 'demo', '--watch', '--rows', ROWS, ...options];
  const child = spawn(process.execPath, args, { env: { ...process.env, TMPDIR: temporary } });
  let err = '';
  let typedAt = 0;
  const listeners = new Set<() => void>();
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString();
    for (const listener of [...listeners]) listener();
  });
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  const says = (wanted: string) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (!err.includes(wanted, typedAt)) return;
        listeners.delete(look);
        resolve(err.slice(typedAt));
      };
      listeners.add(look);
      void exited.then(() => reject(new Error(`it ended and never said ${wanted}: ${err}`)));
      look();
    });
  const out = text(child.stdout);
  const end = async () => {
    child.kill('SIGTERM');
    await exited;
    await rm(temporary, { recursive: true, force: true });
  };
  try {
    await says('A page of all nodes is at ');
    await onServed(/A page of all nodes is at (\S+)/.exec(err)?.[1] ?? '');
    const shown = await says('End everything');
    const url = /Watch them at (\S+)/.exec(shown)?.[1] ?? '';
    const lines = [...shown.matchAll(/^ {2}(?:the )?(primary|replica [A-Z]) +(http\S+)$/gm)];
    const nodes = lines.map(([, name = '', at = '']) => [name.toLowerCase().replace(' ', '-'), at] as const);
    return {
      child,
      url,
      nodes: Object.fromEntries(nodes),
      out,
      exited,
      err: () => err,
      type(line) {
        typedAt = err.length;
        child.stdin.write(`${line}\n`);
      },
      says,
      pids: () => pidsIn(temporary),
      leftBehind: () => readdir(temporary),
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Every node says its process in each line of its log. */
async function pidsIn(temporary: string): Promise<readonly number[]> {
  const [run = ''] = await readdir(temporary);
  const logs = (await readdir(join(temporary, run))).filter((file) => file.endsWith('.log'));
  const texts = await Promise.all(logs.map((file) => readFile(join(temporary, run, file), 'utf8')));
  return texts.flatMap((log) => /"pid":(\d+)/.exec(log)?.[1] ?? []).map(Number);
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request exactly so: no header but those that are given, and the path as it is written. */
export function ask(
  url: string,
  path: string,
  { method = 'GET', headers = {} }: { readonly method?: string; readonly headers?: OutgoingHttpHeaders } = {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const sent = request(
      { hostname: hostname.replace(/^\[|\]$/g, ''), port, path, method, headers },
      (answer) => {
        text(answer).then(
          (body) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: body }),
          reject,
        );
      },
    );
    sent.once('error', reject);
    sent.end();
  });
}
