import { describe, expect, test } from 'vitest';
import { resolveConfig, tokenOf } from '../../src/core/config.ts';
import type { Plane } from '../../src/http/contract/endpoint.ts';
import { ENDPOINT_NAMES, ENDPOINTS } from '../../src/http/contract/endpoints.ts';
import { ask, bearer, codeOf, connection } from '../support/http.ts';
import { fixedPrimary, REQUESTS, startFixedReplica } from '../support/http-worlds.ts';
import { rejection, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit } from '../support/replicas.ts';

const OF_PLANE = {
  replicationToken: 'token-of-replicas',
  dataToken: 'token-of-data',
  dxToken: 'token-of-dx',
};
type Token = keyof typeof OF_PLANE;

/** The status that is not 401, of one request of each plane. */
const ASKED = {
  replication: REQUESTS.getIdentity,
  data: '/data/v1/c/a',
  dx: REQUESTS.getStatus,
} as const;

/** Which token opens what; readiness is a matter of those who watch. */
const OPENS: Readonly<Record<Token, readonly string[]>> = {
  replicationToken: [ASKED.replication],
  dataToken: [ASKED.data],
  dxToken: [ASKED.dx, '/readyz'],
};
const GUARDED = [...Object.values(ASKED), '/readyz'];

async function opened(url: string, headers: Record<string, string>): Promise<string[]> {
  const open: string[] = [];
  for (const path of GUARDED) {
    const answer = await ask(url, path, { headers });
    expect([path, answer.status]).toEqual([path, answer.status === 401 ? 401 : 200]);
    if (answer.status === 401) expect(codeOf(answer)).toBe('UNAUTHORIZED');
    else open.push(path);
  }
  return open;
}

test('a 401 says which way of proving oneself is asked for (RFC 9110)', async () => {
  const { url } = await fixedPrimary(OF_PLANE);
  const { status, headers } = await fetch(`${url}${ASKED.dx}`);
  expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
});

describe('each plane has a token of its own', () => {
  test.each(Object.entries(OPENS))('%s opens its plane and no other', async (name, open) => {
    const { url } = await fixedPrimary(OF_PLANE);
    expect(await opened(url, bearer(OF_PLANE[name as Token]))).toEqual(open);
  });

  test('of every endpoint of the contract: without its token 401, whatever it would answer', async () => {
    const { url } = await fixedPrimary(OF_PLANE);
    const tokenFor: Record<Plane, string | null> = {
      replication: OF_PLANE.replicationToken,
      data: OF_PLANE.dataToken,
      dx: OF_PLANE.dxToken,
      health: OF_PLANE.dxToken,
    };
    for (const name of ENDPOINT_NAMES) {
      const { method, plane, open } = ENDPOINTS[name];
      const others = Object.values(OF_PLANE).filter((token) => token !== tokenFor[plane]);
      for (const headers of [{}, ...others.map(bearer)]) {
        const { status } = await ask(url, REQUESTS[name], { method, headers });
        expect([name, status]).toEqual([name, open ? 200 : 401]);
      }
    }
  });

  test('the common token opens what has none of its own', async () => {
    const { url } = await fixedPrimary({ token: 'common', dataToken: 'data-only' });
    expect(await opened(url, bearer('common'))).toEqual([ASKED.replication, ASKED.dx, '/readyz']);
    expect(await opened(url, bearer('data-only'))).toEqual([ASKED.data]);
  });

  test('one common token opens all; a plane without a token is open to all', async () => {
    const common = await fixedPrimary({ token: 'common' });
    expect(await opened(common.url, bearer('common'))).toEqual(GUARDED);
    expect(await opened(common.url, {})).toEqual([]);
    const dataOnly = await fixedPrimary({ dataToken: 'data' });
    expect(await opened(dataOnly.url, {})).toEqual([ASKED.replication, ASKED.dx, '/readyz']);
  });

  test('liveness asks for none, and an address that there is not asks for that of the DX plane', async () => {
    const { url } = await fixedPrimary(OF_PLANE);
    expect((await ask(url, '/livez')).status).toBe(200);
    expect((await ask(url, '/nowhere')).status).toBe(401);
    expect((await ask(url, '/nowhere', { headers: bearer(OF_PLANE.dataToken) })).status).toBe(401);
    expect((await ask(url, '/nowhere', { headers: bearer(OF_PLANE.dxToken) })).status).toBe(404);
  });
});

