import fc from 'fast-check';
import { request as httpRequest } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/http/contract/endpoint.ts';
import { ENDPOINT_NAMES, ENDPOINTS } from '../../src/http/contract/endpoints.ts';
import { fingerprint } from '../support/files.ts';
import { ask, connection } from '../support/http.ts';
import { fixedPrimary, haltedReplica, restingReplica, startFixedPrimary } from '../support/http-worlds.ts';
import { servedOver } from '../support/served-nodes.ts';
import { digestAt } from '../support/state.ts';

const SEED = 20_261_122;
const runs = (numRuns: number) => ({ seed: SEED, numRuns, verbose: 1 }) as const;

const METHODS = [
  'GET',
  'GET',
  'GET',
  'POST',
  'POST',
  'HEAD',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'PROPFIND',
  'QUERY',
];
interface HostileRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

const PARAMETERS = [
  ...['at', 'position', 'proof', 'after', 'after_base64', 'limit', 'digest_at', 'collection', 'id'],
  ...['collection_base64', 'id_base64', 'chart', 'follow', 'last_event_id', 'verbose', 'from_lsn'],
  ...['history_hash', 'commit_id', '__proto__', 'constructor', ''],
];

/** What changes files because it was asked for rightly. */
function isCommand(method: string, address: string): boolean {
  return (
    (method === 'POST' && /^\/data\/v1\/(snapshots|prune(\?up_to=\d+)?)$/.test(address)) ||
    (method === 'DELETE' && /^\/data\/v1\/snapshots\/\d+$/.test(address))
  );
}

const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 24 }),
  fc.constantFrom(
    ...[
      '',
      '0',
      '1',
      '-1',
      '1e3',
      '0x10',
      ' 1',
      '1 ',
      '9007199254740991',
      '9007199254740992',
      '9999999999999999',
    ],
    ...[
      '__proto__',
      'constructor',
      '..',
      '.',
      '../../etc/passwd',
      '%00',
      '\u0000',
      '\ud800',
      'null',
      'true',
      '[]',
    ],
    ...[
      `3:703:${'0'.repeat(64)}`,
      `0:0:${'0'.repeat(64)}`,
      `1:96:${'f'.repeat(64)}`,
      `1:9999999999999999:${'a'.repeat(64)}`,
    ],
    ...['/w==', 'AWMAAWIAAf_________9', 'AAAA', '====', 'a'.repeat(70_000), "' OR 1=1", '${7*7}', '\r\nx: y'],
  ),
);
/** Percent-encoded as a client does; lone surrogates have no encoding. */
const encoded = hostileText.map((text) => encodeURIComponent(text.toWellFormed()));
const inAddress = fc.oneof(
  encoded,
  fc.constantFrom('%', '%f', '%ff', '%zz', '%c0%af', ';', '&', '+', '?', '#', '//'),
);

/** What an endpoint may well be asked for: the rest of a request is then looked at as well. */
const plausible = fc.constantFrom(
  ...['0', '1', '2', '3', '4', '99', '480', '96', 'c', 'a', 'b', 'bin', 'Yw==', 'YQ==', '9007199254740991'],
  ...[`3:703:${'0'.repeat(64)}`, `1:96:${'f'.repeat(64)}`, `99:9999:${'0'.repeat(64)}`, '0'.repeat(64)],
);
const value = fc.oneof({ weight: 3, arbitrary: plausible }, { weight: 1, arbitrary: inAddress });

const queryOf = (fields: readonly string[]) =>
  fc
    .uniqueArray(
      fc.tuple(fc.constantFrom(...fields, ...PARAMETERS.slice(0, fields.length === 0 ? 1 : 0)), value),
      {
        maxLength: 3,
        selector: ([name]) => name,
      },
    )
    .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map(([name, one]) => `${name}=${one}`).join('&')}`));

/** An endpoint that is asked for what it takes, in its address and in its query. */
const known = fc.constantFrom(...ENDPOINT_NAMES).chain((name) => {
  const { path, method, query }: Endpoint = ENDPOINTS[name];
  return fc
    .tuple(fc.array(value, { minLength: 2, maxLength: 2 }), queryOf(Object.keys(query.shape)))
    .map(([values, asked]) => ({ method, path: filled(path, values) + asked }));
});
const anyQuery = fc
  .array(fc.tuple(fc.constantFrom(...PARAMETERS), inAddress), { maxLength: 4 })
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map(([name, one]) => `${name}=${one}`).join('&')}`));
/** Any address, asked for anything. */
const unknown = fc
  .tuple(
    fc.constantFrom(...METHODS),
    fc.constantFrom(
      ...ENDPOINT_NAMES.map((name): string => ENDPOINTS[name].path),
      ...['/', '//', '*', '/v1', '/%64ata/v1/commits', '/v1/../data/v1/c', '/data/v1/', '/data/v1//'],
    ),
    fc.array(inAddress, { minLength: 2, maxLength: 2 }),
    anyQuery,
  )
  .map(([method, template, values, asked]) => ({ method, path: filled(template, values) + asked }));

