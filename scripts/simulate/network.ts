/** The network between one replica and the primary: slow, in pieces, and at fault where the plan says so. */
import type { SourceFailure } from '../../src/core/ingress.ts';
import type { SourceBytes, WalChunk, WalSource, WalStream } from '../../src/io/wal-source.ts';
import type { PrimaryNode } from '../../src/primary/primary.ts';
import type { Clock, Lane } from './clock.ts';
import { sourceOf, UNREACHABLE } from './source.ts';

/** Faults that lose the connection, and change nothing of what came before. */
export const LOSSES = ['cut', 'end', 'stall', 'refuse', 'one byte pieces'] as const;
/** Faults that change what arrives. */
export const ALTERATIONS = ['garble', 'duplicate', 'repeat', 'skip', 'lose', 'truncate'] as const;
export type NetworkFault = (typeof LOSSES)[number] | (typeof ALTERATIONS)[number];

export const alters = (fault: NetworkFault) => (ALTERATIONS as readonly string[]).includes(fault);

/** A primary that runs, and how others learn that it does not any more. */
export interface Running {
  readonly node: PrimaryNode;
  readonly ended: Promise<void>;
}

const STALL = 400;
const PIECES = [1, 40, 150, 150, 4096];
const REFUSED: SourceFailure = { kind: 'refused', code: 'READS_BLOCKED', message: 'refused', evidence: {} };

interface Armed {
  readonly fault: NetworkFault;
  after: number;
  readonly at: number;
}

export class Link {
  readonly #clock: Clock;
  readonly #primary: () => Running | null;
  readonly #happened: (fault: NetworkFault) => void;
  #armed: Armed[] = [];
  #cut: () => void = () => undefined;
  #isCut: Promise<void> = Promise.resolve();
  readonly #pieceBytes: number;

  constructor(
    clock: Clock,
    primary: () => Running | null,
    pieces: number,
    happened: (fault: NetworkFault) => void,
  ) {
    this.#clock = clock;
    this.#primary = primary;
    this.#happened = happened;
    this.#pieceBytes = PIECES[Math.floor(pieces * PIECES.length)] as number;
    this.#join();
  }

  /** The fault happens at the so manieth answer or piece from now on; `at`: where in its bytes. */
  arm(fault: NetworkFault, after: number, at: number): void {
    this.#armed.push({ fault, after, at });
  }

  /** Every connection is lost, and no more faults are to come. */
  restore(): void {
    this.#armed = [];
    this.#cut();
    this.#join();
  }

