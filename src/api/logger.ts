import { destination, pino, type DestinationStream, type Logger } from 'pino';
import { SECRETS, type NodeConfig, type SecretField } from '../core/config.ts';
import { errorText } from '../core/errors.ts';

/** Characters of the log that wait to be written, at most. */
const WAITING_LENGTH_MAX = 8 * 1024 * 1024;
const WITHHELD = '[withheld]';
const SECRET_FIELD = /^(((primary|replication|data|dx)_?)?token|(proxy-)?authorization)$/i;
const SECRET_FIELD_IN_LINE = /"(((primary|replication|data|dx)_?)?token|(proxy-)?authorization)":/i;

type LogConfig = Pick<NodeConfig, 'logLevel' | 'logFile' | SecretField>;

/** The log of a node: one JSON line an entry, to standard error or to a file. No line shows a secret. */
export function loggerOf(config: LogConfig, to: DestinationStream = destinationOf(config)): Logger {
  const { logLevel } = config;
  // The longest first: what one of them leaves of another that it is part of would still be a secret.
  const secrets = SECRETS.map((field) => config[field])
    .filter((secret) => secret !== undefined)
    .sort((left, right) => right.length - left.length);
  return pino({ level: logLevel, hooks: { streamWrite: (line) => withoutSecrets(line, secrets) } }, to);
}

/** A log that cannot be written, or is not read, is told to the process, once; it ends no node and fills no memory. */
function destinationOf({ logFile }: LogConfig): DestinationStream {
  const stream = destination({
    dest: logFile ?? 2,
    minLength: 0,
    maxLength: WAITING_LENGTH_MAX,
    // Whoever reads a log slowly does not hold the node up; what comes meanwhile is written at once afterwards.
    sync: false,
  });
  const warn = (problem: string) => process.emitWarning(`${problem}; the node goes on without`);
  let isTold = false;
  stream.on('error', (error: unknown) => {
    if (!isTold) warn(`the log cannot be written: ${errorText(error)}`);
    isTold = true;
  });
  stream.once('drop', () => warn('log lines are lost, because they are written faster than they are taken'));
  return stream;
}

/**
 * A log line in which nothing is left of the secrets, wherever they stand: in a field of any depth, in a message, in
 * what another program answered. What a field that names a secret holds is withheld, whatever it is.
 */
export function withoutSecrets(line: string, secrets: readonly string[]): string {
  const isClean =
    !secrets.some((secret) => line.includes(asWritten(secret))) && !SECRET_FIELD_IN_LINE.test(line);
  if (isClean) return line;
  const shown = JSON.stringify(withheld(JSON.parse(line), secrets));
  return `${shown}\n`;
}

/** A text as it stands within a JSON string. */
function asWritten(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function withheld(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string')
    return secrets.reduce((text, secret) => text.replaceAll(secret, WITHHELD), value);
  if (Array.isArray(value)) return value.map((one) => withheld(one, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, held]) => [
      withheld(field, secrets),
      SECRET_FIELD.test(field) ? WITHHELD : withheld(held, secrets),
    ]),
  );
}