function filled(template: string, values: readonly string[]): string {
  let next = 0;
  return template.replace(/:\w+/g, () => values[next++] ?? 'x');
}

const document = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(JSON.parse('{"__proto__":1}') as object, 'x'.repeat(100_000)),
);
/** Never a commit that the node would take: no operation of it is whole. */
const body = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 64 }),
  fc.constantFrom(
    '',
    '{',
    '[]',
    'null',
    '{"ops":[]}',
    '{"commits":[]}',
    '{"ops":{},"commits":1}',
    '[['.repeat(50_000),
  ),
  fc
    .record({
      ops: fc.array(fc.record({ op: hostileText, collection: hostileText, document }), { maxLength: 3 }),
    })
    .map((value) => JSON.stringify(value)),
  fc.record({ commits: fc.array(fc.record({ ops: fc.jsonValue() })) }).map((value) => JSON.stringify(value)),
  fc.jsonValue().map((value) => JSON.stringify(value)),
);

const headerValue = hostileText.map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?').slice(0, 2_000));
const rare = fc.record({
  expect: fc.constantFrom('100-continue', 'x'),
  upgrade: fc.constantFrom('websocket', 'h2c'),
  connection: fc.constantFrom('upgrade', 'close, x'),
});
const common = fc.record(
  {
    'content-type': fc.oneof(
      fc.constantFrom('application/json', 'text/plain', 'application/json; charset=x', 'a/b', ',', ''),
      headerValue,
    ),
    authorization: headerValue,
    'last-event-id': headerValue,
    'x-request-id': headerValue,
    accept: headerValue,
    range: fc.constantFrom('bytes=0-0', 'bytes=-1', 'x'),
    'content-encoding': fc.constantFrom('gzip', 'x'),
    'x-http-method-override': fc.constantFrom('DELETE', 'POST'),
  },
  { requiredKeys: [] },
);
const headers = fc
  .tuple(common, fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: rare }))
  .map(([often, seldom]): Record<string, string> => ({ ...often, ...seldom }));

/** Everything but an order that a primary carries out. */
const hostile: fc.Arbitrary<HostileRequest> = fc
  .tuple(
    fc.oneof({ weight: 2, arbitrary: known }, { weight: 1, arbitrary: unknown }),
    headers,
    fc.option(body),
  )
  .map(([asked, sent, text]) => ({ ...asked, headers: sent, body: text }))
  .filter(({ method, path: address }) => !isCommand(method, address));

/** The status of the answer, its body unread; 0 where the connection was closed without one. */
function statusOf(
  url: string,
  { method, path: address, headers: sent, body: text }: HostileRequest,
): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let status = 0;
    const asked = httpRequest({ hostname, port, path: ascii(address), method, headers: sent, agent: false });
    asked.on('response', (response) => {
      status = response.statusCode ?? 0;
      // A stream would go on.
      response.destroy();
      asked.destroy();
    });
    asked.on('upgrade', (_response, socket) => socket.destroy());
    asked.on('error', () => undefined);
    asked.on('close', () => resolve(status));
    asked.end(text ?? undefined);
  });
}
/** What the client itself would refuse to send. */
const ascii = (address: string) => address.replace(/[^\x21-\xff]/g, '%20');

async function expectUnharmed(url: string, request: HostileRequest, seen?: Set<number>): Promise<void> {
  const status = await statusOf(url, request);
  seen?.add(status);
  expect([request, status === 500]).toEqual([request, false]);
}

