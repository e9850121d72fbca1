import { expect, test } from 'vitest';
import type { Operation } from '../../src/core/wal/operation.ts';
import type { ReadView } from '../../src/node/read-view.ts';
import type { Primary, Replica } from '../../src/index.ts';
import { afterTest, CLUSTER, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit } from '../support/replicas.ts';
import { walBytes } from '../support/sources.ts';
import { depth } from './depth.ts';
import { FaultProxy } from './fault-proxy.ts';
import { recordFaults, Tally } from './report.ts';

const KEYS = Array.from({ length: 24 }, (_, n) => `k${String(n).padStart(2, '0')}`);
const AT_ONCE = 24;
const OPERATIONS = depth === 'all' ? 60_000 : 5_000;

/** The same numbers for the same seed. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** What was written, by key and in order, and what a view of a commit sees of it. */
class Model {
  readonly #versions = new Map<string, { commitId: number; document: string | null }[]>();
  commits = 0;

  add(commitId: number, operations: readonly Operation[]): void {
    this.commits = Math.max(this.commits, commitId);
    for (const operation of operations) {
      const key = operation.id as string;
      const versions = this.#versions.get(key) ?? [];
      versions.push({ commitId, document: operation.op === 'put' ? (operation.document as string) : null });
      // Acknowledgements of commits that were made at the same time may come in any order.
      versions.sort((left, right) => left.commitId - right.commitId);
      this.#versions.set(key, versions);
    }
  }

  get(key: string, bound: number): string | null {
    const seen = this.#versions.get(key)?.findLast(({ commitId }) => commitId <= bound);
    return seen?.document ?? null;
  }

  all(bound: number): [string, string][] {
    return KEYS.flatMap((key) => {
      const document = this.get(key, bound);
      return document === null ? [] : [[key, document] as [string, string]];
    });
  }
}

/** What a read answered, and of which view: looked at as soon as every commit that was under way is known. */
interface Seen {
  readonly by: string;
  readonly bound: number;
  readonly key: string | null;
  readonly found: string | null | readonly (readonly [string, string])[];
}

/** What may be said in place of an answer, while nodes stop and start under the hands of those who ask. */
const REFUSALS = ['READS_BLOCKED', 'VIEW_ABOVE_APPLIED', 'NOT_WRITABLE', 'NODE_STOPPED', 'VIEW_BEFORE_KEPT'];

function wrongAnswer(model: Model, { bound, key, found }: Seen): string | null {
  const expected = key === null ? model.all(bound) : model.get(key, bound);
  return JSON.stringify(found) === JSON.stringify(expected)
    ? null
    : `${key ?? 'all'} at ${bound}: ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`;
}

test('the check bites: a document of another commit is a wrong answer', () => {
  const model = new Model();
  model.add(1, [{ op: 'put', collection: 'c', id: 'k00', document: 'one' }]);
  model.add(2, [{ op: 'put', collection: 'c', id: 'k00', document: 'two' }]);
  const seen = (bound: number, found: string): Seen => ({ by: 'a node', bound, key: 'k00', found });
  expect(wrongAnswer(model, seen(1, 'one'))).toBeNull();
  expect(wrongAnswer(model, seen(1, 'two'))).toBe('k00 at 1: "two", expected "one"');
});

