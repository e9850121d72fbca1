import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ERRORS, type ErrorCode } from '../../src/index.ts';
import { commonRefusals, type Endpoint } from '../../src/http/contract/endpoint.ts';
import { ENDPOINT_NAMES, ENDPOINTS, type EndpointName } from '../../src/http/contract/endpoints.ts';
import { problem } from '../../src/http/contract/shapes.ts';
import { faultyFileSystem, systemError } from '../support/faulty-file-system.ts';
import { ask, bearer, codeOf, type Answer } from '../support/http.ts';
import { fixedPrimary, haltedReplica, REQUESTS } from '../support/http-worlds.ts';
import { put, rejection } from '../support/nodes.ts';
import { unitsOf } from '../support/wal-forge.ts';

type World = () => Promise<{ readonly url: string }>;
type Ask = (url: string) => Promise<Answer>;
type Reached = Readonly<Partial<Record<ErrorCode, readonly [World, Ask]>>>;

const get =
  (path: string): Ask =>
  (url) =>
    ask(url, path);
const post =
  (path: string, body?: unknown): Ask =>
  (url) =>
    ask(url, path, {
      method: 'POST',
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
const remove =
  (path: string): Ask =>
  (url) =>
    ask(url, path, { method: 'DELETE' });
const commits = (document: unknown, id = 'x') =>
  post('/data/v1/commits', { ops: [{ op: 'put', collection: 'c', id, document }] });

/** A disk that breaks for files of a name, when the test says so. */
function breakingDisk(name: string) {
  let isBroken = false;
  const files = faultyFileSystem((operation, path) =>
    isBroken && path.includes(name) && ['datasync', 'open', 'rename'].includes(operation)
      ? { error: systemError('EIO') }
      : null,
  );
  return { files, breakIt: () => (isBroken = true) };
}

const working: World = () => fixedPrimary();
const switchedOff: World = () => fixedPrimary({ replication: 'disabled' });
const breaking =
  (name: string): World =>
  async () => {
    const { files, breakIt } = breakingDisk(name);
    const world = await fixedPrimary({}, { files });
    breakIt();
    return world;
  };
const haltedPrimary: World = async () => {
  const { files, breakIt } = breakingDisk('.wal');
  const world = await fixedPrimary({}, { files });
  breakIt();
  await rejection(world.primary.commit([put('x', '1')]));
  return world;
};
/** A primary whose WAL was changed below it, so many bytes before the end of the first frame. */
const changedBefore =
  (bytes: (frameBytes: number) => number): World =>
  async () => {
    const world = await fixedPrimary();
    const file = join(world.dataDir, 'wal', (await readdir(join(world.dataDir, 'wal'))).sort()[0] as string);
    const wal = await readFile(file);
    const frame = unitsOf(wal).find(({ kind }) => kind === 'commits');
    const at = (frame?.lsn ?? 0) + (frame?.bytes ?? 0) - bytes(frame?.bytes ?? 0);
    wal[at] = (wal[at] as number) ^ 0xff;
    await writeFile(file, wal);
    return world;
  };
/** The last byte of the first document. */
const damaged = changedBefore(() => 1);
/** The first byte of the first frame: no document is touched. */
const damagedFrame = changedBefore((frameBytes) => frameBytes);

const changedSnapshot =
  (change: (directory: string) => Promise<void>): World =>
  async () => {
    const world = await fixedPrimary();
    await change(join(world.dataDir, 'snapshots'));
    return world;
  };
const damagedManifest = changedSnapshot((snapshots) =>
  writeFile(join(snapshots, '2', 'manifest'), 'nothing'),
);
const lostBlocks = changedSnapshot((snapshots) => rm(join(snapshots, '2', 'data.base')));
/** A snapshot of the newest commit is not made twice; here the one that there is does not verify. */
const damagedNewest: World = async () => {
  const world = await fixedPrimary();
  await world.primary.createSnapshot();
  await writeFile(join(world.dataDir, 'snapshots', '3', 'manifest'), 'nothing');
  return world;
};

/** A primary whose WAL begins at a cut. */
const pruned: World = async () => {
  const world = await fixedPrimary();
  await world.primary.prune();
  return world;
};

const OTHER_HASH = 'f'.repeat(64);
/** The first frame begins here: its hash is compared, so it is proved first. */
const atFirstFrame = (path: string): Ask => get(`${path}position=0:96:${OTHER_HASH}`);

const REPLICATION: Reached = {
  REPLICATION_DISABLED: [switchedOff, get('')],
  READS_BLOCKED: [haltedPrimary, get('')],
};
const reads = (path: string, join: '?' | '&' = '?'): Reached => ({
  READS_BLOCKED: [haltedReplica, get(path)],
  VIEW_ABOVE_APPLIED: [working, get(`${path}${join}at=99`)],
  HISTORY_DIVERGED: [working, atFirstFrame(`${path}${join}`)],
  INDEX_DAMAGED: [damaged, get(`${path}${join}at=1`)],
  WAL_CORRUPT: [damaged, atFirstFrame(`${path}${join}`)],
});
const at = (path: string, reached: Reached): Reached =>
  Object.fromEntries(Object.entries(reached).map(([code, [world]]) => [code, [world, get(path)]]));

/** How each refusal that an endpoint declares is reached; one that cannot be has no place in its declaration. */
const REACHED: Readonly<Record<EndpointName, Reached>> = {
  getLivez: {},
  getReadyz: { UNAUTHORIZED: [() => fixedPrimary({ dxToken: 'x' }), get('/readyz')] },
  getPage: {},
  getPageChart: { NOT_FOUND: [working, get('/page/charts/none.svg')] },
  getStatus: {},
  getReplication: {},
  getWal: {},
  getMvcc: {
    READS_BLOCKED: [haltedReplica, get('/v1/mvcc?digest_at=1')],
    VIEW_ABOVE_APPLIED: [working, get('/v1/mvcc?digest_at=99')],
    INDEX_DAMAGED: [damaged, get('/v1/mvcc?digest_at=1')],
  },
  getVersions: {
    READS_BLOCKED: [haltedReplica, get('/v1/mvcc/versions')],
    VIEW_ABOVE_APPLIED: [working, get('/v1/mvcc/versions?at=99')],
    INDEX_DAMAGED: [damaged, get('/v1/mvcc/versions')],
  },
  getSnapshots: {},
  getCheckpoints: {},
  getMachine: {},
  getEvents: {},
  explainReplication: { WAL_CORRUPT: [damaged, atFirstFrame('/v1/explain/replication?')] },
  explainRecovery: {},
  explainRead: { WAL_CORRUPT: [damaged, atFirstFrame('/v1/explain/read?collection=c&id=a&')] },
  getMetrics: {},
  getOpenApi: {},
  postCommits: {
    WRITE_REFUSED: [haltedReplica, commits(1)],
    COMMIT_INVALID: [working, commits(1, '')],
    COMMIT_TOO_LARGE: [working, commits('x'.repeat(5_000_000))],
    NOT_WRITABLE: [haltedPrimary, commits(1)],
    STORAGE_FAILED: [breaking('.wal'), commits(1)],
  },
  getDocument: reads('/data/v1/c/a'),
  getDocuments: reads('/data/v1/c'),
  postSnapshot: {
    NOT_WRITABLE: [haltedPrimary, post('/data/v1/snapshots')],
    STORAGE_FAILED: [breaking('snapshots'), post('/data/v1/snapshots')],
    SNAPSHOT_CORRUPT: [damagedNewest, post('/data/v1/snapshots')],
    INDEX_DAMAGED: [damaged, post('/data/v1/snapshots')],
  },
  deleteSnapshot: {
    NOT_WRITABLE: [haltedPrimary, remove('/data/v1/snapshots/2')],
    STORAGE_FAILED: [breaking('snapshots'), remove('/data/v1/snapshots/2')],
    SNAPSHOT_UNKNOWN: [working, remove('/data/v1/snapshots/9')],
  },
  postPrune: {
    NOT_WRITABLE: [haltedPrimary, post('/data/v1/prune')],
    READS_BLOCKED: [haltedReplica, post('/data/v1/prune')],
    STORAGE_FAILED: [breaking('/base'), post('/data/v1/prune')],
    SNAPSHOT_CORRUPT: [damagedManifest, post('/data/v1/prune')],
    INDEX_DAMAGED: [damaged, post('/data/v1/prune')],
    WAL_CORRUPT: [damagedFrame, post('/data/v1/prune')],
  },
  getIdentity: at(REQUESTS.getIdentity, REPLICATION),
  getWalStream: {
    ...at(REQUESTS.getWalStream, REPLICATION),
    WAL_PRUNED: [pruned, get('/replication/v1/wal?from_lsn=0')],
    POSITION_INVALID: [working, get('/replication/v1/wal?from_lsn=1')],
    HISTORY_DIVERGED: [working, get('/replication/v1/wal?from_lsn=99999')],
    WAL_CORRUPT: [damaged, get('/replication/v1/wal?from_lsn=96')],
  },
  listSnapshots: at(REQUESTS.listSnapshots, REPLICATION),
  getManifest: {
    REPLICATION_DISABLED: [switchedOff, get(REQUESTS.getManifest)],
    SNAPSHOT_UNKNOWN: [working, get('/replication/v1/snapshots/9/manifest')],
  },
  getBlock: {
    REPLICATION_DISABLED: [switchedOff, get(REQUESTS.getBlock)],
    SNAPSHOT_UNKNOWN: [working, get('/replication/v1/snapshots/2/blocks/9')],
    SNAPSHOT_CORRUPT: [damagedManifest, get(REQUESTS.getBlock)],
  },
};

function expectProblem(answer: Answer, code: ErrorCode): void {
  expect(codeOf(answer)).toBe(code);
  const { meaning, status, action, invariant } = ERRORS[code];
  expect([answer.status, answer.type]).toEqual([status, 'application/problem+json; charset=utf-8']);
  const body = problem.strict().parse(JSON.parse(answer.text));
  expect(body).toEqual({
    error: {
      code,
      invariant: body.error.invariant,
      message: body.error.message,
      evidence: body.error.evidence,
    },
    type: `https://replichart.dev/errors/${code}`,
    title: meaning,
    status,
    detail: `${body.error.message}. ${action}`,
  });
  // A refusal by a rule names the invariant of that rule; any other that of its code.
  if (!('rule' in body.error.evidence)) expect(body.error.invariant).toBe(invariant);
}

describe('each refusal that is declared can be reached, and is a problem (RFC 9457)', () => {
  const rows = ENDPOINT_NAMES.flatMap((name) =>
    Object.entries(REACHED[name]).map(([code, [world, asked]]) => ({
      name,
      code: code as ErrorCode,
      world,
      asked,
    })),
  );
  test.each(rows)('$name: $code', async ({ code, world, asked }) => {
    expectProblem(await asked((await world()).url), code);
  });

  test('and there is no other', () => {
    for (const name of ENDPOINT_NAMES) {
      const { refusals }: Endpoint = ENDPOINTS[name];
      expect([name, Object.keys(REACHED[name]).sort()]).toEqual([name, [...refusals].sort()]);
    }
  });
});

describe('the refusals of every endpoint', () => {
  /** A request that breaks a rule of the endpoint, where it has one. */
  const BROKEN: Partial<Record<EndpointName, string>> = {
    getManifest: '/replication/v1/snapshots/%ff/manifest',
    getBlock: '/replication/v1/snapshots/2/blocks/x',
    getWalStream: '/replication/v1/wal?from_lsn=x',
  };
  const all = ENDPOINT_NAMES.map((name) => ({ name, endpoint: ENDPOINTS[name] }));
  const declaring = (code: ErrorCode) =>
    all.filter(({ endpoint }) => commonRefusals(endpoint).includes(code));

  test('REQUEST_INVALID, where anything is checked', async () => {
    const { url } = await fixedPrimary();
    for (const { name, endpoint } of declaring('REQUEST_INVALID')) {
      const path = BROKEN[name] ?? `${endpoint.path.replace(/:\w+/g, 'x')}?notAParameter=1`;
      const headers = { 'content-type': 'application/json' };
      const body = name === 'postCommits' ? { headers, body: '{}' } : {};
      expectProblem(await ask(url, path, { method: endpoint.method, ...body }), 'REQUEST_INVALID');
    }
    const unchecked = all.filter(({ endpoint }) => !commonRefusals(endpoint).includes('REQUEST_INVALID'));
    expect(unchecked.map(({ name }) => name)).toEqual(['getIdentity', 'listSnapshots']);
    for (const { endpoint } of unchecked) expect((await ask(url, `${endpoint.path}?x=1`)).status).toBe(200);
  });

  test('UNAUTHORIZED, of all but what is open, and readiness, which declares it itself', async () => {
    const { url } = await fixedPrimary({ token: 'x' });
    for (const { name, endpoint } of declaring('UNAUTHORIZED'))
      expectProblem(
        await ask(url, REQUESTS[name], { method: endpoint.method, headers: bearer('y') }),
        'UNAUTHORIZED',
      );
    const asking = ENDPOINT_NAMES.filter((name) => !ENDPOINTS[name].open && name !== 'getReadyz');
    expect(declaring('UNAUTHORIZED').map(({ name }) => name)).toEqual(asking);
  });
});

test('F-S4: a snapshot whose data is gone is damaged, and no bug', async () => {
  expectProblem(await get(REQUESTS.getBlock)((await lostBlocks()).url), 'SNAPSHOT_CORRUPT');
});