async function alive(url: string): Promise<void> {
  expect((await ask(url, '/livez')).text).toBe('{"status":"ok"}');
}

const garbage = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(
      fc.constantFrom('GET', 'POST', 'PRI', 'CONNECT', '\u0016\u0003\u0001'),
      fc.string({ maxLength: 40 }),
      fc.string(),
    )
    .map(([method, target, rest]) => Buffer.from(`${method} ${target} HTTP/1.1\r\n${rest}\r\n\r\n`)),
  fc
    .string({ maxLength: 40 })
    .map((chunk) =>
      Buffer.from(
        `POST /data/v1/commits HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${chunk}\r\n0\r\n\r\n`,
      ),
    ),
);

async function throwAt(url: string, bytes: Buffer): Promise<string> {
  const { socket, closed } = await connection(url);
  socket.removeAllListeners('error');
  socket.on('error', () => undefined);
  socket.end(bytes);
  return closed;
}

describe(`F-O1: hostile requests (seed ${SEED}): never a 500, and nothing of the node changes`, () => {
  test('to a primary at work: its WAL and its state digest stay', async () => {
    const { url, dataDir, primary } = await fixedPrimary();
    const before = await fingerprint(dataDir);
    const digest = await primary.read((view) => view.stateDigest());
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(hostile, (request) => expectUnharmed(url, request, seen)),
      runs(4_000),
    );
    // The requests come through to where they are answered, and are not all of one kind.
    expect([...seen]).toEqual(expect.arrayContaining([200, 400, 404, 503]));
    await alive(url);
    expect(await fingerprint(dataDir)).toEqual(before);
    await primary.stop();
    expect(await digestAt(dataDir, 3)).toEqual(digest);
  });

  test('to a replica at work', async () => {
    const { url: primaryUrl } = await fixedPrimary();
    const { url, dataDir } = await restingReplica(primaryUrl);
    const before = await fingerprint(dataDir);
    await fc.assert(
      fc.asyncProperty(hostile, (request) => expectUnharmed(url, request)),
      runs(1_500),
    );
    await alive(url);
    expect(await fingerprint(dataDir)).toEqual(before);
  });

  test('P5-I10: to a halted replica, which stays halted', async () => {
    const { url, dataDir, replica } = await haltedReplica();
    const before = await fingerprint(dataDir, /^$/);
    await fc.assert(
      fc.asyncProperty(hostile, (request) => expectUnharmed(url, request)),
      runs(1_000),
    );
    await alive(url);
    expect(await fingerprint(dataDir, /^$/)).toEqual(before);
    expect(replica.snapshot().value).toEqual({ halted: 'resting' });
  });

  test('to a node that is starting', async () => {
    const url = await servedOver(null);
    await fc.assert(
      fc.asyncProperty(hostile, (request) => expectUnharmed(url, request)),
      runs(500),
    );
    await alive(url);
  });

  test('to a primary that is started, works and stops meanwhile: it comes to the same state', async () => {
    const { url: first, dataDir, primary } = await fixedPrimary();
    const port = new URL(first).port;
    await primary.stop();
    const before = await fingerprint(dataDir);
    const requests = fc.sample(hostile, { seed: SEED, numRuns: 60 });
    for (let n = 0; n < 4; n += 1) {
      const all = () => requests.map((request) => expectUnharmed(first, request));
      const whileStarting = all();
      const node = await startFixedPrimary(dataDir, { listen: `127.0.0.1:${port}` });
      await Promise.all(whileStarting);
      await alive(first);
      const whileStopping = all();
      await node.stop();
      await Promise.all(whileStopping);
    }
    expect(await fingerprint(dataDir)).toEqual(before);
  });

  test('bytes that are no HTTP: each is answered with 400 or not at all', async () => {
    const { url, dataDir } = await fixedPrimary();
    const before = await fingerprint(dataDir);
    await fc.assert(
      fc.asyncProperty(garbage, async (bytes) => {
        const answer = await throwAt(url, bytes);
        expect(answer === '' ? 'HTTP/1.1 400' : answer.slice(0, 12)).toMatch(/^HTTP\/1.1 4\d\d$/);
      }),
      runs(1_500),
    );
    await alive(url);
    expect(await fingerprint(dataDir)).toEqual(before);
  });
});
