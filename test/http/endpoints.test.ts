import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/http/contract/endpoint.ts';
import type { Position } from '../../src/index.ts';
import { ENDPOINT_NAMES, ENDPOINTS, type EndpointName } from '../../src/http/contract/endpoints.ts';
import { problem } from '../../src/http/contract/shapes.ts';
import { ask, type Answer } from '../support/http.ts';
import { fixedPrimary, haltedReplica, REQUESTS, restingReplica } from '../support/http-worlds.ts';
import { servedOver } from '../support/served-nodes.ts';
import { walBytes } from '../support/sources.ts';
import { exchange, expectTranscript } from '../support/transcripts.ts';

const COMMIT = JSON.stringify({ ops: [{ op: 'put', collection: 'c', id: 'd', document: [4] }] });

/** What is the same of every node: it is compared once. */
const OF_NO_NODE: readonly EndpointName[] = ['getPage', 'getPageChart', 'getOpenApi'];

type Expectation = (world: {
  readonly url: string;
  readonly dataDir: string;
  readonly end: Position | undefined;
  readonly asked: () => Promise<Answer>;
}) => Promise<void>;

/** An answer of bytes, or one that changes what the others answer, is compared here and not by the transcript. */
const OTHERWISE: Partial<Record<EndpointName, Expectation>> = {
  // The page and its drawings are seen in a browser: test/page.
  async getPage({ asked }) {
    expect((await asked()).type).toBe('text/html; charset=utf-8');
  },
  async getPageChart({ asked }) {
    const { text } = await asked();
    expect(text).toBe(await readFile(new URL('../../visualizations/node.svg', import.meta.url), 'utf8'));
  },
  async getBlock({ asked, dataDir }) {
    const { status, type, bytes } = await asked();
    expect([status, type]).toEqual([200, 'application/octet-stream']);
    expect(bytes).toEqual(await readFile(join(dataDir, 'snapshots', '2', 'data.base')));
  },
  async getOpenApi({ asked }) {
    const { status, type, text } = await asked();
    expect([status, type]).toEqual([200, 'application/json; charset=utf-8']);
    const kept = await readFile(new URL('../../docs/generated/openapi.json', import.meta.url), 'utf8');
    expect(text).toBe(JSON.stringify(JSON.parse(kept)));
  },
  async getWalStream({ url, dataDir, end }) {
    const wal = await walBytes(dataDir);
    const abort = new AbortController();
    const response = await fetch(`${url}${REQUESTS.getWalStream}`, {
      signal: abort.signal,
      headers: { 'x-request-id': 'mine' },
    });
    const { date: _date, ...headers } = Object.fromEntries(response.headers);
    expect([response.status, headers]).toEqual([
      200,
      {
        'content-type': 'application/octet-stream',
        'replichart-cluster-id': '11111111-1111-4111-8111-111111111111',
        'replichart-start-lsn': '0',
        'replichart-durable-commit-id': '3',
        'replichart-durable-lsn': String(end?.lsn),
        'replichart-durable-history-hash': end?.historyHash,
        'transfer-encoding': 'chunked',
        connection: 'keep-alive',
        'keep-alive': 'timeout=10',
        'x-request-id': 'mine',
      },
    ]);
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= wal.length) break;
    }
    expect(Buffer.concat(parts)).toEqual(wal);
    abort.abort();
  },
};

function askEndpoint(url: string, name: EndpointName): Promise<Answer> {
  const { method } = ENDPOINTS[name];
  const body = name === 'postCommits' ? { body: COMMIT } : {};
  const headers = name === 'postCommits' ? { 'content-type': 'application/json' } : {};
  return ask(url, REQUESTS[name], { method, headers, ...body });
}

