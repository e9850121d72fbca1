import { Command } from 'commander';
import { createParser } from 'eventsource-parser';
import { ReplichartError } from '../../core/errors.ts';
import { getEvents } from '../../http/contract/dx.ts';
import { refusalOf, send, type ClientFlags } from '../client.ts';

interface EventsFlags extends ClientFlags {
  readonly follow?: boolean;
  readonly after?: string;
}

interface TransitionShown {
  readonly sequence: number;
  readonly from: string;
  readonly to: string;
  readonly event: string;
  readonly verdicts: readonly { readonly rule_id: string; readonly evaluation: string }[];
  readonly halt: { readonly code: string; readonly message: string } | null;
}

/** `replichart events`: the transitions of a node, those that it still has and those to come. */
export function eventsCommand(): Command {
  return new Command('events')
    .description(
      'the transitions of a running node: those that it still has, and with --follow those to come',
    )
    .argument('<url>', 'URL of the node')
    .option('--follow', 'stay and show transitions as they happen, until the node ends or a signal comes')
    .option('--after <id>', 'only transitions after this id, RUN:SEQUENCE')
    .option('--token-file <file>', 'a file with the bearer token of the node')
    .option('--json', 'print each event as one JSON object a line')
    .addHelpText(
      'after',
      `
A node keeps its newest transitions only. Where some were asked for that are gone, that is said by a line
"missed". Each line begins with the id to go on from.

Examples:
  replichart events http://127.0.0.1:7002
  replichart events http://127.0.0.1:7002 --follow --json`,
    )
    .action(follow);
}

async function follow(url: string, flags: EventsFlags): Promise<void> {
  const response = await send(url, getEvents, flags, {
    query: { follow: flags.follow === true ? 1 : 0, last_event_id: flags.after },
    // The node sends a comment now and then; a silence much longer than that is a loss.
    headers: { accept: 'text/event-stream' },
  });
  if (response.statusCode !== 200) throw await refusalOf(url, response);
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      const body = JSON.parse(data) as unknown;
      print(
        flags.json === true ? JSON.stringify({ id: id ?? null, event, data: body }) : lineOf(id, event, body),
      );
    },
  });
  try {
    const text = new TextDecoder();
    for await (const chunk of response.body) parser.feed(text.decode(chunk as Buffer, { stream: true }));
  } catch (error) {
    throw new ReplichartError('NODE_UNREACHABLE', `${url}: the connection was lost: ${String(error)}`, {
      cause: error,
      evidence: { url },
    });
  }
}

function lineOf(id: string | undefined, event: string | undefined, data: unknown): string {
  if (event === 'missed') {
    const { missed_before: before, reason } = data as {
      readonly missed_before: number;
      readonly reason: string;
    };
    return `missed\tall before ${before}: ${reason}`;
  }
  const { from, to, event: cause, verdicts, halt } = data as TransitionShown;
  const against = verdicts
    .filter(({ evaluation }) => evaluation !== 'holds')
    .map(({ rule_id: rule }) => `not ${rule}`);
  return [
    id ?? '',
    cause,
    `${from} -> ${to}`,
    ...against,
    ...(halt === null ? [] : [`halted: ${halt.code}`]),
  ].join('\t');
}
