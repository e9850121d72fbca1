/** Test workers that see the sources with switches instead of the sources. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVitest, type Vitest } from 'vitest/node';
import type { Answer, Job, TestPlan, Trial } from './job.ts';

/** A worker that stands still for longer is in an endless loop that comes past no switch. */
const STANDSTILL_MILLISECONDS = 20_000;
/** Without a mutant there is no endless loop, and counting what it comes past makes a test much slower. */
const OBSERVED_STANDSTILL_MILLISECONDS = 120_000;
/** Of a test under mutants `TestPlan` has the time. */
const TEST_TIMEOUT_MILLISECONDS = { warm: 60_000, cold: 15_000 } as const;

export interface Outcome {
  readonly answers: readonly Answer[];
  /** The mutant that a worker stood still at, and was ended for. */
  readonly stuckAt: string | null;
  readonly hasFailed: boolean;
}

export class Session {
  readonly #vitest: Vitest;
  readonly #directory: string;
  readonly #order: string[];

  private constructor(vitest: Vitest, directory: string, order: string[]) {
    this.#vitest = vitest;
    this.#directory = directory;
    this.#order = order;
  }

  /** `kind`: a worker for each test file that goes on after failures, or one for all that ends with the first. */
  static async open(
    root: string,
    sources: ReadonlyMap<string, string>,
    files: readonly string[],
    kind: 'warm' | 'cold',
  ): Promise<Session> {
    const directory = await mkdtemp(join(tmpdir(), 'replichart-mutate-'));
    const order: string[] = [];
    const vitest = await createVitest(
      'test',
      {
        config: false,
        root,
        include: [...files],
        watch: false,
        pool: 'forks',
        maxWorkers: 1,
        isolate: kind === 'warm',
        bail: kind === 'warm' ? 0 : 1,
        runner: join(root, 'scripts/mutate/runner.ts'),
        reporters: [{}],
        onConsoleLog: () => false,
        testTimeout: TEST_TIMEOUT_MILLISECONDS[kind],
        hookTimeout: TEST_TIMEOUT_MILLISECONDS[kind],
        sequence: {
          sequencer: class {
            shard<T>(specifications: T): T {
              return specifications;
            }
            sort<T extends { readonly moduleId: string }>(specifications: T[]): T[] {
              return specifications.sort((a, b) => order.indexOf(a.moduleId) - order.indexOf(b.moduleId));
            }
          },
        },
      },
      {
        logLevel: 'silent',
        plugins: [
          {
            name: 'mutants',
            enforce: 'pre',
            load: (id: string) => sources.get(id.replace(/[?#].*$/, '')) ?? null,
          },
        ],
      },
    );
    return new Session(vitest, directory, order);
  }

  observe(file: string): Promise<Outcome> {
    return this.#run([file], { mode: 'observe', answers: this.#path('answers'), now: this.#path('now') });
  }

  warm(file: string, plan: Readonly<Record<string, TestPlan>>): Promise<Outcome> {
    return this.#run([file], {
      mode: 'warm',
      answers: this.#path('answers'),
      now: this.#path('now'),
      plan,
    });
  }

  cold(files: readonly string[], trial: Trial): Promise<Outcome> {
    return this.#run(files, { mode: 'cold', trial, now: this.#path('now') });
  }

  async close(): Promise<void> {
    await this.#vitest.close();
    await rm(this.#directory, { recursive: true });
  }

  async #run(files: readonly string[], job: Job): Promise<Outcome> {
    const { state, config } = this.#vitest;
    const paths = files.map((file) => join(config.root, file));
    this.#order.splice(0, this.#order.length, ...paths);
    await Promise.all(['answers', 'now'].map((name) => rm(this.#path(name), { force: true })));
    state.filesMap.clear();
    state.errorsSet.clear();
    this.#vitest.provide('mutation', job);
    let stuckAt: string | null = null;
    const limit = job.mode === 'observe' ? OBSERVED_STANDSTILL_MILLISECONDS : STANDSTILL_MILLISECONDS;
    const watch = setInterval(() => {
      void this.#endStandstill(limit).then((mutant) => (stuckAt ??= mutant));
    }, 2_000);
    try {
      await this.#vitest.start(paths);
    } finally {
      clearInterval(watch);
    }
    const text = await readFile(this.#path('answers'), 'utf8').catch(() => '');
    return {
      answers: text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Answer),
      stuckAt,
      hasFailed: state.getFiles().some(({ result }) => result?.state === 'fail') || state.errorsSet.size > 0,
    };
  }

  async #endStandstill(milliseconds: number): Promise<string | null> {
    const path = this.#path('now');
    const since = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => null,
    );
    if (since === null || Date.now() - since < milliseconds) return null;
    const { pid, mutant } = JSON.parse(await readFile(path, 'utf8')) as {
      pid: number;
      mutant: string | null;
    };
    process.stderr.write(`standing still at mutant ${mutant ?? 'none'}: ending worker ${pid}\n`);
    process.kill(pid, 'SIGKILL');
    return mutant;
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}
