import { Command } from 'commander';
import { createParser } from 'eventsource-parser';
import { ReplichartError } from '../../core/errors.ts';
import { getEvents } from '../../http/contract/why.ts';
import { refusalOf, send, type ClientFlags } from '../client.ts';
import { writeLines } from '../lines.ts';

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
  const isStream = String(response.headers['content-type']).startsWith(getEvents.contentType);
  if (response.statusCode !== 200 || !isStream) throw await refusalOf(url, getEvents, response);
  await writeLines(linesOf(url, response.body, flags.json === true), process.stdout, AT_ONCE);
}

/** Whoever follows waits for each line. */
const AT_ONCE = 1;

async function* linesOf(url: string, body: AsyncIterable<Uint8Array>, json: boolean): AsyncGenerator<string> {
  const lines: string[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      const read = dataOf(url, data);
      lines.push(json ? JSON.stringify({ id: id ?? null, event, data: read }) : lineOf(id, event, read));
    },
  });
  for await (const text of textOf(url, body)) {
    parser.feed(text);
    yield* lines.splice(0);
  }
}

/** The text of a stream; only what the connection itself throws is a loss of it. */
async function* textOf(url: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const text = new TextDecoder();
  try {
    for await (const chunk of body) yield text.decode(chunk, { stream: true });
  } catch (error) {
    throw new ReplichartError('NODE_UNREACHABLE', `${url}: the connection was lost: ${String(error)}`, {
      cause: error,
      evidence: { url },
    });
  }
}

function dataOf(url: string, data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (error) {
    throw new ReplichartError('NODE_UNREACHABLE', `${url} does not answer as a node does`, {
      cause: error,
      evidence: { url, data },
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
