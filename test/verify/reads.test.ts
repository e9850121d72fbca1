import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { createPrimary, createReplica, type Primary, type Replica } from '../../src/index.ts';
import { pino } from 'pino';
import { CLUSTER, del, put } from '../support/nodes.ts';
import { appliedLsn } from '../support/replicas.ts';
import { filesOfPrimary, ownFiles, segmentsOf, VERIFIED, verdictOf, verified } from '../support/verifying.ts';

const ports = { logger: pino({ level: 'silent' }) };
const BINARY = Buffer.from([0xff, 0x01]);
let root: string;
let primary: Primary;
/** Followed from the first byte on, and begun with a snapshot. */
let replicas: Replica[];
const dirs = () => ({ primary: join(root, 'p'), full: join(root, 'f'), begun: join(root, 'b') });

/** Every kind of document there is, some before the cut of a snapshot and some behind it. */
async function fill() {
  for (let n = 1; n <= 130; n += 1) await primary.commit([put('often', `{"n":${n}}`)]);
  await primary.commit([put('gone', '{"n":1}'), put('back', '{"n":1}'), put('old', '{"n":1}')]);
  await primary.commit([del('gone'), del('back'), del('never')]);
  await primary.commit([
    put('twice', '{"n":1}'),
    put('twice', '{"n":2}'),
    put('twice-gone', '1'),
    del('twice-gone'),
  ]);
  await primary.commit([
    { op: 'put', collection: 'c', id: BINARY, document: Buffer.from([0, 0xff]) },
    put('no json', '{"n":'),
    put('empty', ''),
    put('numbers', '{"zero":-0,"huge":1e400,"b":1,"a":{"__proto__":1,"2":2,"1":1},"lone":"\\ud800"}'),
  ]);
  await primary.createSnapshot();
  for (let n = 1; n <= 3; n += 1)
    await primary.commit([put('often', `{"m":${n}}`), put('back', `{"m":${n}}`)]);
  await Promise.all(Array.from({ length: 20 }, (_, n) => primary.commit([put(`group${n}`, `${n}`)])));
  for (let n = 1; n <= 6; n += 1)
    await primary.commit([{ op: 'put', collection: 'big', id: `${n}`, document: `"${'x'.repeat(3.5e6)}"` }]);
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'replichart-reads-'));
  const { primary: dataDir, full, begun } = dirs();
  primary = await createPrimary(
    { dataDir, clusterId: CLUSTER, listen: '127.0.0.1:0', replication: 'enabled' },
    ports,
  );
  await fill();
  const options = {
    primaryUrl: primary.url as string,
    listen: '127.0.0.1:0',
    replication: 'enabled',
  } as const;
  replicas = [
    await createReplica({ ...options, dataDir: full }, ports),
    await createReplica({ ...options, dataDir: begun, bootstrap: 'snapshot' }, ports),
  ];
  for (const replica of replicas) await appliedLsn(replica, primary.position()?.lsn as number);
});

afterAll(async () => {
  for (const replica of replicas) await replica.stop();
  await primary.stop();
  await rm(root, { recursive: true, force: true });
});

type Answer = Record<string, unknown> & { readonly proof: { readonly conclusion: Record<string, unknown> } };

async function get(url: string | null, path: string): Promise<Answer> {
  const { body } = await request(`${url}${path}`);
  return (await body.json()) as Answer;
}

/** An answer of each node, beside all the files that it can be verified against. */
async function answers(path: string) {
  const { primary: p, full, begun } = dirs();
  const all = [];
  for (const [node, own] of [
    [primary, p],
    [replicas[0], full],
    [replicas[1], begun],
  ] as const)
    for (const source of [await ownFiles(own), await filesOfPrimary(p), segmentsOf(p)])
      all.push({ answer: await get((node as Primary).url, path), source });
  return all;
}

async function expectVerified(path: string, conclusion: Record<string, unknown>) {
  for (const { answer, source } of await answers(path)) {
    expect(answer.proof.conclusion, path).toMatchObject(conclusion);
    expect(await verdictOf(answer, source), `${path} against ${source.kind}`).toEqual(VERIFIED);
  }
}

