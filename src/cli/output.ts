import { ERRORS, ReplichartError, type ExitCode } from '../core/errors.ts';
import type { JsonObject } from '../core/bytes.ts';
import { asReplichartError } from '../http/problem.ts';

/** Results go to standard output, everything else to standard error. */
export interface Output {
  readonly json: boolean;
  /** Prints the result: as one JSON object, or as text for people. */
  result(value: object, text: string): void;
  note(text: string): void;
}

export function outputOf(options: { readonly json?: boolean | undefined }): Output {
  const json = options.json === true;
  return {
    json,
    result: (value, text) => void process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** Reports an error where it belongs and says which exit code it has. */
export function reportError(thrown: unknown, json: boolean): ExitCode {
  const error = thrown instanceof ReplichartError ? thrown : asReplichartError(thrown);
  const { code, invariant, message, evidence, action } = error;
  if (json) {
    process.stdout.write(`${JSON.stringify({ error: { code, invariant, message, evidence, action } })}\n`);
  } else {
    process.stderr.write(
      `replichart: ${code}${invariant === null ? '' : ` (${invariant})`}: ${message}${evidenceText(evidence)}\n  what to do: ${action}\n`,
    );
    if (code === 'INTERNAL' && error.cause instanceof Error)
      process.stderr.write(`${error.cause.stack ?? ''}\n`);
  }
  return ERRORS[code].exit;
}

interface ShownRule {
  readonly rule_id: string;
  readonly description: string;
  readonly evaluation: string;
  readonly evidence: JsonObject;
}

/** Of an explanation, people are shown the rules that do not hold; JSON has all of them. */
function evidenceText({ explanation, ...rest }: JsonObject): string {
  const evidence = Object.keys(rest).length === 0 ? '' : `\n  evidence: ${JSON.stringify(rest)}`;
  const rules = (explanation as { readonly rules_applied?: readonly ShownRule[] } | undefined)?.rules_applied;
  const failing = (rules ?? []).filter(({ evaluation }) => evaluation !== 'holds');
  return failing.reduce(
    (text, rule) =>
      `${text}\n  ${rule.evaluation}: ${rule.rule_id}: ${rule.description}\n    ${JSON.stringify(rule.evidence)}`,
    evidence,
  );
}

/** Two columns for people. */
export function fieldsText(fields: Readonly<Record<string, unknown>>): string {
  const width = Math.max(...Object.keys(fields).map((name) => name.length));
  return Object.entries(fields)
    .map(([name, value]) => `${name.padEnd(width)}  ${shown(value)}`)
    .join('\n');
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
