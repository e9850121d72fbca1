import { Listr, ListrLogger, ProcessOutput } from 'listr2';
import type { Say, Step } from './scenario.ts';

/** Without a terminal every line stays, so how far a step is said at most this often. */
const SAY_MS_MIN = 1_000;

/**
 * Runs the steps one after the other and shows them on standard error: as a live list on a terminal, as lines elsewhere.
 * Standard output is left to the result.
 *
 * @throws what the first failing step throws; those after it do not run.
 */
export async function runSteps(steps: readonly Step[]): Promise<void> {
  const onTerminal = process.stderr.isTTY;
  const processOutput = new ProcessOutput(process.stderr, process.stderr, { leaveEmptyLine: false });
  const tasks = steps.map(({ title, run }) => ({
    title,
    task: async (_: unknown, task: { output: string | string[] }) => {
      const show: Say = (text) => (task.output = text);
      if (onTerminal) await run(show);
      else await said(run, show);
    },
    rendererOptions: { persistentOutput: true },
  }));
  await new Listr(tasks, {
    registerSignalListeners: false,
    forceTTY: onTerminal,
    ...(onTerminal
      ? {
          renderer: 'default',
          rendererOptions: {
            logger: new ListrLogger({ useIcons: true, processOutput }),
            collapseErrors: false,
          },
        }
      : {
          renderer: 'simple',
          rendererOptions: { logger: new ListrLogger({ useIcons: true, processOutput }) },
        }),
  }).run();
}

/** Passes on what a step says: the last thing always, the others not more often than lines are good for. */
async function said(run: Step['run'], show: Say): Promise<void> {
  let shownAt = Number.NEGATIVE_INFINITY;
  let held: string | null = null;
  await run((text) => {
    const now = performance.now();
    held = now - shownAt < SAY_MS_MIN ? text : null;
    if (held !== null) return;
    shownAt = now;
    show(text);
  });
  if (held !== null) show(held);
}
