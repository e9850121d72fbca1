import { resolve } from 'node:path';
import { Command } from 'commander';
import { EXIT, type ExitCode } from '../../core/errors.ts';
import { flightFiles } from '../../io/flight-reader.ts';
import { nodeFileSystem } from '../../io/node-file-system.ts';
import { replayJournal, type JournalVerdict } from '../../replay/journal.ts';
import { fieldsText, outputOf } from '../output.ts';
import { progressLine } from '../progress.ts';

type SetExit = (code: ExitCode) => void;

const EXIT_OF: Readonly<Record<JournalVerdict['verdict'], ExitCode>> = {
  same: EXIT.ok,
  torn: EXIT.tornTail,
  damaged: EXIT.corruption,
  different: EXIT.corruption,
};

/** `replichart replay`: what the machine of this program makes of a recorded run. */
export function replayCommand(setExit: SetExit): Command {
  return new Command('replay')
    .description('run the pure machine over a journal of the flight recorder, and show the first difference')
    .argument('<path>', 'a .flight file, a directory of them, or the data directory of a node')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Verdicts, and the exit code of each:
  same       (0)  of every recorded event the machine makes what was recorded: the same transitions,
                   verdicts and evidence, states and contexts
  torn       (6)  the same, and the last line of a run is not whole: a crash, or a node that writes
                   at this moment
  damaged    (5)  a line is not the one that was written, or one is missing
  different  (5)  the machine makes something else of an event, the steps do not add up, or the files
                   tell of another chart, node or cluster than those before them; the first such thing
                   is shown

No node is started, no effect is run, nothing but the journal is read, and nothing is written. "gaps"
are places where the recorder could not keep up, "lost" the steps that are missing there; the replay
goes on behind them.

"ended" counts the runs that were closed in order: the recorder wrote an end record, and nothing of
the run is missing behind it. Where it is less than "runs", a run was not closed in order: it was
killed, its recorder had a fault, it still writes, or what came behind is gone. The files alone cannot
tell which: a last file that is missing, or whole lines missing at its end, cannot be noticed from
them, and neither can runs behind the last one, nor what is missing before the first file, which the
recorder itself removes in time. Whatever is missing between is damage.

Example:
  replichart replay ./replica/flight/00000000000000000001.flight`,
    )
    .action((path: string, flags: { readonly json?: boolean }) => replay(path, flags, setExit));
}

async function replay(path: string, flags: { readonly json?: boolean }, setExit: SetExit): Promise<void> {
  const journal = await flightFiles(nodeFileSystem, resolve(path));
  const progress = progressLine();
  let found: JournalVerdict;
  try {
    found = await replayJournal(nodeFileSystem, journal, {
      onProgress: (records) => progress.show(`${records} records replayed`),
    });
  } finally {
    progress.clear();
  }
  outputOf(flags).result(found, verdictText(found));
  setExit(EXIT_OF[found.verdict]);
}

function verdictText({ final, torn, damage, difference, ...summary }: JournalVerdict): string {
  const sections = [
    summary,
    final && {
      chart: final.chart,
      step: final.step,
      state: final.state,
      status: final.status,
      halt: final.halt?.['code'],
    },
    torn && { torn_at: torn },
    damage,
    difference,
  ];
  return sections
    .filter((section) => section !== null)
    .map((section) => fieldsText({ ...section }))
    .join('\n\n');
}
