import { BenchFailure } from '../../../src/bench/failure.ts';
import { Exchange, type Asked } from '../exchange.ts';

const LINE_END = '\r\n';
/** A bulk text of length -1: RESP3 has this sign for it, RESP2 none. */
const NOTHING = '_';

export type Reply = string | number | null;

/** RESP2: replies that are text, numbers or nothing, which is all that this bench asks for. */
export class RedisConnection extends Exchange<Reply> {
  /** Rejects where the server does not answer, also because it does not yet. */
  static async open(port: number): Promise<RedisConnection> {
    const connection = new RedisConnection(port, 'Redis');
    await connection.ask('PING');
    return connection;
  }

  async ask(...command: readonly string[]): Promise<Reply> {
    const [reply = null] = await Promise.all(this.send(encoded(command), 1));
    return reply;
  }

  /** Sent without waiting for the reply to the one before. */
  async askEach(commands: readonly (readonly string[])[]): Promise<void> {
    await Promise.all(this.send(commands.map(encoded).join(''), commands.length));
  }

  /** A field of INFO. */
  async info(section: string, field: string): Promise<string | null> {
    const text = String(await this.ask('INFO', section));
    const line = text.split(LINE_END).find((one) => one.startsWith(`${field}:`));
    return line === undefined ? null : line.slice(field.length + 1);
  }

  close(): Promise<void> {
    return this.end();
  }

  protected override waiting(asked: Asked<Reply>): Asked<Reply> {
    return asked;
  }

  protected override take(received: Buffer): number {
    let at = 0;
    for (;;) {
      const end = received.indexOf(LINE_END, at);
      if (end === -1) break;
      const kind = String.fromCharCode(received[at] ?? 0);
      const line = received.toString('utf8', at + 1, end);
      const length = kind === '$' ? Number(line) : -1;
      if (length < 0) {
        this.#reply(kind === '$' ? NOTHING : kind, line);
        at = end + 2;
        continue;
      }
      if (end + 4 + length > received.length) break;
      this.#reply(kind, received.toString('utf8', end + 2, end + 2 + length));
      at = end + 4 + length;
    }
    return at;
  }

  #reply(kind: string, text: string): void {
    const asked = this.asked.shift();
    if (kind === '-') asked?.reject(new BenchFailure(`Redis refuses: ${text}`));
    else if (kind === ':') asked?.resolve(Number(text));
    else if (kind === NOTHING) asked?.resolve(null);
    else if (kind === '$' || kind === '+') asked?.resolve(text);
    else this.fail(new BenchFailure(`Redis answers what is not understood here: ${kind}${text}`));
  }
}

function encoded(command: readonly string[]): string {
  const parts = command.map((one) => `$${Buffer.byteLength(one)}${LINE_END}${one}${LINE_END}`);
  return `*${command.length}${LINE_END}${parts.join('')}`;
}
