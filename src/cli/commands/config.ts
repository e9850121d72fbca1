import { Command } from 'commander';
import { explainConfig, resolveConfig, type ExplainedField } from '../../core/config.ts';
import { ReplichartError, type ExitCode } from '../../core/errors.ts';
import type { Role } from '../../core/identity.ts';
import { configSources, tokenFilesOf } from '../config-sources.ts';
import { withNodeFlags, type NodeFlags } from '../node-flags.ts';
import { outputOf, reportError } from '../output.ts';
import { parseSchedule } from '../reattach.ts';
import { startChecks, type StartCheck } from '../start-checks.ts';
import { tableText } from '../table.ts';

type SetExit = (code: ExitCode) => void;

/** `replichart config check primary|replica`: what a node command would do with its configuration, without doing it. */
export function configCommand(setExit: SetExit): Command {
  const check = new Command('check').description('resolve the configuration of a node as its start would');
  for (const role of ['primary', 'replica'] as const) check.addCommand(checkCommand(role, setExit));
  return new Command('config').description('look at the configuration of a node').addCommand(check);
}

function checkCommand(role: Role, setExit: SetExit): Command {
  return withNodeFlags(
    new Command(role).description(`check what \`replichart ${role}\` would start with, without starting it`),
    role,
  )
    .addHelpText(
      'after',
      `
Takes the flags of \`replichart ${role}\`, and joins them with the file and the environment as it does. Shows every
field with its value and where that came from (a secret only as "(set)"), then what the start would meet:
TLS and CA files, whose the data directory is, a recorded halt. Files are read and none is changed; no port
is bound and no other node is asked. The exit code is the one that the start would give.

Example:
  replichart config check ${role} --data ./${role} --listen 127.0.0.1:${role === 'primary' ? '7001' : '7002 --primary http://127.0.0.1:7001'}`,
    )
    .action((flags: NodeFlags) => check(role, flags, setExit));
}

async function check(role: Role, flags: NodeFlags, setExit: SetExit): Promise<void> {
  const sources = configSources(role, flags);
  const fields = explainConfig(sources);
  if (flags.reattach !== undefined) parseSchedule(flags.reattach);
  const checks = [...tokenFileChecks(flags), ...(await startChecks(resolveConfig(sources)))];
  const failed = checks.find((one) => !one.ok);
  outputOf(flags).result(
    { role, ok: failed === undefined, fields, checks },
    `${fieldsTable(fields)}\n\n${checksTable(checks)}`,
  );
  if (failed === undefined) return;
  const { code, detail, evidence } = failed;
  setExit(reportError(new ReplichartError(code, `a start would be stopped: ${detail}`, { evidence }), false));
}

/** A token file that cannot be read ends the joining of the sources; these are the ones that were read. */
function tokenFileChecks(flags: NodeFlags): readonly StartCheck[] {
  return tokenFilesOf(flags).map(({ flag, path }) => ({
    check: flag.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    ok: true as const,
    code: null,
    detail: `${path} can be read`,
    evidence: {},
  }));
}

function fieldsTable(fields: readonly ExplainedField[]): string {
  return tableText({
    head: ['field', 'value', 'source'],
    rows: fields.map(({ field, value, source }) => [
      field,
      value === null || typeof value === 'string' ? value : JSON.stringify(value),
      source,
    ]),
  });
}

function checksTable(checks: readonly StartCheck[]): string {
  return tableText({
    head: ['check', 'verdict', 'detail'],
    rows: checks.map(({ check, code, detail }) => [check, code ?? 'ok', detail]),
  });
}
