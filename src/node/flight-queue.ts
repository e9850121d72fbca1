import type { FlightWriter } from '../io/flight-writer.ts';

/** What waits in memory to be written, at most. */
export const QUEUE_BYTES_MAX = 4 * 1024 * 1024;

export interface QueuedLine {
  readonly bytes: Buffer;
  /** Whether it tells of a step. */
  readonly isStep: boolean;
}

type Work =
  | { readonly kind: 'begin' }
  | { readonly kind: 'sync' }
  | { readonly kind: 'line'; readonly line: QueuedLine };

/**
 * Lines on their way to the files of a flight recorder, in order, written by one loop as fast as the disk takes them.
 * Memory is bounded: what does not fit is not taken. The first fault ends it, and is told.
 */
export class FlightQueue {
  readonly #open: () => Promise<FlightWriter>;
  readonly #bytesMax: number;
  #writer: FlightWriter | null = null;
  #work: Work[] = [];
  /** Bytes that wait, those that are being written included. */
  #bytes = 0;
  #stepsWritten = 0;
  #pumping: Promise<void> | null = null;
  #onFault: (error: unknown) => void = () => undefined;
  #isOver = false;

  /** `open` is called when there is something to write. */
  constructor(open: () => Promise<FlightWriter>, bytesMax: number = QUEUE_BYTES_MAX) {
    this.#open = open;
    this.#bytesMax = bytesMax;
  }

  onFault(listener: (error: unknown) => void): void {
    this.#onFault = listener;
  }

  /** Steps whose lines the system has taken; of a write that failed, none. */
  get stepsWritten(): number {
    return this.#stepsWritten;
  }

  hasRoom(bytes: number): boolean {
    return this.#bytes + bytes <= this.#bytesMax;
  }

  /** Whether so much was written that it is worth beginning again, after something did not fit. */
  get hasRecovered(): boolean {
    return this.hasRoom(this.#bytesMax / 2);
  }

  /** Writes lines behind those before, in a new file if they are to begin one. */
  put(lines: readonly QueuedLine[], inNewFile: boolean): void {
    if (this.#isOver) return;
    if (inNewFile) this.#work.push({ kind: 'begin' });
    for (const line of lines) {
      this.#work.push({ kind: 'line', line });
      this.#bytes += line.bytes.length;
    }
    this.#wake();
  }

  /** What was put so far becomes durable. */
  sync(): void {
    if (this.#writer === null && this.#work.length === 0) return;
    this.#work.push({ kind: 'sync' });
    this.#wake();
  }

  /** Resolves when nothing waits. */
  async drained(): Promise<void> {
    while (this.#pumping !== null) await this.#pumping;
  }

  /** Writes what waits and makes it durable; nothing is taken any more. */
  async close(): Promise<void> {
    await this.drained();
    this.#isOver = true;
    try {
      await this.#writer?.close();
    } catch (error) {
      await this.#end(error);
    }
  }

  /** Drops what waits. */
  abandon(): void {
    this.#isOver = true;
    this.#work = [];
  }

  #wake(): void {
    if (this.#isOver) return;
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = null;
    });
  }

  async #pump(): Promise<void> {
    try {
      this.#writer ??= await this.#open();
      for (let next = this.#take(); next !== null; next = this.#take()) await this.#do(this.#writer, next);
      if (this.#isOver) await this.#writer.abandon();
    } catch (error) {
      await this.#end(error);
    }
  }

  /** The work that comes next: all lines up to something else are one write. */
  #take(): Work['kind'] | null {
    return this.#work[0]?.kind ?? null;
  }

  async #do(writer: FlightWriter, kind: Work['kind']): Promise<void> {
    if (kind === 'line') {
      const lines = this.#takeLines();
      await writer.append(lines.map(({ bytes }) => bytes));
      this.#bytes -= lines.reduce((sum, { bytes }) => sum + bytes.length, 0);
      this.#stepsWritten += lines.filter(({ isStep }) => isStep).length;
      return;
    }
    this.#work.shift();
    await (kind === 'begin' ? writer.begin() : writer.sync());
  }

  #takeLines(): readonly QueuedLine[] {
    const end = this.#work.findIndex(({ kind }) => kind !== 'line');
    const taken = this.#work.splice(0, end < 0 ? this.#work.length : end);
    return taken.flatMap((one) => (one.kind === 'line' ? [one.line] : []));
  }

  async #end(error: unknown): Promise<void> {
    this.abandon();
    const [closed] = await Promise.allSettled([this.#writer?.abandon()]);
    this.#onFault(
      closed.status === 'fulfilled'
        ? error
        : new AggregateError([error, closed.reason], `${String(error)}; and then ${String(closed.reason)}`),
    );
  }
}
