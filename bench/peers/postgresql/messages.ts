/** The messages of the PostgreSQL protocol 3.0 that this bench needs. Source: PostgreSQL documentation, "Message Formats". */
const PROTOCOL = 196_608;

export function startupMessage(user: string, database: string): Buffer {
  const body = Buffer.concat([uint32(PROTOCOL), text('user'), text(user), text('database'), text(database)]);
  return Buffer.concat([uint32(body.length + 5), body, Buffer.from([0])]);
}

export const queryMessage = (sql: string): Buffer => message('Q', text(sql));

export const parseMessage = (statement: string, sql: string): Buffer =>
  Buffer.concat([message('P', text(statement), text(sql), uint16(0)), SYNC]);

/** Runs a prepared statement in a transaction of its own: what follows the Sync is another one. */
export function executeMessage(statement: string, parameters: readonly string[]): Buffer {
  const values = parameters.flatMap((one) => [uint32(Buffer.byteLength(one)), Buffer.from(one)]);
  return Buffer.concat([
    message('B', text(''), text(statement), uint16(0), uint16(parameters.length), ...values, uint16(0)),
    EXECUTE,
    SYNC,
  ]);
}

export type Row = readonly (string | null)[];

export function rowOf(body: Buffer): Row {
  let at = 2;
  return Array.from({ length: body.readUInt16BE(0) }, () => {
    const length = body.readInt32BE(at);
    at += 4;
    if (length < 0) return null;
    at += length;
    return body.toString('utf8', at - length, at);
  });
}

/** The fields of an error, by their letter: `C` the code, `M` the message. */
export function errorFields(body: Buffer): Readonly<Record<string, string>> {
  const fields = body.toString('utf8').split('\0');
  return Object.fromEntries(fields.filter((one) => one !== '').map((one) => [one.charAt(0), one.slice(1)]));
}

function message(kind: string, ...parts: readonly Buffer[]): Buffer {
  const bytes = parts.reduce((sum, { length }) => sum + length, 4);
  return Buffer.concat([Buffer.from(kind), uint32(bytes), ...parts]);
}

function uint32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function uint16(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(2);
  buffer.writeUInt16BE(value);
  return buffer;
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

const SYNC = message('S');
const EXECUTE = message('E', text(''), uint32(0));
export const TERMINATE = message('X');
