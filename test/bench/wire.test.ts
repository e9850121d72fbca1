import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { PostgresqlConnection } from '../../bench/peers/postgresql/connection.ts';
import { RedisConnection } from '../../bench/peers/redis/connection.ts';
import { afterTest } from '../support/nodes.ts';

/** A server that answers what arrives with what is given, a byte at a time: no answer comes in one piece. */
async function answering(answers: readonly Buffer[]): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay(true));
    const left = [...answers];
    socket.on('error', () => socket.destroy());
    socket.on('data', () => {
      for (const byte of left.shift() ?? []) socket.write(Buffer.from([byte]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTest(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

describe('Redis', () => {
  const redis = async (...answers: readonly string[]) => {
    const port = await answering(['+PONG\r\n', ...answers].map((one) => Buffer.from(one)));
    const connection = await RedisConnection.open(port);
    afterTest(() => connection.close());
    return connection;
  };

  test('replies of every kind, also with a line end or a number inside', async () => {
    const connection = await redis('$5\r\na\r\nb-\r\n', '$-1\r\n', ':42\r\n', '$2\r\n-1\r\n', '$0\r\n\r\n');
    const replies = [];
    for (let one = 0; one < 5; one += 1) replies.push(await connection.ask('GET', 'a'));
    expect(replies).toEqual(['a\r\nb-', null, 42, '-1', '']);
  });

  test('an error is the answer to the one that asked', async () => {
    const connection = await redis('-ERR no\r\n', '+OK\r\n');
    await expect(connection.ask('NO')).rejects.toThrow('Redis refuses: ERR no');
    expect(await connection.ask('YES')).toBe('OK');
  });

  test('a field of INFO', async () => {
    const text = '# Replication\r\nrole:slave\r\nslave_repl_offset:17\r\n';
    const connection = await redis(`$${text.length}\r\n${text}\r\n`);
    expect(await connection.info('replication', 'slave_repl_offset')).toBe('17');
  });
});

describe('PostgreSQL', () => {
  const message = (kind: string, body: Buffer) => {
    const head = Buffer.alloc(5, kind);
    head.writeUInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  const ready = message('Z', Buffer.from('I'));
  const welcome = Buffer.concat([message('R', Buffer.alloc(4)), ready]);
  const row = message(
    'D',
    Buffer.concat([Buffer.from([0, 2, 0, 0, 0, 1]), Buffer.from('t'), Buffer.alloc(4, 0xff)]),
  );

  test('rows with values and without', async () => {
    const port = await answering([welcome, Buffer.concat([row, row, ready])]);
    const connection = await PostgresqlConnection.open(port);
    afterTest(() => connection.close());
    expect(await connection.query('select')).toEqual([
      ['t', null],
      ['t', null],
    ]);
  });

  test('a server that starts up refuses the connection, and says why', async () => {
    const port = await answering([message('E', Buffer.from('SFATAL\0C57P03\0Mit is starting up\0\0'))]);
    await expect(PostgresqlConnection.open(port)).rejects.toThrow(
      'PostgreSQL refuses: 57P03 it is starting up',
    );
  });

  test('a password is never sent', async () => {
    const port = await answering([message('R', Buffer.from([0, 0, 0, 3]))]);
    await expect(PostgresqlConnection.open(port)).rejects.toThrow('PostgreSQL asks for a password');
  });
});
