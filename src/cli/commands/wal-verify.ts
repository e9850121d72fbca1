import { Command } from 'commander';
import { EXIT, type ExitCode } from '../../core/errors.ts';
import { positionToJson } from '../../core/position.ts';
import { stopJson } from '../../io/wal/conclusion.ts';
import { verifyWal, type WalVerdict } from '../../io/wal/verify.ts';
import { directoryOf } from '../directory.ts';
import { fieldsText, outputOf } from '../output.ts';
import { progressLine } from '../progress.ts';

type SetExit = (code: ExitCode) => void;

interface VerifyFlags {
  readonly data: string;
  readonly json?: boolean;
}

const EXIT_OF: Readonly<Record<WalVerdict['verdict'], ExitCode>> = {
  clean: EXIT.ok,
  torn: EXIT.tornTail,
  corrupt: EXIT.corruption,
};

/** `replichart wal verify` */
export function walVerifyCommand(setExit: SetExit): Command {
  return new Command('verify')
    .description('prove the whole WAL of a data directory, from its first byte; works while the node runs')
    .requiredOption('--data <dir>', 'data directory of the node')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Verdicts, and the exit code of each:
  clean    (0)  every unit is proved: framing, checksum, order, history hash, commit ids
  torn     (6)  the end is incomplete or invalid, and nothing valid stands behind: recovery discards it,
                 unless the checkpoint of the index lies behind it; that is not read here
  corrupt  (5)  a rule is broken before something that is valid, or the segment files do not join

Only files are read, and none is changed. "frames" counts frames of commits; "bytes" are those proved.

Example:
  replichart wal verify --data ./primary`,
    )
    .action((flags: VerifyFlags) => verify(flags, setExit));
}

async function verify(flags: VerifyFlags, setExit: SetExit): Promise<void> {
  const { directory, identity } = await directoryOf(flags.data);
  const progress = progressLine();
  let found: WalVerdict;
  try {
    found = await verifyWal(directory, identity, ({ bytes, totalBytes, commitId }) =>
      progress.show(`${bytes} of ${totalBytes} bytes proved, up to commit ${commitId}`),
    );
  } finally {
    progress.clear();
  }
  const { provenTo, stop, ...counts } = found;
  const result = {
    ...counts,
    proven_to: provenTo && positionToJson(provenTo),
    stop: stop && stopJson(stop),
  };
  const output = outputOf(flags);
  const { stop: shownStop, ...summary } = result;
  output.result(
    result,
    shownStop === null ? fieldsText(summary) : `${fieldsText(summary)}\n\n${fieldsText(shownStop)}`,
  );
  if (found.segments === 0)
    output.note(
      'there is no WAL: none was received or made yet, or it is missing; the checkpoint in the index, which is not read here, would tell',
    );
  setExit(EXIT_OF[found.verdict]);
}
