import { connect, type Socket } from 'node:net';
import { BenchFailure } from '../../../src/bench/failure.ts';

const EMPTY = Buffer.alloc(0);
const LINE_END = '\r\n';
/** A bulk text of length -1: RESP3 has this sign for it, RESP2 none. */
const NOTHING = '_';

export type Reply = string | number | null;

interface Asked {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** A connection over loopback in RESP2: replies that are text, numbers or nothing, which is all that this bench asks for. */
export class RedisConnection {
  readonly #socket: Socket;
  readonly #asked: Asked[] = [];
  #received: Buffer = EMPTY;
  #failure: Error | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new BenchFailure('Redis has closed the connection')));
  }

  /** Rejects where the server does not answer, also because it does not yet. */
  static async open(port: number): Promise<RedisConnection> {
    const connection = new RedisConnection(connect(port, '127.0.0.1'));
    await connection.ask('PING');
    return connection;
  }

  ask(...command: readonly string[]): Promise<Reply> {
    const answer = this.#expect();
    this.#socket.write(encoded(command));
    return answer;
  }

  /** Sent without waiting for the reply to the one before. */
  async askEach(commands: readonly (readonly string[])[]): Promise<void> {
    const answers = commands.map(() => this.#expect());
    this.#socket.write(commands.map(encoded).join(''));
    await Promise.all(answers);
  }

  /** A field of INFO. */
  async info(section: string, field: string): Promise<string | null> {
    const text = String(await this.ask('INFO', section));
    const line = text.split(LINE_END).find((one) => one.startsWith(`${field}:`));
    return line === undefined ? null : line.slice(field.length + 1);
  }

  async close(): Promise<void> {
    if (this.#socket.closed) return;
    const closed = new Promise((resolve) => this.#socket.once('close', resolve));
    this.#socket.destroy();
    await closed;
  }

  #expect(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) reject(this.#failure);
      else this.#asked.push({ resolve, reject });
    });
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let at = 0;
    for (;;) {
      const end = this.#received.indexOf(LINE_END, at);
      if (end === -1) break;
      const kind = String.fromCharCode(this.#received[at] ?? 0);
      const line = this.#received.toString('utf8', at + 1, end);
      const length = kind === '$' ? Number(line) : -1;
      if (length < 0) {
        this.#reply(kind === '$' ? NOTHING : kind, line);
        at = end + 2;
        continue;
      }
      if (end + 4 + length > this.#received.length) break;
      this.#reply(kind, this.#received.toString('utf8', end + 2, end + 2 + length));
      at = end + 4 + length;
    }
    this.#received = this.#received.subarray(at);
  }

  #reply(kind: string, text: string): void {
    const asked = this.#asked.shift();
    if (kind === '-') asked?.reject(new BenchFailure(`Redis refuses: ${text}`));
    else if (kind === ':') asked?.resolve(Number(text));
    else if (kind === NOTHING) asked?.resolve(null);
    else if (kind === '$' || kind === '+') asked?.resolve(text);
    else this.#fail(new BenchFailure(`Redis answers what is not understood here: ${kind}${text}`));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#asked.splice(0)) reject(this.#failure);
    this.#socket.destroy();
  }
}

function encoded(command: readonly string[]): string {
  const parts = command.map((one) => `$${Buffer.byteLength(one)}${LINE_END}${one}${LINE_END}`);
  return `*${command.length}${LINE_END}${parts.join('')}`;
}
