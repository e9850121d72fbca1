import { Command, Option } from 'commander';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { EXIT, errorText, ReplichartError, type ExitCode } from '../../core/errors.ts';
import type { Explanation } from '../../core/explain/explanation.ts';
import { explainRead, explainRecovery, explainReplication } from '../../http/contract/why.ts';
import { nodeFileSystem } from '../../io/node-file-system.ts';
import { carrierOf } from '../../verify/carrier.ts';
import type { EvidenceSource } from '../../verify/evidence.ts';
import { verifyExplanation, type Verification } from '../../verify/verify.ts';
import { numberFrom, positionArgument } from '../arguments.ts';
import { ask, type ClientFlags } from '../client.ts';
import { directoryOf } from '../directory.ts';
import { fieldsText, outputOf } from '../output.ts';

type SetExit = (code: ExitCode) => void;

interface ExplainFlags extends ClientFlags {
  readonly at?: number;
  readonly position?: string;
  readonly file?: string;
  readonly verify?: boolean;
  readonly data?: string;
  readonly primaryData?: string;
  readonly wal?: string;
}

const EXIT_OF: Readonly<Record<Verification['verdict'], ExitCode>> = {
  verified: EXIT.ok,
  undetermined: EXIT.notReady,
  differs: EXIT.corruption,
};

const HELP = `
With --verify the explanation is derived again from files alone, without the index and without the node:
history is proved from its first byte, every position and version that is cited is looked up in it, and the
same checks are evaluated on what is found. Against:
  --data <dir>          the data directory of the node itself, running or not
  --primary-data <dir>  the data directory of its primary: what the primary's history says
  --wal <dir>           bare segment files

Exit codes: 0 it is as the files say, 5 it differs and where is shown, 4 the files do not reach far enough.
`;

/** `replichart explain replication|recovery|read`: rule by rule, and verified from files. */
export function explainCommand(setExit: SetExit): Command {
  const command = new Command('explain').description(
    'why a node serves reads or refuses them, how it recovered, what a read sees; and whether that is so',
  );
  command.addCommand(
    viewOptions(explaining('replication', 'whether a read of a view is safe, rule by rule')).action(
      (url: string | undefined, flags: ExplainFlags) =>
        explain(url, flags, 'replication.safety', setExit, async (from) =>
          ask(from, explainReplication, flags, { query: viewQuery(flags) }),
        ),
    ),
  );
  command.addCommand(
    explaining('recovery', 'what the last start found, decided and discarded').action(
      (url: string | undefined, flags: ExplainFlags) =>
        explain(url, flags, 'recovery.process', setExit, async (from) => ask(from, explainRecovery, flags)),
    ),
  );
  command.addCommand(
    viewOptions(explaining('read', 'which version of a document a view sees, and why', ' cities vie'))
      .argument('[collection]', 'the collection')
      .argument('[id]', 'id of the document')
      .action(
        (
          url: string | undefined,
          collection: string | undefined,
          id: string | undefined,
          flags: ExplainFlags,
        ) =>
          explain(url, flags, 'mvcc.read_visibility', setExit, async (from) => {
            if (collection === undefined || id === undefined)
              throw new ReplichartError('REQUEST_INVALID', 'a read is explained by its collection and id');
            return ask(from, explainRead, flags, { query: { ...viewQuery(flags), collection, id } });
          }),
      ),
  );
  return command;
}

function explaining(name: string, description: string, more = ''): Command {
  return new Command(name)
    .description(description)
    .argument('[url]', 'URL of the node; left out where --file has the explanation')
    .option(
      '--file <json>',
      'an explanation, or a read that carries its proof, that was kept; - is standard input',
    )
    .option('--verify', 'derive it again from files, and say where it differs')
    .addOption(
      new Option('--data <dir>', 'verify against the data directory of the node itself').conflicts([
        'primaryData',
        'wal',
      ]),
    )
    .addOption(
      new Option('--primary-data <dir>', 'verify against the data directory of its primary').conflicts('wal'),
    )
    .option('--wal <dir>', 'verify against bare segment files')
    .option('--token-file <file>', 'a file with the bearer token of the node')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `${HELP}
Examples:
  replichart explain ${name} http://127.0.0.1:7002${more}
  replichart explain ${name} http://127.0.0.1:7002${more} --verify --data ./replica
  replichart explain ${name} --file kept.json --verify --primary-data ./primary`,
    );
}

