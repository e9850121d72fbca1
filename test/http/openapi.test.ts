import { Validator } from '@seriousme/openapi-schema-validator';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { ask, codeOf } from '../support/http.ts';
import { fixedPrimary, startFixedReplica } from '../support/http-worlds.ts';
import { temporaryDirectory } from '../support/nodes.ts';

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];
/** Every address that any node describes, and some that nobody has. */
const NEVER = [
  '/page',
  '/page/charts',
  '/v1',
  '/data/v1',
  '/replication/v1',
  '/docs',
  '/metrics/json',
  '/v1/status/all',
];

async function documentOf(url: string): Promise<Document> {
  return JSON.parse((await ask(url, '/openapi.json')).text) as Document;
}

const filled = (path: string) => path.replace(/\{n\}/, '0').replace(/\{\w+\}/g, 'x');

/** Method and address of everything that is not refused as an address that there is not. */
async function servedOf(url: string, paths: readonly string[]): Promise<string[]> {
  const served: string[] = [];
  for (const path of paths)
    for (const method of METHODS) {
      // A query that no endpoint takes: it is found, and then refused without an effect or a stream.
      const answer = await ask(url, `${filled(path)}?notAParameter=1`, { method });
      const isThere = answer.status !== 404 || codeOf(answer) !== 'NOT_FOUND';
      if (isThere) served.push(`${method} ${path}`);
    }
  return served;
}

const described = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );

/** What is described, and what an address reaches through the parameters of another: `GET /data/v1/commits`. */
function reached(operations: readonly string[], paths: readonly string[]): string[] {
  const patterns = operations.map((one) => new RegExp(`^${one.replace(/\{\w+\}/g, '[^/]+')}$`));
  return METHODS.flatMap((method) => paths.map((path) => `${method} ${path}`)).filter((one) =>
    patterns.some((pattern) => pattern.test(one)),
  );
}

describe('P5-I14: the interface description', () => {
  test('is valid OpenAPI 3.1, of a primary and of a replica', async () => {
    const { url } = await fixedPrimary();
    const replica = await startFixedReplica(url, await temporaryDirectory(), { replication: 'disabled' });
    for (const node of [url, replica.url]) {
      const validator = new Validator();
      const result = await validator.validate({ ...(await documentOf(node)) });
      expect(result).toMatchObject({ valid: true });
      expect(validator.version).toBe('3.1');
    }
    const broken = { ...(await documentOf(url)), paths: { '/x': { get: { responses: 1 } } } };
    expect(await new Validator().validate(broken)).toMatchObject({ valid: false });
  });

  test('lists exactly what is served, on a primary and on a replica', async () => {
    const { url } = await fixedPrimary();
    const replica = await startFixedReplica(url, await temporaryDirectory(), { replication: 'disabled' });
    const all = Object.keys((await documentOf(url)).paths);
    for (const node of [url, replica.url])
      expect((await servedOf(node, [...all, ...NEVER])).sort()).toEqual(
        reached(described(await documentOf(node)), all).sort(),
      );
    const ofReplica = described(await documentOf(replica.url));
    expect(described(await documentOf(url)).filter((one) => !ofReplica.includes(one))).toEqual([
      'POST /data/v1/snapshots',
      'DELETE /data/v1/snapshots/{id}',
      'GET /replication/v1/identity',
      'GET /replication/v1/wal',
      'GET /replication/v1/snapshots',
      'GET /replication/v1/snapshots/{id}/manifest',
      'GET /replication/v1/snapshots/{id}/blocks/{n}',
    ]);
  });

  test('that is kept in docs/generated is the one of a primary', async () => {
    const { url } = await fixedPrimary();
    const kept = await readFile(new URL('../../docs/generated/openapi.json', import.meta.url), 'utf8');
    expect(await documentOf(url)).toEqual(JSON.parse(kept));
  });
});