describe('another spelling of an address lets no token into another plane', () => {
  const SPELLINGS = [
    ...[
      '/%64ata/v1/c/a',
      '/data/%761/c/a',
      '//data/v1/c/a',
      '/data//v1/c/a',
      '/DATA/v1/c/a',
      '/data/v1/c/a/',
    ],
    ...['/v1/../data/v1/c/a', '/v1/%2e%2e/data/v1/c/a', '/v1/..%2fdata/v1/c/a', '/./data/v1/c/a'],
    ...['/data/v1/c/a;x', '/data/v1/c/a?', '/data/v1/c/a#/v1/status', '/data/v1/c/%61', '/data\\v1\\c\\a'],
    ...['http://other/data/v1/c/a', 'http://other/v1/status', '/%76%31/status', '//v1/status', '/V1/status'],
    ...['/v1/status/', '/v1//status', '/v1/./status', '/v1/status%00', '/v1/status%20', '/metrics/'],
    ...['/replication/v1/../../v1/status', '/%72eplication/v1/identity', '/replication/v1/identity/'],
    ...['/data/v1/../../replication/v1/identity', '/data/v1/%2e%2e/%2e%2e/v1/status', '/livez/../v1/status'],
    ...['/livez%2f..%2fv1%2fstatus', '/livez/', '/LIVEZ', '/livez;/v1/status', '/readyz/../livez'],
  ];

  test.each(SPELLINGS)('%s', async (path) => {
    const { url } = await fixedPrimary(OF_PLANE);
    const answered = [];
    for (const token of [null, ...Object.values(OF_PLANE)]) {
      const answer = await ask(url, path, { headers: token === null ? {} : bearer(token) });
      // An address that cannot be decoded is no address at all.
      if (![401, 404].includes(answer.status) || codeOf(answer) === undefined) {
        const plane = planeOfAnswer(answer.text);
        if (plane !== null) answered.push([token, plane]);
      }
    }
    for (const [token, plane] of answered) expect(token).toBe(plane);
  });

  /** The token that the plane of an answer asks for, by what only that plane says; `null` of what says nothing. */
  function planeOfAnswer(text: string): string | null {
    const body = JSON.parse(text) as Record<string, unknown>;
    if ('error' in body || body['status'] === 'ok') return null;
    if ('collection' in body) return OF_PLANE.dataToken;
    if ('durable' in (body['data'] as object)) return OF_PLANE.replicationToken;
    return OF_PLANE.dxToken;
  }

  test('a spelling that leads to an endpoint leads to its token', async () => {
    const { url } = await fixedPrimary(OF_PLANE);
    const statuses = async (path: string) =>
      Promise.all(
        Object.values(OF_PLANE).map(
          async (token) => (await ask(url, path, { headers: bearer(token) })).status,
        ),
      );
    expect(await statuses('/%64ata/v1/c/a')).toEqual([401, 200, 401]);
    expect(await statuses('/%76%31/status')).toEqual([401, 401, 200]);
    expect(await statuses('/%72eplication/v1/identity')).toEqual([200, 401, 401]);
    expect(await statuses('//v1/status')).toEqual([401, 401, 404]);
    expect(await statuses('/v1/status/')).toEqual([401, 401, 404]);
  });
});

describe('what is sent as a token', () => {
  const TOKEN = 'a-token, of some "length"';

  test.each([
    ['nothing', undefined, 401],
    ['an empty header', '', 401],
    ['the scheme alone', 'Bearer', 401],
    ['the scheme and a space', 'Bearer ', 401],
    ['a prefix of the token', `Bearer ${TOKEN.slice(0, -1)}`, 401],
    ['more than the token', `Bearer ${TOKEN}x`, 401],
    ['the token twice', `Bearer ${TOKEN}, Bearer ${TOKEN}`, 401],
    ['another case of the token', `Bearer ${TOKEN.toUpperCase()}`, 401],
    ['no scheme', TOKEN, 401],
    ['another scheme', `Basic ${TOKEN}`, 401],
    ['a scheme that only ends so', `XBearer ${TOKEN}`, 401],
    ['a tab in place of the space', `Bearer\t${TOKEN}`, 401],
    ['the token', `Bearer ${TOKEN}`, 200],
    ['more spaces than one', `Bearer   ${TOKEN}`, 200],
    ['the scheme in lower case', `bearer ${TOKEN}`, 200],
    ['the scheme in upper case', `BEARER ${TOKEN}`, 200],
  ])('%s', async (_name, authorization, status) => {
    const { url } = await fixedPrimary({ token: TOKEN });
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await ask(url, '/v1/status', { headers });
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain(TOKEN);
  });

  test('of two headers the first counts, and both do not make one', async () => {
    const { url } = await fixedPrimary({ token: 'right' });
    const two = async (first: string, second: string) => {
      const { socket, closed } = await connection(url);
      socket.write(
        `GET /v1/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${first}\r\nauthorization: Bearer ${second}\r\n\r\n`,
      );
      return (await closed).slice(9, 12);
    };
    expect([await two('wrong', 'right'), await two('right', 'wrong')]).toEqual(['401', '200']);
  });
});