test('P5-I2, P5-I7, P5-I12: reads, commits, snapshots, cuts and restarts together, every answer checked', async () => {
  const below = numbersFrom(20_261_123);
  const tally = new Tally();
  const model = new Model();
  const directories = { primary: await temporaryDirectory(), replica: await temporaryDirectory() };
  const openPrimaryNode = () =>
    startPrimary({
      dataDir: directories.primary,
      clusterId: CLUSTER,
      listen: '127.0.0.1:0',
      replication: 'enabled',
    });
  let primary: Primary = await openPrimaryNode();
  const proxy = await FaultProxy.before(primary.url as string);
  afterTest(() => proxy.close());
  const openReplicaNode = (dataDir: string, bootstrap: 'wal' | 'snapshot' = 'wal') =>
    startReplica({ dataDir, primaryUrl: proxy.url, replication: 'enabled', bootstrap });
  let replica: Replica = await openReplicaNode(directories.replica);
  let seen: Seen[] = [];

  const answered = async (what: string, ask: () => Promise<unknown>) => {
    try {
      await ask();
      tally.add(what);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === undefined || !REFUSALS.includes(code)) throw error;
      tally.add(`${what}: ${code}`);
    }
  };
  const commit = () => {
    const operations: Operation[] = [];
    for (let left = 1 + below(3); left > 0; left -= 1) {
      const id = KEYS[below(KEYS.length)] as string;
      if (operations.some((one) => one.id === id)) continue;
      operations.push(
        below(5) === 0
          ? { op: 'delete', collection: 'c', id }
          : { op: 'put', collection: 'c', id, document: `v${below(1_000_000)}` },
      );
    }
    return answered('commit', async () => model.add((await primary.commit(operations)).commitId, operations));
  };
  const read = () => {
    const by = below(3) === 0 ? 'primary' : 'replica';
    const node = by === 'primary' ? primary : replica;
    const key = below(8) === 0 ? null : (KEYS[below(KEYS.length)] as string);
    const newest = node.position()?.commitId ?? 0;
    const request = below(3) === 0 ? { at: below(newest + 1) } : {};
    return answered(`read of the ${by}`, () =>
      node.read(async (view: ReadView) => {
        let found: Seen['found'];
        if (key === null) {
          const rows: [string, string][] = [];
          for await (const { id, document } of view.scan('c'))
            rows.push([id.toString(), document.toString()]);
          found = rows;
        } else {
          found = (await view.get('c', key))?.document.toString() ?? null;
        }
        seen.push({ by, bound: view.commitId, key, found });
      }, request),
    );
  };
  const disturb = (): (() => Promise<unknown>) | null => {
    const chosen = below(100);
    if (chosen < 8)
      return () => answered('snapshot', async () => model.commits > 0 && (await primary.createSnapshot()));
    if (chosen < 18)
      return () =>
        answered('replica restarted', async () => {
          await replica.stop();
          replica = await openReplicaNode(directories.replica);
        });
    if (chosen < 24)
      return () =>
        answered('primary restarted', async () => {
          await primary.stop();
          primary = await openPrimaryNode();
          proxy.leadTo(primary.url as string);
          proxy.cut();
        });
    if (chosen < 36)
      return () => answered('connection cut', async () => proxy.cut(below(2) === 0 ? 'end' : 'reset'));
    return null;
  };

  for (let done = 0; done < OPERATIONS; done += AT_ONCE) {
    const disturbance = disturb();
    const asked = Array.from({ length: AT_ONCE }, () => (below(5) < 2 ? commit() : read()));
    await Promise.all([...asked, disturbance?.()]);
    for (const one of seen)
      expect(wrongAnswer(model, one), `after ${done} operations, the ${one.by}`).toBeNull();
    seen = [];
    expect(replica.snapshot().context.halt).toBeNull();
    replica.attach();
  }

  // A connection that was cut last may be noticed at any later time: a new start attaches for certain.
  await replica.stop();
  replica = await openReplicaNode(directories.replica);
  await appliedCommit(replica, model.commits);
  expect(primary.position()?.commitId).toBe(model.commits);
  await primary.createSnapshot();
  const second = await openReplicaNode(await temporaryDirectory(), 'snapshot');
  await appliedCommit(second, model.commits);
  const digests = await Promise.all(
    [primary, replica, second].map((node) => node.read((view: ReadView) => view.stateDigest())),
  );
  expect(digests[1]).toEqual(digests[0]);
  expect(digests[2]).toEqual(digests[0]);
  await replica.stop();
  await primary.stop();
  const [own, theirs] = [await walBytes(directories.replica), await walBytes(directories.primary)];
  expect(own.equals(theirs.subarray(0, own.length))).toBe(true);
  for (const what of [
    'commit',
    'read of the primary',
    'read of the replica',
    'snapshot',
    'primary restarted',
  ])
    expect(tally.outcomes[what] ?? 0, what).toBeGreaterThan(0);
  recordFaults({
    faultClass: 'everything together',
    injectedBy: 'restarts, snapshots, cut connections',
    cases: tally.cases,
    outcomes: tally.outcomes,
  });
}, 900_000);
