/** A source of WAL that says something only when a test tells it to: so a walk decides what happens next, and nobody else. */
import type { OpenedWal, WalChunk, WalSource, WalStream } from 'replichart/testing';

/** Things that are taken in the order in which they were put; who takes one waits for it. */
class Queue<Item> {
  readonly #items: Item[] = [];
  readonly #waiting: ((item: Item | null) => void)[] = [];
  #isClosed = false;

  put(item: Item): void {
    const taker = this.#waiting.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  /** `null` when the queue is closed. */
  async take(): Promise<Item | null> {
    const item = this.#items.shift();
    if (item !== undefined || this.#isClosed) return item ?? null;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#isClosed = true;
    for (const taker of this.#waiting.splice(0)) taker(null);
  }
}

const GONE = { kind: 'unreachable', message: 'the primary does not answer' } as const;

export class HeldSource implements WalSource {
  /** The answers to "who are you?". */
  readonly identities = new Queue<Awaited<ReturnType<WalSource['identify']>>>();
  /** The answers to "give me your WAL from here on"; `attached`: a stream is opened. */
  readonly attachments = new Queue<'attached' | Exclude<OpenedWal, { readonly kind: 'opened' }>>();
  readonly #clusterId: string;
  #chunks = new Queue<WalChunk>();

  constructor(clusterId: string) {
    this.#clusterId = clusterId;
  }

  send(lsn: number, bytes: Buffer): void {
    this.#chunks.put({ kind: 'wal', lsn, bytes });
  }

  endStream(): void {
    this.#chunks.close();
  }

  async identify() {
    return (await this.identities.take()) ?? GONE;
  }

  async openWal({ lsn }: { readonly lsn: number }): Promise<OpenedWal> {
    const answer = (await this.attachments.take()) ?? GONE;
    if (answer !== 'attached') return answer;
    const chunks = (this.#chunks = new Queue<WalChunk>());
    const stream: WalStream = {
      clusterId: this.#clusterId,
      startLsn: lsn,
      durable: null,
      chunks: (async function* () {
        for (let chunk = await chunks.take(); chunk !== null; chunk = await chunks.take()) yield chunk;
      })(),
      close: () => chunks.close(),
    };
    return { kind: 'opened', stream };
  }

  // The catalogue begins from WAL: nobody asks for snapshots.
  readonly listSnapshots = async () => GONE;
  readonly snapshotManifest = async () => GONE;
  readonly snapshotBlock = async () => GONE;

  async close(): Promise<void> {
    this.identities.close();
    this.attachments.close();
    this.#chunks.close();
  }
}