describe('P5-I7, P5-I15: the proof of a document is verified against every kind of files', () => {
  test.each<[string, string, Record<string, unknown>]>([
    ['with more than 100 versions', 'often', { result: 'visible' }],
    ['as it was', 'often?at=50', { result: 'visible', version_commit_id: 50 }],
    ['before it was', 'old?at=50', { result: 'absent', version_commit_id: null }],
    ['that was deleted', 'gone', { result: 'deleted' }],
    ['that never was and was deleted', 'never', { result: 'deleted' }],
    ['that never was', 'nobody', { result: 'absent' }],
    ['that was deleted and came back', 'back', { result: 'visible' }],
    ['that one commit wrote twice', 'twice', { result: 'visible' }],
    ['that one commit wrote and deleted', 'twice-gone', { result: 'deleted' }],
    ['that is no JSON', encodeURIComponent('no json'), { result: 'visible' }],
    ['that is empty', 'empty', { result: 'visible' }],
    ['of numbers and names that JSON does not carry as they are', 'numbers', { result: 'visible' }],
    ['whose commit shared a frame', 'group7', { result: 'visible' }],
  ])('%s', async (_, id, conclusion) => {
    await expectVerified(`/data/v1/c/${id}${id.includes('?') ? '&' : '?'}proof=1`, conclusion);
  });

  test('whose id is no text', async () => {
    const id = BINARY.toString('base64url');
    for (const url of [primary.url, ...replicas.map((one) => one.url)]) {
      const answer = await get(url, `/v1/explain/read?collection=c&id_base64=${BINARY.toString('base64')}`);
      expect(answer, id).toMatchObject({
        data: { inputs: { read: { id_base64: BINARY.toString('base64') } } },
      });
      expect(await verdictOf(answer, await filesOfPrimary(dirs().primary))).toEqual(VERIFIED);
    }
  });

  test('at a position of history, at one of another, and at one that lies ahead', async () => {
    const end = primary.position() as { commitId: number; lsn: number; historyHash: string };
    for (const [token, found] of [
      [`${end.commitId}:${end.lsn}:${end.historyHash}`, 'in history'],
      [`${end.commitId - 1}:${end.lsn}:${end.historyHash}`, 'in history'],
      [`${end.commitId}:${end.lsn}:${'0'.repeat(64)}`, 'not in history'],
      [`3:${end.lsn - 1}:${end.historyHash}`, 'not in history'],
      [`${end.commitId + 1}:${end.lsn + 9}:${end.historyHash}`, 'ahead'],
      [`0:0:${'0'.repeat(64)}`, 'in history'],
    ] as const)
      for (const path of ['/v1/explain/replication?', '/v1/explain/read?collection=c&id=often&'])
        for (const { answer, source } of (await answers(`${path}position=${token}`)).slice(0, 6)) {
          expect(answer).toMatchObject({ data: { inputs: { view_position: { found } } } });
          expect(await verdictOf(answer, source), `${token} against ${source.kind}`).toEqual(VERIFIED);
        }
  });

  test('P5-I4: what a replica that began with a snapshot does not keep, only its own files say', async () => {
    const answer = await get(
      replicas[1]?.url ?? null,
      `/v1/explain/replication?position=0:0:${'0'.repeat(64)}`,
    );
    expect(answer).toMatchObject({ data: { inputs: { view_position: { found: 'before what is kept' } } } });
    expect(await verdictOf(answer, await ownFiles(dirs().begun))).toEqual(VERIFIED);
    expect(await verdictOf(answer, await filesOfPrimary(dirs().primary))).toEqual({
      verdict: 'undetermined',
      differences: [],
      undetermined: ['inputs.view_position.found: what the node kept then does not follow from these files'],
    });
  });

  test('bare segments that begin at a cut do not hold the versions before it, and that is said', async () => {
    const answer = await get(primary.url, '/data/v1/c/old?proof=1');
    expect(await verdictOf(answer, segmentsOf(dirs().begun))).toEqual({
      verdict: 'undetermined',
      differences: [],
      undetermined: ['conclusion: versions before commit 135 are not in these files'],
    });
  });
});

describe('P5-I7, P5-I15: the proof of a range is verified with its documents', () => {
  test.each<[string, string, Record<string, unknown>]>([
    ['the first page', 'c?limit=5', { documents: 5 }],
    ['a page in the middle', 'c?limit=5&after=group1', { documents: 5 }],
    ['the last page', 'c?after=group9', { documents: 6 }],
    ['the last page, of an id that is no text', 'c?after=zzz', { documents: 1 }],
    ['an empty collection', 'nothing', { documents: 0 }],
    [
      'a page behind an id that is no text',
      `c?after_base64=${encodeURIComponent(BINARY.toString('base64'))}`,
      { documents: 0 },
    ],
    ['the whole collection as it was', 'c?at=131', { documents: 4 }],
    ['a page that ends before 16 MiB', 'big', { documents: 4 }],
    ['the page behind it', 'big?after=4', { documents: 2 }],
  ])('%s', async (_, path, conclusion) => {
    await expectVerified(`/data/v1/${path}${path.includes('?') ? '&' : '?'}proof=1`, conclusion);
  });
});

test('P5-I15: a node goes on while it is verified, and what is verified stays so while it goes on', async () => {
  const { full } = dirs();
  const replica = replicas[0] as Replica;
  const kept: Answer[] = [];
  const pace = Array.from({ length: 200 }, (_, n) => n);
  for (const n of pace) {
    const commits = Promise.all([0, 1, 2].map((m) => primary.commit([put(`load${m}`, `{"n":${n}}`)])));
    if (n % 10 === 0)
      for (const path of ['/v1/explain/replication', '/v1/explain/recovery', '/data/v1/c/load1?proof=1'])
        kept.push(await get(replica.url, path));
    if (n % 50 === 0)
      for (const answer of kept.slice(-3))
        expect((await verified(answer, await ownFiles(full))).differences).toEqual([]);
    await commits;
  }
  await appliedLsn(replica, primary.position()?.lsn as number);
  expect(kept.length).toBe(60);
  for (const answer of kept)
    for (const source of [await ownFiles(full), await filesOfPrimary(dirs().primary)])
      expect(await verdictOf(answer, source)).toEqual(VERIFIED);
});