function viewOptions(command: Command): Command {
  return command
    .option('--at <commit-id>', 'of the view at this commit id', numberFrom(0))
    .addOption(
      new Option('--position <commit-id:lsn:hash>', 'of the view at this position')
        .argParser(positionArgument)
        .conflicts('at'),
    );
}

function viewQuery({ at, position }: ExplainFlags) {
  return { at, position };
}

async function explain(
  url: string | undefined,
  flags: ExplainFlags,
  type: Explanation['explanation_type'],
  setExit: SetExit,
  fetch: (url: string) => Promise<unknown>,
): Promise<void> {
  if ((url === undefined) === (flags.file === undefined))
    throw new ReplichartError('REQUEST_INVALID', 'either the URL of a node or --file says what is explained');
  if (flags.verify !== true && (flags.data ?? flags.primaryData ?? flags.wal) !== undefined)
    throw new ReplichartError(
      'REQUEST_INVALID',
      'files are named, and --verify is not: nothing would be verified',
    );
  const source = flags.verify === true ? await sourceOf(flags) : null;
  const stated = url === undefined ? await readStated(flags.file ?? '') : await fetch(url);
  const { explanation } = carrierOf(stated);
  if (explanation.explanation_type !== type)
    throw new ReplichartError(
      'REQUEST_INVALID',
      `this is an explanation of type ${explanation.explanation_type}, and not ${type}`,
    );
  const output = outputOf(flags);
  if (source === null) {
    output.result(explanation, explanationText(explanation));
    return;
  }
  const verification = await verifyExplanation(stated, source);
  output.result(verification, verificationText(verification));
  setExit(EXIT_OF[verification.verdict]);
}

async function readStated(file: string): Promise<unknown> {
  try {
    return JSON.parse(file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')) as unknown;
  } catch (error) {
    throw new ReplichartError('REQUEST_INVALID', `${file} cannot be read as JSON: ${errorText(error)}`, {
      cause: error,
      evidence: { file },
    });
  }
}

async function sourceOf({ data, primaryData, wal }: ExplainFlags): Promise<EvidenceSource> {
  if (data !== undefined) return { kind: 'own files', ...(await directoryOf(data)) };
  if (primaryData !== undefined) return { kind: 'files of the primary', ...(await directoryOf(primaryData)) };
  if (wal !== undefined) return { kind: 'segment files', files: nodeFileSystem, walDirectory: resolve(wal) };
  throw new ReplichartError(
    'REQUEST_INVALID',
    'name the files to verify against: --data, --primary-data or --wal',
  );
}

const MARK = { holds: '+', violated: '-', undetermined: '?' } as const;

function explanationText({
  explanation_type: type,
  observed_snapshot: observed,
  rules_applied: rules,
  conclusion,
}: Explanation): string {
  return [
    fieldsText({ explanation: type, ...observed, ...conclusion }),
    ...rules.map(
      ({ rule_id: rule, description, evaluation, evidence }) =>
        `[${MARK[evaluation]}] ${rule}: ${evaluation}\n    ${description}\n    ${JSON.stringify(evidence)}`,
    ),
  ].join('\n');
}

function verificationText(verification: Verification): string {
  const { differences, undetermined, not_in_files: notInFiles, source, ...summary } = verification;
  return [
    fieldsText({ ...summary, ...source }),
    ...differences.map(
      ({ path, stated, derived }) =>
        `differs: ${path}\n    stated:  ${JSON.stringify(stated)}\n    derived: ${JSON.stringify(derived)}`,
    ),
    ...undetermined.map((what) => `undetermined: ${what}`),
    ...notInFiles.map((what) => `not in files: ${what}`),
  ].join('\n');
}
