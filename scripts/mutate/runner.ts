/**
 * Runs inside the test worker. A test that was imported once is run again and again, each time with another mutant
 * switched on, its hooks around it as always: no import, no process, so that a mutant costs what the test costs. After
 * each failure the test is run once without a mutant; only where it passes then does the failure count as a kill.
 */
import { EventEmitter } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { inject, TestRunner } from 'vitest';
import type { Answer, Job, Trial } from './job.ts';

/** What the switches in the sources look at. */
interface Switches {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: {
    static: Record<string, number>;
    perTest: Record<string, Record<string, number> | undefined>;
  };
}

type Config = ConstructorParameters<typeof TestRunner>[0];
type Task = Parameters<TestRunner['onAfterRunTask']>[0];
type Test = Parameters<TestRunner['onAfterTryTask']>[0];

/** The trials of the test at hand. */
interface Course {
  readonly milliseconds: number;
  readonly waiting: Trial[];
  running: Trial | null;
  /** A trial that failed, until a run without a mutant has shown that the test still works. */
  failed: { readonly mutant: string; readonly how: 'assertion' | 'timeout' } | null;
  ended: boolean;
}

export default class MutationRunner extends TestRunner {
  readonly #job: Job = inject('mutation');
  readonly #switches: Switches;
  #course: Course | null = null;

  constructor(config: Config) {
    super(config);
    // One listener for every run of a test is no leak here.
    EventEmitter.defaultMaxListeners = 0;
    // A property that fails has noticed; the smallest case for it would only cost time.
    fc.configureGlobal({ endOnFailure: true });
    const holder = globalThis as { __stryker__?: Switches };
    this.#switches = holder.__stryker__ ??= {};
    if (this.#job.mode === 'cold') this.#turnOn(this.#job.trial);
    else writeFileSync(this.#job.now, JSON.stringify({ pid: process.pid, mutant: null }));
  }

  override async onBeforeRunTask(task: Task): Promise<void> {
    await super.onBeforeRunTask(task);
    if (this.#job.mode !== 'warm' || task.type !== 'test') return;
    const plan = this.#job.plan[task.id];
    if (plan === undefined) {
      task.mode = 'skip';
      return;
    }
    const { milliseconds, trials } = plan;
    this.#course = { milliseconds, waiting: [...trials], running: null, failed: null, ended: false };
    // One run without a mutant, then at most two for each: the mutant, and what shows that the test still works.
    task.repeats = 2 * trials.length;
  }

  override onBeforeTryTask(test: Test): void {
    super.onBeforeTryTask(test);
    if (this.#job.mode === 'observe') {
      // A sign of life: together the tests of a file may take longer than a worker may stand still.
      writeFileSync(this.#job.now, JSON.stringify({ pid: process.pid, mutant: null }));
      this.#switches.currentTestId = test.id;
    }
    const course = this.#course;
    if (course === null || course.ended) return;
    const isFirst = (test.result?.repeatCount ?? 0) === 0 && course.running === null && !this.#begun(test);
    course.running = isFirst || course.failed !== null ? null : (course.waiting.shift() ?? null);
    if (course.running !== null) this.#turnOn(course.running);
    else if (!isFirst && course.failed === null) course.ended = true;
  }

  async runTask(test: Test): Promise<void> {
    const course = this.#course;
    if (course?.ended === true) return;
    if (course === null) await TestRunner.getTestFn(test)();
    else await within(course.milliseconds, TestRunner.getTestFn(test)());
  }

  onAfterRetryTask(test: Test): void {
    this.#switches.currentTestId = undefined;
    const course = this.#course;
    if (course === null || course.ended || this.#job.mode !== 'warm') return;
    this.#switches.activeMutant = undefined;
    const { result } = test;
    const hasFailed = result?.state === 'fail';
    const message = result?.errors?.[0]?.message ?? '';
    if (result !== undefined) {
      result.state = 'run';
      delete result.errors;
    }
    if (course.running === null) {
      this.#judge(test, course, hasFailed);
    } else if (hasFailed) {
      const how = /Hit count limit|timed out in/.test(message) ? 'timeout' : 'assertion';
      course.failed = { mutant: course.running.mutant, how };
    } else {
      this.#answer({ kind: 'survived', mutant: course.running.mutant, test: test.id });
    }
  }

  override onAfterRunTask(task: Task): void {
    super.onAfterRunTask(task);
    this.#course = null;
    if (this.#job.mode !== 'observe' || task.type !== 'test') return;
    this.#answer({
      kind: 'test',
      id: task.id,
      file: task.file.name,
      name: task.fullTestName,
      passed: task.result?.state === 'pass',
      message: task.result?.errors?.[0]?.message ?? '',
      milliseconds: task.result?.duration ?? 0,
      hits: this.#switches.mutantCoverage?.perTest[task.id] ?? {},
    });
  }

  override onAfterRunFiles(files?: readonly { readonly name: string }[]): void {
    super.onAfterRunFiles();
    if (this.#job.mode !== 'observe') return;
    const hits = this.#switches.mutantCoverage?.static ?? {};
    for (const { name } of files ?? []) this.#answer({ kind: 'static', file: name, hits });
  }

  #started: string | null = null;
  /** Whether this test was run once already; the first run is without a mutant. */
  #begun(test: Test): boolean {
    const begun = this.#started === test.id;
    this.#started = test.id;
    return begun;
  }

  /** A run without a mutant has ended. */
  #judge(test: Test, course: Course, hasFailed: boolean): void {
    const { failed } = course;
    course.failed = null;
    if (hasFailed) {
      course.ended = true;
      this.#answer({ kind: 'dirty', mutant: failed?.mutant ?? null, test: test.id });
    } else if (failed !== null) {
      this.#answer({ kind: 'killed', test: test.id, ...failed });
    }
  }

  #turnOn({ mutant, hitsMax }: Trial): void {
    writeFileSync(this.#job.now, JSON.stringify({ pid: process.pid, mutant }));
    this.#switches.activeMutant = mutant;
    this.#switches.hitCount = 0;
    this.#switches.hitLimit = hitsMax;
  }

  #answer(answer: Answer): void {
    if (this.#job.mode !== 'cold') appendFileSync(this.#job.answers, `${JSON.stringify(answer)}\n`);
  }
}

/** The test's own timeout is for a slow machine; a mutant that makes a test wait for ever would cost all of it. */
async function within(milliseconds: number, running: PromiseLike<unknown> | void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out in ${milliseconds} ms`)), milliseconds);
  });
  try {
    await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}
