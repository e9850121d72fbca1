import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ErrorCode } from '../../src/index.ts';
import { ERRORS } from '../../src/index.ts';

/** What the relay does with an answer of the primary on its way. */
export interface Rule {
  /** The requests that it concerns, by their path. */
  readonly of: RegExp;
  /** Answers itself, with a refusal in the primary's words. */
  readonly refuse?: ErrorCode;
  /** Closes the connection without an answer. */
  readonly drop?: true;
  readonly headers?: Readonly<Record<string, string>>;
  /** Alters each piece of the body; `offset` is where it begins. */
  readonly body?: (piece: Buffer, offset: number) => Buffer;
  /** The answer ends, as if it were whole, behind so many bytes of its body. */
  readonly endsAfter?: number;
}

/** An HTTP relay between a replica and real primaries: passes bytes on, and lies or cuts only where a rule says so. */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #upstream: string;
  #rule: Rule | null = null;

  private constructor(upstream: string) {
    this.#upstream = upstream;
    this.#server = createServer((asked, reply) => this.#answer(asked, reply));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async before(upstream: string): Promise<Relay> {
    const relay = new Relay(upstream);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From here on another primary answers. */
  leadTo(upstream: string): void {
    this.#upstream = upstream;
  }

  rule(rule: Rule | null): void {
    this.#rule = rule;
  }

  /** Every connection is lost, in the midst of whatever it carries. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #answer(asked: IncomingMessage, reply: ServerResponse): void {
    const path = (asked.url ?? '/').replace(/notice_interval_ms=\d+/, 'notice_interval_ms=10');
    const rule = this.#rule?.of.test(path) === true ? this.#rule : null;
    if (rule?.drop === true) {
      asked.socket.destroy();
      return;
    }
    if (rule?.refuse !== undefined) {
      const { status, meaning } = ERRORS[rule.refuse];
      const error = { code: rule.refuse, invariant: null, message: meaning, evidence: {} };
      reply.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ error }));
      return;
    }
    const upstream = request(new URL(path, this.#upstream), { agent: false }, (answer) => {
      const { 'content-length': _, ...headers } = answer.headers;
      reply.writeHead(answer.statusCode ?? 502, { ...headers, ...rule?.headers });
      reply.flushHeaders();
      let offset = 0;
      answer.on('data', (piece: Buffer) => {
        const left = Math.max(0, (rule?.endsAfter ?? Infinity) - offset);
        const taken = piece.subarray(0, left);
        if (taken.length > 0) reply.write(rule?.body?.(taken, offset) ?? taken);
        offset += piece.length;
        if (piece.length >= left) {
          reply.end();
          upstream.destroy();
        }
      });
      answer.once('end', () => reply.end());
      answer.once('error', () => reply.destroy());
    });
    upstream.once('error', () => reply.destroy());
    reply.once('close', () => upstream.destroy());
    upstream.end();
  }
}
