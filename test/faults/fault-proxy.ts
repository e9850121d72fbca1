import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** What happens to an answer of the primary on its way, below HTTP. */
export interface AnswerFault {
  /** The requests whose answers it concerns, by their path. */
  readonly of: RegExp;
  /** Alters a piece of the answer; `offset` counts the bytes of this answer before it, its head included. */
  readonly alter?: (piece: Buffer, offset: number) => Buffer;
  /** Sends so many bytes at a time, each piece in a segment of its own. */
  readonly piecesOf?: number;
  /** So many bytes of the answer are passed on, and then this happens. */
  readonly after?: number;
  readonly then?: 'end' | 'reset' | 'stall';
}

/** A TCP proxy between a real replica and a real primary. It takes no more from the primary than the replica takes. */
export class FaultProxy {
  fault: AnswerFault | null = null;
  /** Bytes that were taken from the primary, of all connections. */
  taken = 0;
  /** Bytes of the last answer that matched a fault, or of the last one at all. */
  answered = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #upstream: string;

  private constructor(upstream: string) {
    this.#upstream = upstream;
    this.#server = createServer({ noDelay: true }, (client) => this.#serve(client));
  }

  static async before(upstream: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From here on another primary is behind it. */
  leadTo(upstream: string): void {
    this.#upstream = upstream;
  }

  /** Every connection is lost, in the midst of whatever it carries. */
  cut(how: 'end' | 'reset' = 'end'): void {
    for (const socket of this.#sockets)
      if (how === 'end') socket.destroy();
      else socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(client: Socket): void {
    const { hostname, port } = new URL(this.#upstream);
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
    }
    let path = '';
    let offset = 0;
    client.on('data', (data) => {
      const asked = /^GET (\S+)/.exec(data.toString('latin1'))?.[1];
      if (asked !== undefined) [path, offset] = [asked, 0];
      upstream.write(data);
    });
    const pass = async () => {
      for await (const piece of upstream as AsyncIterable<Buffer>) {
        this.taken += piece.length;
        const fault = this.fault?.of.test(path) === true ? this.fault : null;
        const whole = fault?.alter?.(piece, offset) ?? piece;
        const left = fault?.after === undefined ? whole.length : Math.max(0, fault.after - offset);
        offset += piece.length;
        this.answered = offset;
        await send(client, whole.subarray(0, left), fault?.piecesOf);
        if (fault?.after === undefined || offset < fault.after) continue;
        if (fault.then === 'reset') client.resetAndDestroy();
        else if (fault.then === 'end') client.end();
        // Stalled: both connections stay, and nothing is read or said any more.
        await new Promise((resolve) => client.once('close', resolve));
      }
    };
    pass()
      .catch(() => undefined)
      .finally(() => client.destroy());
    client.on('close', () => upstream.destroy());
  }
}

async function send(client: Socket, bytes: Buffer, piecesOf = bytes.length): Promise<void> {
  for (let at = 0; at < bytes.length; at += piecesOf)
    await new Promise<void>((resolve, reject) => {
      const gone = () => reject(new Error('the client has gone'));
      client.once('close', gone);
      client.write(bytes.subarray(at, at + piecesOf), (error) => {
        client.off('close', gone);
        if (error) reject(error);
        else resolve();
      });
    });
}
