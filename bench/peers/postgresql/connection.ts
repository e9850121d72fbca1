import { BenchFailure } from '../../../src/bench/failure.ts';
import { Exchange, type Asked } from '../exchange.ts';
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

interface AskedForRows extends Asked<readonly Row[]> {
  readonly rows: Row[];
  error: BenchFailure | null;
}

export class PostgresqlConnection extends Exchange<readonly Row[], AskedForRows> {
  /** Rejects where the server does not take connections, also because it does not yet. */
  static async open(port: number): Promise<PostgresqlConnection> {
    const connection = new PostgresqlConnection(port, 'PostgreSQL');
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
    const messages = each.map((parameters) => executeMessage(statement, parameters));
    await Promise.all(this.send(Buffer.concat(messages), messages.length));
  }

  close(): Promise<void> {
    return this.end(TERMINATE);
  }

  async #ask(message: Buffer): Promise<readonly Row[]> {
    const [rows = []] = await Promise.all(this.send(message, 1));
    return rows;
  }

  protected override waiting(asked: Asked<readonly Row[]>): AskedForRows {
    return { ...asked, rows: [], error: null };
  }

  protected override take(received: Buffer): number {
    let at = 0;
    while (at + HEADER_BYTES <= received.length) {
      const end = at + 1 + received.readUInt32BE(at + 1);
      if (end > received.length) break;
      this.#message(String.fromCharCode(received[at] ?? 0), received.subarray(at + HEADER_BYTES, end));
      at = end;
    }
    return at;
  }

  #message(kind: string, body: Buffer): void {
    const asked = this.asked[0];
    if (asked === undefined) return;
    if (kind === 'D') asked.rows.push(rowOf(body));
    else if (kind === 'E') {
      const { C: code, M: message, S: severity } = errorFields(body);
      asked.error ??= new BenchFailure(`PostgreSQL refuses: ${code} ${message}`);
      // Behind a fatal error no answer follows.
      if (severity === 'FATAL') this.fail(asked.error);
    } else if (kind === 'R' && body.readUInt32BE(0) !== 0)
      this.fail(new BenchFailure('PostgreSQL asks for a password'));
    else if (kind === 'Z') {
      this.asked.shift();
      if (asked.error === null) asked.resolve(asked.rows);
      else asked.reject(asked.error);
    }
  }
}
