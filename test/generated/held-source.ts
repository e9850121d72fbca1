import type { Position } from '../../src/index.ts';
import { httpWalSource } from '../../src/io/http-wal-source.ts';
import type { OpenedWal, WalChunk, WalSource, WalStream } from '../../src/io/wal-source.ts';

/** The next calls of one method of a source fail, as a host's own source may. */
export type SourceMethod = Exclude<keyof WalSource, 'snapshotBlock'>;

/**
 * The real HTTP source, whose stream is held back: what came over the connection goes on to the replica when the path says
 * so, one whole unit at a time.
 */
export class HeldSource implements WalSource {
  readonly #source: WalSource;
  #stream: HeldStream | null = null;
  #isHeld = true;
  #fault: { readonly method: SourceMethod; readonly error: Error } | null = null;

  constructor(url: string) {
    this.#source = httpWalSource({ url });
  }

  /** The stream that was opened last. */
  get stream(): HeldStream {
    if (this.#stream === null) throw new Error('no stream was opened');
    return this.#stream;
  }

  /** Whether streams that are opened from here on are held back. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  failNext(method: SourceMethod, error: Error): void {
    this.#fault = { method, error };
  }

  async identify() {
    this.#mayFail('identify');
    return this.#source.identify();
  }

  async openWal(from: Position): Promise<OpenedWal> {
    this.#mayFail('openWal');
    const opened = await this.#source.openWal(from);
    if (opened.kind !== 'opened' || !this.#isHeld) return opened;
    this.#stream = new HeldStream(opened.stream);
    return { kind: 'opened', stream: this.#stream };
  }

  async listSnapshots() {
    this.#mayFail('listSnapshots');
    return this.#source.listSnapshots();
  }

  async snapshotManifest(id: string) {
    this.#mayFail('snapshotManifest');
    return this.#source.snapshotManifest(id);
  }

  snapshotBlock(id: string, index: number) {
    return this.#source.snapshotBlock(id, index);
  }

  async close(): Promise<void> {
    await this.#source.close();
    this.#mayFail('close');
  }

  #mayFail(method: SourceMethod): void {
    const fault = this.#fault;
    if (fault?.method !== method) return;
    this.#fault = null;
    throw fault.error;
  }
}

type Notice = Extract<WalChunk, { kind: 'notice' }>;

/** A real stream between socket and replica. */
class HeldStream implements WalStream {
  readonly clusterId: string;
  readonly startLsn: number;
  readonly durable: Position | null;
  readonly chunks: AsyncIterable<WalChunk>;
  readonly #stream: WalStream;
  #came: Buffer = Buffer.alloc(0);
  #notice: Notice | null = null;
  #ended: { readonly error: unknown } | null = null;
  #given: WalChunk[] = [];
  #lsn: number;
  #mayEnd = false;
  #wake: (() => void)[] = [];

  constructor(stream: WalStream) {
    this.#stream = stream;
    this.clusterId = stream.clusterId;
    this.startLsn = stream.startLsn;
    this.durable = stream.durable;
    this.#lsn = stream.startLsn;
    this.chunks = this.#handOn();
    void this.#read();
  }

  /** Takes so many bytes off the connection; waits until they have come. */
  async take(bytes: number): Promise<{ readonly lsn: number; readonly bytes: Buffer }> {
    await this.#until(() => this.#came.length >= bytes);
    const taken = { lsn: this.#lsn, bytes: this.#came.subarray(0, bytes) };
    this.#came = this.#came.subarray(bytes);
    this.#lsn += bytes;
    return taken;
  }

  /** Hands bytes on to the replica. */
  give(lsn: number, bytes: Buffer): void {
    this.#given.push({ kind: 'wal', lsn, bytes });
    this.#woken();
  }

  /** Hands on what the primary says of its position as soon as it is this one. */
  async giveNotice(commitId: number): Promise<void> {
    await this.#until(() => this.#notice?.position.commitId === commitId);
    this.#given.push(this.#notice as Notice);
    this.#woken();
  }

  /** Lets the replica see that the connection is gone. */
  giveEnd(): void {
    this.#mayEnd = true;
    this.#woken();
  }

  close(): void {
    this.#ended ??= { error: new Error('closed') };
    this.giveEnd();
    this.#stream.close();
  }

  async *#handOn(): AsyncGenerator<WalChunk> {
    for (;;) {
      await this.#until(() => this.#given.length > 0 || (this.#mayEnd && this.#ended !== null));
      const next = this.#given.shift();
      if (next === undefined) throw this.#ended?.error;
      yield next;
    }
  }

  async #read(): Promise<void> {
    try {
      for await (const chunk of this.#stream.chunks) {
        if (chunk.kind === 'wal') this.#came = Buffer.concat([this.#came, chunk.bytes]);
        else this.#notice = chunk;
        this.#woken();
      }
      this.#ended ??= { error: new Error('the primary ended the stream') };
    } catch (error) {
      this.#ended ??= { error };
    }
    this.#woken();
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #woken(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
