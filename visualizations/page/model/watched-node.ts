import type { Explanation, Machine, MissedRecord, Status, TransitionRecord, Wal } from './answers.ts';
import type { Changes } from './changes.ts';
import { sentEvents } from './event-stream.ts';
import { momentOf } from './moment.ts';
import { answerOf, askerOf, refusalOf, type Answer } from './node-client.ts';
import { Timeline } from './timeline.ts';

/** How a node can be reached: not asked yet, answers, wants a token, says something else, says nothing. */
export type Reach = 'asking' | 'answers' | 'locked' | 'refuses' | 'silent';

/** How often a node is asked when it tells of no transition: commits of a primary are none. */
const IDLE_MS = 1_000;
/** Transitions come faster than anyone reads: what they changed is asked for at most so often. */
const BUSY_MS = 200;
const RECONNECT_MS = 1_000;

/** What a node has said last, each part as of its own moment; `null`: not asked, or never answered. */
export interface Known {
  readonly status: Answer<Status> | null;
  readonly wal: Answer<Wal> | null;
  readonly gate: Answer<Explanation> | null;
  readonly machine: Answer<Machine> | null;
  readonly recovery: Answer<Explanation> | null;
}

/** A node that is asked over and over; while it is the one in view, also its machine, and its transitions as they come. */
export class WatchedNode {
  readonly kind = 'node';
  readonly name: string;
  readonly base: string;
  readonly timeline = new Timeline();
  reach: Reach = 'asking';
  /** Why the node does not answer as it should. */
  problem: string | null = null;
  /** Whether transitions come as they happen. */
  isStreaming = false;
  known: Known = { status: null, wal: null, gate: null, machine: null, recovery: null };
  readonly #changes: Changes;
  readonly #ended = new AbortController();
  #token: string | null = null;
  #inView: AbortController | null = null;
  #lastEventId: string | null = null;
  #isStale = true;
  #wake: () => void = () => undefined;

  constructor(name: string, base: string, changes: Changes) {
    this.name = name;
    this.base = base;
    this.#changes = changes;
    void this.#askOnAndOn();
  }

  /** Kept in memory only: it is gone with the page. */
  setToken(token: string): void {
    this.#token = token;
    this.#restart();
  }

  /** Whether it is the node in view. */
  view(isInView: boolean): void {
    if (isInView === (this.#inView !== null)) return;
    this.#inView?.abort();
    this.#inView = isInView ? new AbortController() : null;
    if (this.#inView !== null) void this.#follow(this.#inView.signal);
    this.#askAgain();
  }

  end(): void {
    this.#inView?.abort();
    this.#ended.abort();
    this.#wake();
  }

  #restart(): void {
    if (this.#inView !== null) {
      this.view(false);
      this.view(true);
    }
    this.#askAgain();
  }

  #askAgain(): void {
    this.#isStale = true;
    this.#wake();
  }

  async #askOnAndOn(): Promise<void> {
    const { signal } = this.#ended;
    // Whoever makes a node says in the same breath whether it is in view.
    await Promise.resolve();
    while (!signal.aborted) {
      this.#isStale = false;
      await this.#ask(signal);
      this.#changes.happened();
      await pause(BUSY_MS, signal);
      if (!this.#isStale) await this.#idle(signal);
    }
  }

  /** Waits until something is to be asked, at most `IDLE_MS`. */
  #idle(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, IDLE_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (signal.aborted) this.#wake();
    });
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const ask = askerOf(this.base, this.#token);
    const inView = this.#inView !== null;
    const get = <Data>(path: string) => answerOf<Data>(ask, path, signal);
    try {
      const [status, wal, gate, machine, recovery] = await Promise.all([
        get<Status>('v1/status'),
        get<Wal>('v1/wal?limit=1'),
        get<Explanation>('v1/explain/replication'),
        inView ? get<Machine>('v1/machine?chart=0') : this.known.machine,
        inView ? get<Explanation>('v1/explain/recovery') : this.known.recovery,
      ]);
      this.#heard(status, { status, wal, gate, machine, recovery });
    } catch (error) {
      if (signal.aborted) return;
      this.reach = 'silent';
      this.problem = `${this.base} does not answer, or not to pages of ${location.origin} (${String(error)}).`;
    }
  }

  #heard(status: Answer<Status>, answers: Known): void {
    if (status.kind === 'data') {
      this.reach = 'answers';
      this.problem = null;
      this.known = answers;
      return;
    }
    // What was known before stays known, as of before.
    this.reach = status.status === 401 ? 'locked' : 'refuses';
    this.problem = `${status.code}: ${status.message}`;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#readEvents(signal);
      } catch (error) {
        // A stream that breaks is asked for again from where it broke; that the node is silent is told by asking it.
        if (!signal.aborted) console.debug(`${this.name}: the stream of transitions broke`, error);
      }
      this.isStreaming = false;
      this.#changes.happened();
      await pause(RECONNECT_MS, signal);
    }
  }

  async #readEvents(signal: AbortSignal): Promise<void> {
    const from = this.#lastEventId === null ? '' : `?last_event_id=${encodeURIComponent(this.#lastEventId)}`;
    const response = await askerOf(this.base, this.#token)(`v1/events${from}`, signal);
    if (!response.ok || response.body === null) throw new Error((await refusalOf(response)).message);
    this.isStreaming = true;
    this.#changes.happened();
    for await (const { id, event, data } of sentEvents(response.body)) {
      if (event === 'missed') this.timeline.missed((JSON.parse(data) as MissedRecord).reason);
      if (event !== 'transition' || id === null) continue;
      this.#lastEventId = id;
      this.timeline.add(momentOf(id.slice(0, id.lastIndexOf(':')), JSON.parse(data) as TransitionRecord));
      this.#askAgain();
      this.#changes.happened();
    }
  }
}

/** Waits so long, or until it is called off. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
