import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { ReplichartError } from '../core/errors.ts';
import type { TransitionBuffer } from '../node/transition-buffer.ts';
import { grows } from '../node/grows.ts';
import { headersSet } from './headers-set.ts';

const PAGE = 64;
/** A comment in this interval keeps the way through proxies open, and shows a follower that nobody is gone. */
const KEEP_ALIVE_MS = 15_000;
/** How long a server that closes waits for followers to take the end of their streams. */
const FAREWELL_MS = 1_000;

interface EventsQuery {
  readonly last_event_id?: string | undefined;
  readonly follow?: boolean | undefined;
}

interface Follower {
  readonly raw: ServerResponse;
  readonly ended: AbortController;
  readonly closed: Promise<void>;
}

/** The event streams of a server. When it closes they end whole: a follower can tell that from a lost connection. */
export class EventStreams {
  readonly #followers = new Set<Follower>();

  constructor(app: FastifyInstance) {
    app.addHook('preClose', () => this.#end());
  }

  /**
   * Sends the transitions of a node as server-sent events. A follower is a cursor into what is kept, and is sent only
   * what it takes: a slow one holds no memory here, and is told what it missed.
   */
  send(
    transitions: TransitionBuffer,
    query: EventsQuery,
    header: string | readonly string[] | undefined,
    reply: FastifyReply,
  ): void {
    const after = cursorOf(query.last_event_id ?? header);
    const { raw, ended } = this.#followerOf(reply);
    raw.writeHead(200, {
      ...headersSet(reply),
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
    });
    raw.flushHeaders();
    pipeline(Readable.from(events(transitions, after, query.follow !== false, ended.signal)), raw, () =>
      raw.destroy(),
    );
  }

  #followerOf(reply: FastifyReply): Follower {
    const { raw } = reply;
    reply.hijack();
    const ended = new AbortController();
    const closed = new Promise<void>((resolve) => raw.once('close', resolve));
    const follower = { raw, ended, closed };
    this.#followers.add(follower);
    void closed.then(() => {
      this.#followers.delete(follower);
      ended.abort();
    });
    if (raw.destroyed) ended.abort();
    return follower;
  }

  /** Whoever does not take what it was sent is not waited for: its connection is closed with the server. */
  async #end(): Promise<void> {
    const followers = [...this.#followers];
    for (const { ended } of followers) ended.abort();
    const listening = followers.filter(({ raw }) => !raw.writableNeedDrain).map(({ closed }) => closed);
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => (timer = setTimeout(resolve, FAREWELL_MS)));
    await Promise.race([Promise.all(listening), tooLong]);
    clearTimeout(timer);
  }
}

interface Cursor {
  readonly runId: string;
  readonly sequence: number;
}

function cursorOf(text: string | readonly string[] | undefined): Cursor | null {
  if (text === undefined || text === '') return null;
  const [, runId, sequence] = /^([0-9a-f-]{36}):(\d{1,15})$/.exec(String(text)) ?? [];
  if (runId === undefined)
    throw new ReplichartError('REQUEST_INVALID', 'Last-Event-ID: must be RUN:SEQUENCE, as an event has it');
  return { runId, sequence: Number(sequence) };
}

async function* events(
  transitions: TransitionBuffer,
  after: Cursor | null,
  follow: boolean,
  ended: AbortSignal,
): AsyncGenerator<string> {
  const { runId } = transitions;
  yield 'retry: 1000\n\n';
  let sequence = after?.sequence ?? 0;
  if (after !== null && after.runId !== runId) {
    yield missed(runId, 1, `the node was started anew: this is run ${runId}`);
    sequence = 0;
  } else if (sequence > transitions.newest()) {
    yield missed(runId, 1, `this run has come to ${transitions.newest()} only`);
    sequence = 0;
  }
  while (!ended.aborted) {
    const page = transitions.read(sequence, PAGE);
    if (page.missedBefore !== null && (after !== null || sequence > 0))
      yield missed(runId, page.missedBefore, 'only the newest transitions are kept');
    for (const transition of page.transitions) {
      if (ended.aborted) return;
      yield `id: ${runId}:${transition.sequence}\nevent: transition\ndata: ${JSON.stringify(transition)}\n\n`;
      sequence = transition.sequence;
    }
    if (page.transitions.length > 0) continue;
    if (!follow) return;
    const grown = await grows(
      () => transitions.newest() > sequence,
      (listener) => transitions.changed(listener),
      KEEP_ALIVE_MS,
      ended,
    );
    if (!grown && !ended.aborted) yield ': nothing new\n\n';
  }
}

function missed(runId: string, before: number, reason: string): string {
  const data = { run_id: runId, missed_before: before, reason };
  return `event: missed\ndata: ${JSON.stringify(data)}\n\n`;
}