  /** The source of one process of the replica. */
  source(lane: Lane): WalSource {
    const bytes = async (
      label: string,
      ask: (source: WalSource) => Promise<SourceBytes>,
    ): Promise<SourceBytes> => {
      const answer = await this.#asked(lane, label, ask);
      if (answer.kind !== 'bytes' || answer.bytes.length === 0) return answer;
      const armed = this.#next((fault) => fault === 'garble' || fault === 'truncate');
      if (armed === null) return answer;
      return { kind: 'bytes', bytes: changed(armed, answer.bytes) };
    };
    return {
      identify: () => this.#asked(lane, 'identify', (source) => source.identify()),
      listSnapshots: () => this.#asked(lane, 'list snapshots', (source) => source.listSnapshots()),
      snapshotManifest: (id) => bytes(`manifest ${id}`, (source) => source.snapshotManifest(id)),
      snapshotBlock: (id, index) =>
        bytes(`block ${id}/${index}`, (source) => source.snapshotBlock(id, index)),
      openWal: async (from) => {
        // The one that answers, which may have come up since it was asked.
        const answering: { primary: Running | null } = { primary: null };
        const opened = await this.#asked(lane, `open WAL at ${from.lsn}`, (source) => {
          answering.primary = this.#primary();
          return source.openWal(from);
        });
        const { primary: running } = answering;
        if (opened.kind !== 'opened' || running === null) return opened;
        return { kind: 'opened', stream: this.#stream(lane, opened.stream, running) };
      },
      close: async () => undefined,
    };
  }

  async #asked<Answer>(
    lane: Lane,
    label: string,
    ask: (source: WalSource) => Promise<Answer>,
  ): Promise<Answer | SourceFailure> {
    await this.#clock.turn(lane, `asks: ${label}`);
    const armed = this.#next((fault) => fault === 'refuse' || fault === 'stall' || fault === 'cut');
    if (armed?.fault === 'refuse') return REFUSED;
    const running = this.#primary();
    if (running === null || armed !== null) {
      await this.#clock.turn(lane, `no answer: ${label}`, armed?.fault === 'stall' ? STALL : 0);
      return UNREACHABLE;
    }
    const lost = running.ended.then(() => UNREACHABLE);
    const answer = await Promise.race([ask(sourceOf(() => running.node, this.#pieceBytes)), lost]);
    await this.#clock.turn(lane, `is answered: ${label}`);
    return answer;
  }

  #stream(lane: Lane, stream: WalStream, running: Running): WalStream {
    let close: () => void = () => undefined;
    const closed = new Promise<'closed'>((resolve) => (close = () => resolve('closed')));
    const lost = Promise.race([running.ended, this.#isCut]).then(() => 'lost' as const);
    return {
      clusterId: stream.clusterId,
      startLsn: stream.startLsn,
      durable: stream.durable,
      chunks: this.#pieces(lane, stream, Promise.race([closed, lost])),
      close: () => {
        stream.close();
        close();
      },
    };
  }

  async *#pieces(lane: Lane, stream: WalStream, ended: Promise<'closed' | 'lost'>): AsyncGenerator<WalChunk> {
    const chunks = stream.chunks[Symbol.asyncIterator]();
    let shift = 0;
    let small = 0;
    for (;;) {
      const next = await Promise.race([ended, settled(chunks.next())]);
      if (next === 'closed') return;
      await this.#clock.turn(lane, 'a piece arrives');
      if (next === 'lost') throw new Error('connection reset');
      if (next.kind === 'failed') throw new Error('connection reset by the primary');
      if (next.result.done === true) return;
      const chunk = next.result.value;
      if (chunk.kind === 'notice') {
        yield chunk;
        continue;
      }
      const armed = this.#next((fault) => fault !== 'refuse');
      const piece = { ...chunk, lsn: chunk.lsn + shift };
      switch (armed?.fault) {
        case 'cut':
          throw new Error('connection cut');
        case 'end':
          return;
        case 'stall':
          await this.#clock.turn(lane, 'nothing arrives', STALL);
          throw new Error('connection timed out');
        case 'one byte pieces':
          small = 3;
          break;
        case 'garble':
        case 'truncate':
          yield { ...piece, bytes: changed(armed, piece.bytes) };
          continue;
        case 'duplicate':
          yield piece;
          break;
        case 'repeat':
          yield piece;
          shift += piece.bytes.length;
          piece.lsn += piece.bytes.length;
          break;
        case 'skip':
          continue;
        case 'lose':
          shift -= piece.bytes.length;
          continue;
        case 'refuse':
        case undefined:
      }
      if (small === 0) {
        yield piece;
        continue;
      }
      small -= 1;
      for (const [at, byte] of piece.bytes.entries()) {
        if (at % 16 === 0) await this.#clock.turn(lane, 'a byte arrives');
        yield { kind: 'wal', lsn: piece.lsn + at, bytes: Buffer.from([byte]) };
      }
    }
  }

  /** The fault that happens now, if one does that fits. */
  #next(fits: (fault: NetworkFault) => boolean): Armed | null {
    const first = this.#armed.find(({ fault }) => fits(fault));
    if (first === undefined) return null;
    first.after -= 1;
    if (first.after > 0) return null;
    this.#armed = this.#armed.filter((one) => one !== first);
    this.#clock.note(`FAULT ${first.fault}`);
    this.#happened(first.fault);
    return first;
  }

  #join(): void {
    this.#isCut = new Promise((resolve) => (this.#cut = resolve));
  }
}

function changed({ fault, at }: Armed, bytes: Buffer): Buffer {
  const place = Math.floor(at * bytes.length);
  if (fault === 'truncate') return bytes.subarray(0, place);
  const garbled = Buffer.from(bytes);
  garbled[place] = (garbled[place] as number) ^ (1 << (Math.floor(at * 1_000_003) % 8));
  return garbled;
}

async function settled<Result>(promise: Promise<Result>) {
  try {
    return { kind: 'given' as const, result: await promise };
  } catch (error) {
    return { kind: 'failed' as const, error };
  }
}