/** No field that is not declared, and none that the declaration changes; a refusal is a problem and says its status. */
function expectDeclared(name: EndpointName, { status, type, text }: Answer): void {
  const endpoint: Endpoint = ENDPOINTS[name];
  if (type?.startsWith('application/problem+json') === true) {
    const body = JSON.parse(text) as { status: number };
    expect(problem.strict().parse(body)).toEqual(body);
    expect(body.status).toBe(status);
    return;
  }
  expect(endpoint.statuses).toContain(status);
  expect(type).toBe(
    endpoint.contentType === 'application/json' ? 'application/json; charset=utf-8' : endpoint.contentType,
  );
  if (endpoint.contentType !== 'application/json') return;
  const body: unknown = JSON.parse(text);
  // The text as well: the order of the fields is part of the answer.
  expect(JSON.stringify(endpoint.answer.parse(body))).toBe(text);
}

/** What changes the node is asked last; what the transcript does not hold is left out. */
const inOrder = (isShown: (name: EndpointName) => boolean) =>
  [...ENDPOINT_NAMES].filter(isShown).sort((a, b) => rank(a) - rank(b));
const rank = (name: EndpointName) => (ENDPOINTS[name].method === 'POST' ? 1 : 0);

async function transcriptOf(url: string, isShown: (name: EndpointName) => boolean): Promise<string[]> {
  const exchanges: string[] = [];
  for (const name of inOrder(isShown)) {
    const answer = await askEndpoint(url, name);
    expectDeclared(name, answer);
    exchanges.push(exchange(ENDPOINTS[name].method, REQUESTS[name], answer));
  }
  return exchanges;
}

describe('P5-I14: every endpoint, its whole answer', () => {
  test('of a primary', async () => {
    const { url, dataDir, positions } = await fixedPrimary();
    for (const name of ENDPOINT_NAMES)
      await OTHERWISE[name]?.({
        url,
        dataDir,
        end: positions.at(-1),
        asked: () => askEndpoint(url, name),
      });
    await expectTranscript('primary', await transcriptOf(url, (name) => OTHERWISE[name] === undefined));
  });

  test('of a replica', async () => {
    const { url } = await restingReplica((await fixedPrimary()).url);
    // How the work of a replica fell into steps is its own affair: metrics.test.ts and events.test.ts have those.
    const otherwise: readonly EndpointName[] = [...OF_NO_NODE, 'getEvents', 'getMetrics'];
    await expectTranscript('replica', await transcriptOf(url, (name) => !otherwise.includes(name)));
  });

  test('of a halted replica', async () => {
    const { replica, dataDir } = await haltedReplica();
    await replica.stop();
    // The one that starts on the record knows only what the record says.
    const { url } = await haltedReplica(dataDir);
    await expectTranscript('halted-replica', await transcriptOf(url, (name) => !OF_NO_NODE.includes(name)));
  });

  test('of a node that is starting: all but the health of the process is refused', async () => {
    const url = await servedOver(null);
    await expectTranscript('starting', await transcriptOf(url, (name) => !OF_NO_NODE.includes(name)));
  });
});

describe('readiness for people', () => {
  test('one line a rule, and what comes of it', async () => {
    const primary = await ask((await fixedPrimary()).url, '/readyz?verbose');
    expect([primary.status, primary.type, primary.text]).toEqual([
      200,
      'text/plain',
      [
        ...['P5-I12 nodeIsActive', 'P5-I10 nothingIsHalted', 'P5-I4 prefixHolds', 'P5-I12 viewIsApplied'],
        ...['P5-I4 viewIsInHistory', 'P5-I12 noApplicationIsInFlight'],
      ]
        .map((rule) => `[+] ${rule}: holds\n`)
        .join('') + 'ready\n',
    ]);
    const starting = await ask(await servedOver(null), '/readyz?verbose=1');
    expect([starting.status, starting.text]).toEqual([503, '[-] the node is starting\nnot ready\n']);
    const halted = await ask((await haltedReplica()).url, '/readyz?verbose');
    expect([
      halted.status,
      halted.text.split('\n').slice(0, 1),
      halted.text.endsWith('\nnot ready\n'),
    ]).toEqual([
      503,
      ['[-] P5-I12 nodeIsActive: violated {"role":"replica","state":"halted.resting"}'],
      true,
    ]);
  });
});
