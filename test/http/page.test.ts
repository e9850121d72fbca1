import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { pageHeaders, pageOf } from '../../src/http/page.ts';
import { ask, codeOf } from '../support/http.ts';
import { fixedPrimary, REQUESTS } from '../support/http-worlds.ts';
import { servedOver } from '../support/served-nodes.ts';

describe('the page', () => {
  test('has headers that let nothing in but its own script and style, and is framed by nobody', async () => {
    const { url } = await fixedPrimary();
    const { headers, text } = await ask(url, '/');
    const policy = Object.fromEntries(
      (headers['content-security-policy'] as string).split('; ').map((one) => {
        const [name = '', ...values] = one.split(' ');
        return [name, values];
      }),
    );
    const hashOf = (tag: string) => {
      const inner = new RegExp(`<${tag}>(.*)</${tag}>`, 's').exec(text)?.[1] ?? '';
      return `'sha256-${createHash('sha256').update(inner).digest('base64')}'`;
    };
    expect(policy).toEqual({
      'default-src': ["'none'"],
      'script-src': [hashOf('script')],
      'style-src': [hashOf('style')],
      'connect-src': ["'self'", 'http:', 'https:'],
      'img-src': ['data:'],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
      'frame-ancestors': ["'none'"],
    });
    expect([headers['referrer-policy'], headers['x-content-type-options']]).toEqual([
      'no-referrer',
      'nosniff',
    ]);
    expect(await pageHeaders()).toMatchObject({
      'content-security-policy': headers['content-security-policy'],
    });
  });

  test('of a node is over that node alone, by a relative address, and has no actions', async () => {
    const { url } = await fixedPrimary();
    const { text } = await ask(url, '/');
    const written = /<script type="application\/json" id="page-config">(.*?)<\/script>/.exec(text)?.[1];
    expect(JSON.parse(written ?? '')).toEqual({
      nodes: [{ name: 'this node', url: '.' }],
      actions: null,
      charts: expect.arrayContaining(['node.svg', 'primary.svg']) as unknown,
    });
  });

  test('holds what it is configured with so that nothing of it is taken for markup', async () => {
    const name = '</script><script>alert(1)</script><!-- \u2028 & "';
    const html = await pageOf({ nodes: [{ name, url: '.' }], actions: './actions' });
    expect(html.match(/<script/g)).toHaveLength(2);
    const written = /id="page-config">(.*?)<\/script>/.exec(html)?.[1] ?? '';
    expect(written).not.toMatch(/[<>&\u2028]/);
    expect((JSON.parse(written) as { nodes: unknown }).nodes).toEqual([{ name, url: '.' }]);
  });

  test('is there before the node is, so that one can watch it start', async () => {
    const url = await servedOver(null);
    expect((await ask(url, '/')).status).toBe(200);
    expect((await ask(url, '/page/charts/primary.svg')).type).toBe('image/svg+xml');
  });

  test.each(['none.svg', '..%2Fnode.json', '..%2F..%2Fpackage.json', 'node.json', '__proto__'])(
    'has no drawing %s',
    async (name) => {
      const { url } = await fixedPrimary();
      const answer = await ask(url, `/page/charts/${name}`);
      expect([answer.status, codeOf(answer)]).toEqual([404, 'NOT_FOUND']);
    },
  );
});

describe('pages of other origins', () => {
  const ORIGIN = 'http://watch.example:8080';
  const preflight = {
    method: 'OPTIONS',
    headers: {
      origin: ORIGIN,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    },
  };
  const corsOf = ({ headers }: Awaited<ReturnType<typeof ask>>) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

  test('read nothing unless they are named', async () => {
    const { url } = await fixedPrimary();
    const answer = await ask(url, REQUESTS.getStatus, { headers: { origin: ORIGIN } });
    expect([answer.status, corsOf(answer), answer.headers.vary]).toEqual([200, {}, undefined]);
    expect((await ask(url, REQUESTS.getStatus, preflight)).status).toBe(404);
  });

  test('that are named may read the DX plane, refusals and streams included, and send a token', async () => {
    const { url } = await fixedPrimary({ dxOrigins: ['https://other.example', ORIGIN], dxToken: 'x' });
    const token = { authorization: 'Bearer x' };
    for (const [path, headers, status] of [
      [REQUESTS.getStatus, token, 200],
      [REQUESTS.getStatus, {}, 401],
      [REQUESTS.getEvents, token, 200],
      [REQUESTS.getPageChart, {}, 200],
    ] as const) {
      const answer = await ask(url, path, { headers: { origin: ORIGIN, ...headers } });
      expect([path, answer.status, corsOf(answer), answer.headers.vary]).toEqual([
        path,
        status,
        { 'access-control-allow-origin': ORIGIN },
        'Origin',
      ]);
    }
    const asked = await ask(url, REQUESTS.getStatus, preflight);
    expect([asked.status, corsOf(asked)]).toEqual([
      204,
      {
        'access-control-allow-origin': ORIGIN,
        'access-control-allow-methods': 'GET',
        'access-control-allow-headers': 'authorization',
        'access-control-max-age': '600',
      },
    ]);
  });

  test('that are like one that is named, but are not it, read nothing', async () => {
    const { url } = await fixedPrimary({ dxOrigins: [ORIGIN] });
    for (const origin of [
      'null',
      '*',
      `${ORIGIN}0`,
      'https://watch.example:8080',
      'http://evil.watch.example:8080',
    ]) {
      const answer = await ask(url, REQUESTS.getStatus, { headers: { origin } });
      expect([origin, answer.status, corsOf(answer)]).toEqual([origin, 200, {}]);
      const asked = await ask(url, REQUESTS.getStatus, {
        ...preflight,
        headers: { ...preflight.headers, origin },
      });
      expect([origin, asked.status, corsOf(asked)]).toEqual([origin, 204, {}]);
    }
  });

  test('never read the data plane and the replication plane', async () => {
    const { url } = await fixedPrimary({ dxOrigins: [ORIGIN] });
    for (const path of [REQUESTS.getDocument, REQUESTS.getIdentity]) {
      const answer = await ask(url, path, { headers: { origin: ORIGIN } });
      expect([path, answer.status, corsOf(answer)]).toEqual([path, 200, {}]);
      expect([path, (await ask(url, path, preflight)).status]).toEqual([path, 404]);
    }
  });
});