describe('a replica and the token of its primary', () => {
  test.each([
    ['its primaryToken', { primaryToken: OF_PLANE.replicationToken }],
    ['its own replicationToken', { replicationToken: OF_PLANE.replicationToken }],
    ['its own common token', { token: OF_PLANE.replicationToken }],
    [
      'primaryToken before its own',
      { primaryToken: OF_PLANE.replicationToken, replicationToken: 'own', token: 'common' },
    ],
    ['replicationToken before the common one', { replicationToken: OF_PLANE.replicationToken, token: 'x' }],
  ])('it follows with %s', async (_name, tokens) => {
    const { url } = await fixedPrimary(OF_PLANE);
    const { replica } = await startFixedReplica(url, await temporaryDirectory(), tokens);
    await appliedCommit(replica, 3);
  });

  test.each([
    ['none', {}],
    ['that of another plane', { primaryToken: OF_PLANE.dxToken }],
    ['its own dxToken only', { dxToken: OF_PLANE.replicationToken }],
  ])('it is refused with %s', async (_name, tokens) => {
    const { url } = await fixedPrimary(OF_PLANE);
    expect(await rejection(startFixedReplica(url, await temporaryDirectory(), tokens))).toMatchObject({
      code: 'UNAUTHORIZED',
    });
  });
});

describe('an address beyond loopback', () => {
  const resolve = (values: Record<string, string>) =>
    resolveConfig([{ name: 'x', values: { role: 'primary', dataDir: 'd', listen: '0.0.0.0:1', ...values } }]);
  const { replicationToken, dataToken, dxToken } = OF_PLANE;

  test.each([
    [{}],
    [{ replicationToken }],
    [{ replicationToken, dataToken }],
    [{ replicationToken, dxToken }],
    [{ dataToken, dxToken }],
  ])('is refused unless every plane has a token: %j', (values) => {
    expect(() => resolve(values)).toThrow('an address beyond loopback requires a token for every plane');
  });

  test.each([[{ token: 't' }], [OF_PLANE], [{ token: 't', dataToken }]])('is served with %j', (values) => {
    expect(resolve(values).listen).toBe('0.0.0.0:1');
  });

  test('the token of a plane is stronger than the common one', () => {
    expect(tokenOf({ token: 't', dataToken: 'd' }, 'data')).toBe('d');
    expect(tokenOf({ token: 't', dataToken: 'd' }, 'dx')).toBe('t');
    expect(tokenOf({ dataToken: 'd' }, 'dx')).toBeUndefined();
  });
});

describe('without a token', () => {
  const orders = [
    ['POST', '/data/v1/commits'],
    ['POST', '/data/v1/snapshots'],
    ['POST', '/data/v1/prune'],
    ['DELETE', '/data/v1/snapshots/2'],
  ] as const;

  test.each(orders)('a page of another address cannot have a browser %s %s', async (method, path) => {
    const { url, primary } = await fixedPrimary();
    for (const origin of ['http://evil.example', 'null', `${url}0`]) {
      const answer = await ask(url, path, { method, headers: { origin, 'content-type': 'text/plain' } });
      expect([answer.status, codeOf(answer)]).toEqual([401, 'UNAUTHORIZED']);
    }
    expect(await primary.prune({ upTo: 0 })).toMatchObject({ cut: null });
    expect((await ask(url, REQUESTS.getManifest)).status).toBe(200);
  });

  test('one of its own address can, and whoever is no browser; and everybody reads', async () => {
    const { url } = await fixedPrimary();
    const own = await ask(url, '/data/v1/prune?up_to=0', { method: 'POST', headers: { origin: url } });
    const none = await ask(url, '/data/v1/prune?up_to=0', { method: 'POST' });
    const read = await ask(url, ASKED.data, { headers: { origin: 'http://evil.example' } });
    expect([own.status, none.status, read.status]).toEqual([200, 200, 200]);
  });

  test('with one, whoever sends it may, from wherever', async () => {
    const { url } = await fixedPrimary(OF_PLANE);
    const headers = { ...bearer(OF_PLANE.dataToken), origin: 'http://app.example' };
    const answer = await ask(url, '/data/v1/prune?up_to=0', { method: 'POST', headers });
    expect(answer.status).toBe(200);
  });
});
