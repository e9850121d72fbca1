import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { configOf, portsOf } from '../../src/api/node-host.ts';
import { loggerOf, withoutSecrets } from '../../src/api/logger.ts';
import { SECRETS, type NodeConfig } from '../../src/core/config.ts';
import { createPrimary, createReplica, type Replica } from '../../src/index.ts';
import { recordChart } from '../support/chart-coverage.ts';
import { newestFlight } from '../support/flights.ts';
import { afterTest, CLUSTER, rejection, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { detached, halted } from '../support/replicas.ts';

const TOKEN = 'the-token-of-"this"-node';
const PRIMARY_TOKEN = 'the-token-of-the-primary';

/** A primary that says back all that it was told, as a careless program or proxy does. */
async function echoing(status: number, code: string, identity: object | null): Promise<string> {
  const answer = ({ headers, url }: IncomingMessage) => ({
    error: {
      code,
      message: `no: ${headers.authorization} at ${url}`,
      evidence: { request: { deep: [{ headers }, JSON.stringify(headers)] }, token: 'whatever' },
    },
  });
  const server: Server = createServer((request, response) => {
    const isIdentity = identity !== null && request.url === '/replication/v1/identity';
    response.writeHead(isIdentity ? 200 : status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isIdentity ? { data: identity } : answer(request)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTest(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const IDENTITY = {
  cluster_id: CLUSTER,
  format_version: 1,
  oldest_lsn: 0,
  durable: { commit_id: 0, lsn: 0, history_hash: '0'.repeat(64) },
};

describe('a token of the configuration appears nowhere in the log', () => {
  const options = async (primaryUrl: string) => {
    return {
      dataDir: await temporaryDirectory(),
      primaryUrl,
      replication: 'enabled',
      logLevel: 'trace',
      token: TOKEN,
      primaryToken: PRIMARY_TOKEN,
      flightRecorder: 'enabled',
    } as const;
  };
  const logOf = (config: Pick<NodeConfig, 'logLevel' | 'token' | 'primaryToken'>) => {
    const lines: string[] = [];
    return {
      logger: loggerOf(config, { write: (line) => void lines.push(line) }),
      text: () => lines.join(''),
    };
  };
  const started = async (given: Awaited<ReturnType<typeof options>>, logger: Logger): Promise<Replica> => {
    const replica = await createReplica(given, { inspect: recordChart, logger });
    afterTest(() => replica.stop());
    return replica;
  };
  const expectNoSecret = (log: string) => {
    expect(log).toContain('"to":"stopped.closed"');
    for (const line of log.trim().split('\n')) JSON.parse(line);
    for (const secret of [TOKEN, PRIMARY_TOKEN, 'whatever', JSON.stringify(TOKEN).slice(1, -1)])
      expect(log).not.toContain(secret);
  };

  test('of a replica that its primary refuses (401) when they meet: it halts and is stopped', async () => {
    const given = await options(await echoing(401, 'UNAUTHORIZED', null));
    const { logger, text } = logOf(given);
    expect(await rejection(started(given, logger))).toMatchObject({ code: 'UNAUTHORIZED' });
    expectNoSecret(text());
    expect(text()).toContain('no: Bearer [withheld] at /replication/v1/identity');
  });

  test('of a replica that is refused the stream (401), detaches and is stopped', async () => {
    const given = await options(await echoing(401, 'UNAUTHORIZED', IDENTITY));
    const { logger, text } = logOf(given);
    const replica = await started(given, logger);
    await detached(replica);
    await replica.stop();
    expectNoSecret(text());
  });

  test('of a replica that halts on what its primary says, and is stopped', async () => {
    const given = await options(await echoing(409, 'HISTORY_DIVERGED', IDENTITY));
    const { logger, text } = logOf(given);
    const replica = await started(given, logger);
    await halted(replica);
    await replica.stop();
    expectNoSecret(text());
    expect(text()).toContain('"halt":{"code":"HISTORY_DIVERGED"');
    // Nor in the journal of the flight recorder, which keeps all that the primary said.
    const journal = (await newestFlight(given.dataDir)).toString();
    expect(journal).toContain('no: Bearer [withheld] at /replication/v1/wal');
    for (const secret of [TOKEN, PRIMARY_TOKEN, JSON.stringify(TOKEN).slice(1, -1)])
      expect(journal).not.toContain(secret);
  });

  test('of a replica whose token the real primary does not know', async () => {
    const primary = await startPrimary({
      dataDir: await temporaryDirectory(),
      listen: '127.0.0.1:0',
      replication: 'enabled',
      token: 'another',
    });
    const given = await options(primary.url as string);
    const { logger, text } = logOf(given);
    expect(await rejection(started(given, logger))).toMatchObject({ code: 'UNAUTHORIZED' });
    expectNoSecret(text());
  });

  test('of a primary', async () => {
    const { logger, text } = logOf({ logLevel: 'trace', token: TOKEN });
    const primary = await createPrimary(
      { dataDir: await temporaryDirectory(), token: TOKEN, listen: '127.0.0.1:0' },
      { inspect: recordChart, logger },
    );
    await primary.stop();
    expectNoSecret(text());
  });
});

describe('what is withheld', () => {
  const line = (entry: unknown) => `${JSON.stringify(entry)}\n`;

  test('fields that name a secret at any depth, and the secret itself wherever it stands', () => {
    const given = {
      token: 'a',
      config: { primaryToken: 'b', primary_token: 'c', listen: 'x' },
      request: { headers: { Authorization: 'Bearer d', 'proxy-authorization': 'e', host: 'h' } },
      list: [{ deep: { authorization: ['f'] } }, `before ${TOKEN} after`],
      lsn: 12,
      [TOKEN]: null,
    };
    const W = '[withheld]';
    expect(JSON.parse(withoutSecrets(line(given), [TOKEN]))).toEqual({
      token: W,
      config: { primaryToken: W, primary_token: W, listen: 'x' },
      request: { headers: { Authorization: W, 'proxy-authorization': W, host: 'h' } },
      list: [{ deep: { authorization: W } }, `before ${W} after`],
      lsn: 12,
      [W]: null,
    });
  });

  test('nothing of a line that holds no secret: it is the same bytes', () => {
    const clean = line({ position: { lsn: 1 }, tokens: 3, msg: 'the bearer token is missing or wrong' });
    expect(withoutSecrets(clean, [TOKEN, PRIMARY_TOKEN])).toBe(clean);
  });

  test('all of a secret that another one is a part of, also in the lines of child loggers', async () => {
    const logFile = join(await temporaryDirectory(), 'log');
    const config = configOf('replica', {
      dataDir: await temporaryDirectory(),
      primaryUrl: 'http://127.0.0.1:1',
      token: 'abc',
      primaryToken: 'abcdef',
      logFile,
    });
    const { logger } = portsOf(config, {});
    logger.child({ component: 'abcdef' }).info({ a: 'xabcdefx abc' }, 'with abcdef');
    await flushed(logger);
    expect(JSON.parse(await readFile(logFile, 'utf8'))).toMatchObject({
      component: '[withheld]',
      a: 'x[withheld]x [withheld]',
      msg: 'with [withheld]',
    });
  });
});

test('a log that cannot be written is told once, and ends nothing', async () => {
  const logFile = join(await temporaryDirectory(), 'missing', 'log');
  const told: unknown[] = [];
  const warn = vi.spyOn(process, 'emitWarning');
  onTestFinished(() => warn.mockRestore());
  await new Promise<void>((resolve) => {
    warn.mockImplementation((message) => {
      told.push(message);
      resolve();
    });
    loggerOf({ logLevel: 'info', logFile }).info('into nowhere');
  });
  expect(told).toEqual([
    expect.stringMatching(/^the log cannot be written: ENOENT.*; the node goes on without$/),
  ]);
});

function flushed(logger: Logger): Promise<void> {
  return new Promise((resolve, reject) => {
    logger.flush((error) => (error === undefined || error === null ? resolve() : reject(error)));
  });
}

test.each(SECRETS)('the secret field %s is withheld, by its name and by its value', (field) => {
  const lines: string[] = [];
  const secret = `the value of ${field}`;
  const logger = loggerOf({ logLevel: 'info', [field]: secret }, { write: (line) => void lines.push(line) });
  logger.info({ deep: [{ [field]: 'another value' }] }, `somebody said ${secret}`);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] as string)).toMatchObject({
    deep: [{ [field]: '[withheld]' }],
    msg: 'somebody said [withheld]',
  });
});
