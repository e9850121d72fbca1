import { connect, type Socket } from 'node:net';
import { BenchFailure } from '../../../src/bench/failure.ts';
import {
  errorFields,
  executeMessage,
  parseMessage,
  queryMessage,
  rowOf,
  startupMessage,
  TERMINATE,
  type Row,
} from './messages.ts';

export const USER = 'bench';
export const DATABASE = 'postgres';

const HEADER_BYTES = 5;
const EMPTY = Buffer.alloc(0);

interface Asked {
  readonly rows: Row[];
  error: BenchFailure | null;
  readonly resolve: (rows: readonly Row[]) => void;
  readonly reject: (error: Error) => void;
}

/** A connection over loopback that does as little as can be done, so that it is not the client that is measured. */
export class PostgresqlConnection {
  readonly #socket: Socket;
  readonly #asked: Asked[] = [];
  #received: Buffer = EMPTY;
  #failure: Error | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new BenchFailure('PostgreSQL has closed the connection')));
  }

  /** Rejects where the server does not take connections, also because it does not yet. */
  static async open(port: number): Promise<PostgresqlConnection> {
    const connection = new PostgresqlConnection(connect(port, '127.0.0.1'));
    await connection.#ask(startupMessage(USER, DATABASE));
    return connection;
  }

  query(sql: string): Promise<readonly Row[]> {
    return this.#ask(queryMessage(sql));
  }

  /** The first value of the first row. */
  async value(sql: string): Promise<string | null> {
    return (await this.query(sql))[0]?.[0] ?? null;
  }

  async prepare(statement: string, sql: string): Promise<void> {
    await this.#ask(parseMessage(statement, sql));
  }

  execute(statement: string, parameters: readonly string[]): Promise<readonly Row[]> {
    return this.#ask(executeMessage(statement, parameters));
  }

  /** A transaction for each, sent without waiting for the one before. */
  async executeEach(statement: string, each: readonly (readonly string[])[]): Promise<void> {
    const answers = each.map(() => this.#expect());
    this.#socket.write(Buffer.concat(each.map((parameters) => executeMessage(statement, parameters))));
    await Promise.all(answers);
  }

  async close(): Promise<void> {
    if (this.#socket.closed) return;
    const closed = new Promise((resolve) => this.#socket.once('close', resolve));
    this.#socket.end(TERMINATE);
    this.#socket.destroySoon();
    await closed;
  }

  #ask(message: Buffer): Promise<readonly Row[]> {
    const answer = this.#expect();
    this.#socket.write(message);
    return answer;
  }

  #expect(): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) reject(this.#failure);
      else this.#asked.push({ rows: [], error: null, resolve, reject });
    });
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let at = 0;
    while (at + HEADER_BYTES <= this.#received.length) {
      const end = at + 1 + this.#received.readUInt32BE(at + 1);
      if (end > this.#received.length) break;
      this.#message(
        String.fromCharCode(this.#received[at] ?? 0),
        this.#received.subarray(at + HEADER_BYTES, end),
      );
      at = end;
    }
    this.#received = this.#received.subarray(at);
  }

  #message(kind: string, body: Buffer): void {
    const asked = this.#asked[0];
    if (asked === undefined) return;
    if (kind === 'D') asked.rows.push(rowOf(body));
    else if (kind === 'E') {
      const { C: code, M: message, S: severity } = errorFields(body);
      asked.error ??= new BenchFailure(`PostgreSQL refuses: ${code} ${message}`);
      // Behind a fatal error no answer follows.
      if (severity === 'FATAL') this.#fail(asked.error);
    } else if (kind === 'R' && body.readUInt32BE(0) !== 0)
      this.#fail(new BenchFailure('PostgreSQL asks for a password'));
    else if (kind === 'Z') {
      this.#asked.shift();
      if (asked.error === null) asked.resolve(asked.rows);
      else asked.reject(asked.error);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#asked.splice(0)) reject(this.#failure);
    this.#socket.destroy();
  }
}
