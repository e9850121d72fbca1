import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import { REPLICATION_HEADERS } from '../core/replication-protocol.ts';

const WAL_PATH = '/replication/v1/wal';
/** The bit that is turned over: a capital letter becomes its neighbour. */
export const FLIPPED_BIT = 0x01;

/** Which byte of the WAL is altered, once: the one at an LSN, or the next one that follows some bytes. */
type Alteration = { readonly lsn: number } | { readonly behind: Buffer };

/**
 * A relay in front of a primary. It passes on what it is given, and can do two things to it that a network does: alter
 * one byte of the WAL, and cut every connection and let none come about.
 */
export class Relay {
  #server: Server;
  #primaryUrl: string;
  #alteration: Alteration | null = null;
  #flips = 0;
  #isCut = false;

  private constructor(primaryUrl: string) {
    this.#primaryUrl = primaryUrl;
    this.#server = createServer((incoming, outgoing) => this.#pass(incoming, outgoing));
    // What is tried on a relay that is cut fails as it would without one.
    this.#server.on('connection', (socket) => {
      if (this.#isCut) socket.destroy();
    });
  }

  /** Listens on a free loopback port. */
  static async to(primaryUrl: string): Promise<Relay> {
    const relay = new Relay(primaryUrl);
    await new Promise<void>((resolve, reject) => {
      relay.#server.once('error', reject);
      relay.#server.listen(0, '127.0.0.1', resolve);
    });
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How often a byte was altered. */
  get flips(): number {
    return this.#flips;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** Another address of the primary, for connections from now on. */
  retarget(primaryUrl: string): void {
    this.#primaryUrl = primaryUrl;
  }

  /** Alters one byte of the WAL when it goes by; `null`: none after all. */
  alter(alteration: Alteration | null): void {
    this.#alteration = alteration;
  }

  /** Cuts every connection; none comes about until `mend`. */
  cut(): void {
    this.#isCut = true;
    this.#server.closeAllConnections();
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const path = incoming.url ?? '/';
    const primary = new URL(this.#primaryUrl);
    const upstream = request(
      new URL(path, primary),
      { method: incoming.method, headers: { ...incoming.headers, host: primary.host } },
      (answer) => this.#answer(path, answer, outgoing),
    );
    upstream.on('error', (error) => outgoing.destroy(error));
    outgoing.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  }

  #answer(path: string, answer: IncomingMessage, outgoing: ServerResponse): void {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    // An answer without a body yet must arrive as well: a follower at the end of history learns that it is attached.
    outgoing.flushHeaders();
    const isWal = path.startsWith(WAL_PATH) && answer.statusCode === 200;
    const start = Number(answer.headers[REPLICATION_HEADERS.startLsn] ?? Number.NaN);
    // Whichever side goes first takes the other along; a follower that hangs up is no error here.
    pipeline(answer, this.#altering(isWal ? start : Number.NaN), outgoing, () => undefined);
  }

  /** Passes bytes on, of which the first one is at `start` of the WAL; `NaN`: they are no WAL. */
  #altering(start: number): Transform {
    let lsn = start;
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const at = Number.isNaN(start) ? -1 : this.#offsetIn(chunk, lsn);
        lsn += chunk.length;
        if (at === -1) return done(null, chunk);
        const altered = Buffer.from(chunk);
        altered.writeUInt8(altered.readUInt8(at) ^ FLIPPED_BIT, at);
        this.#flips += 1;
        this.#alteration = null;
        done(null, altered);
      },
    });
  }

  /** Where in a piece of the WAL the byte is that is to be altered; -1: not in this one. */
  #offsetIn(chunk: Buffer, lsn: number): number {
    if (this.#alteration === null) return -1;
    if ('lsn' in this.#alteration) {
      const at = this.#alteration.lsn - lsn;
      return at >= 0 && at < chunk.length ? at : -1;
    }
    const { behind } = this.#alteration;
    const at = chunk.indexOf(behind);
    return at === -1 || at + behind.length >= chunk.length ? -1 : at + behind.length;
  }
}
